import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { acceptWebSocket, type AcceptOptions, type WebSocketConnection } from "@sluice/websocket";
import type { Subject } from "../subject.ts";

/** `@sluice/websocket` as its users write it. */
export function createSluiceSubject(): Subject {
  const connections = new Set<WebSocketConnection>();
  const options: AcceptOptions = {
    origin: "any",
    handlers: {
      open: (connection) => connections.add(connection),
      message: (connection, data) => connection.send(data),
      close: (connection) => connections.delete(connection),
    },
  };
  const server = createServer();
  server.on("upgrade", (request, socket, head) => acceptWebSocket(request, socket, head, options));
  return {
    listen: () =>
      new Promise((resolve) => {
        server.listen({ port: 0, host: "127.0.0.1", backlog: 4096 }, () =>
          resolve((server.address() as AddressInfo).port),
        );
      }),
    broadcast(payload, times) {
      for (let round = 0; round < times; round++) {
        for (const connection of connections) connection.send(payload);
      }
    },
  };
}
