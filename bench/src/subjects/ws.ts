import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";
import type { Subject } from "../subject.ts";

/**
 * The npm package `ws` as its users write it. Whether it finds bufferutil is decided by the environment variable
 * `WS_NO_BUFFER_UTIL`, which is set where the process is started.
 */
export function createWsSubject(deflate: boolean): Subject {
  const server = createServer();
  const sockets = new WebSocketServer({
    server,
    perMessageDeflate: deflate ? { threshold: 0 } : false,
  });
  sockets.on("connection", (socket) => {
    socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
    socket.on("error", () => socket.terminate());
  });
  return {
    listen: () =>
      new Promise((resolve) => {
        server.listen({ port: 0, host: "127.0.0.1", backlog: 4096 }, () =>
          resolve((server.address() as AddressInfo).port),
        );
      }),
    broadcast(payloads) {
      for (const payload of payloads) {
        for (const socket of sockets.clients) socket.send(payload, { binary: true });
      }
    },
  };
}
