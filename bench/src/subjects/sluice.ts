import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import {
  acceptWebSocket,
  type AcceptOptions,
  type CompressionOptions,
  PreparedMessage,
  type WebSocketConnection,
} from "@sluice/websocket";
import type { Subject } from "../subject.ts";

/** `@sluice/websocket` as its users write it. With `prepare`, a broadcast prepares its message first. */
export function createSluiceSubject(
  compression: Partial<CompressionOptions> | false,
  prepare: boolean,
): Subject {
  const connections = new Set<WebSocketConnection>();
  const options: AcceptOptions = {
    origin: "any",
    compression,
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
    broadcast(payloads) {
      for (const payload of payloads) {
        const message = prepare ? new PreparedMessage(payload) : payload;
        for (const connection of connections) connection.send(message);
      }
    },
  };
}
