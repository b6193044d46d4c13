import { createServer } from "node:http";
import { Server } from "socket.io";
import { listenOnFreePort, type FanoutSubject } from "../fanout-subject.ts";

/** Socket.IO with its defaults, but for the long polling that nobody here uses. */
export function createSocketIoSubject(): FanoutSubject {
  const server = createServer();
  const io = new Server(server, { transports: ["websocket"] });
  io.on("connection", (socket) => socket.join("lobby"));
  return {
    listen: () => listenOnFreePort(server),
    publish(messages) {
      for (const message of messages) io.to("lobby").emit("message", message);
    },
    members: () => io.of("/").adapter.rooms.get("lobby")?.size ?? 0,
  };
}
