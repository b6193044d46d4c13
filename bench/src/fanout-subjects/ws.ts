import { createServer } from "node:http";
import { WebSocketServer } from "ws";
import { listenOnFreePort, type FanoutSubject } from "../fanout-subject.ts";

/** The loop over all clients that the documentation of `ws` shows. */
export function createWsSubject(): FanoutSubject {
  const server = createServer();
  const sockets = new WebSocketServer({ server, perMessageDeflate: false });
  sockets.on("connection", (socket) => socket.on("error", () => socket.terminate()));
  return {
    listen: () => listenOnFreePort(server),
    publish(messages) {
      for (const message of messages) {
        const text = JSON.stringify(message);
        for (const socket of sockets.clients) socket.send(text);
      }
    },
    members: () => sockets.clients.size,
  };
}
