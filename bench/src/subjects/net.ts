import { createServer, type AddressInfo, type Socket } from "node:net";
import { encodeFrame } from "../frame.ts";
import type { Subject } from "../subject.ts";

/**
 * The floor: bare sockets, no handshake, every chunk written back as it came. With `cork`, the messages of one broadcast
 * leave in one write to each socket.
 */
export function createNetSubject(cork: boolean): Subject {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on("data", (chunk) => socket.write(chunk));
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
  });
  return {
    listen: () =>
      new Promise((resolve) => {
        server.listen({ port: 0, host: "127.0.0.1", backlog: 4096 }, () =>
          resolve((server.address() as AddressInfo).port),
        );
      }),
    broadcast(payloads) {
      if (cork) for (const socket of sockets) socket.cork();
      for (const payload of payloads) {
        const frame = encodeFrame(payload);
        for (const socket of sockets) socket.write(frame);
      }
      if (cork) for (const socket of sockets) socket.uncork();
    },
  };
}
