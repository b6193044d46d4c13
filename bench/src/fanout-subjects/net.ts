import { createServer, type Socket } from "node:net";
import { encodeFrame } from "../frame.ts";
import { listenOnFreePort, type FanoutSubject } from "../fanout-subject.ts";

/** The floor: bare sockets without a handshake, each of which gets a ready-made frame. */
export function createNetSubject(): FanoutSubject {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    socket.resume();
  });
  return {
    listen: () => listenOnFreePort(server),
    publish(messages) {
      for (const message of messages) {
        const frame = encodeFrame(Buffer.from(JSON.stringify(message)));
        for (const socket of sockets) socket.write(frame);
      }
    },
    members: () => sockets.size,
  };
}
