import type { Server } from "@sluice/socketio";

/** What is said is told to all others, and who said it is told how many those are. */
export function chat(io: Server): void {
  io.on("connection", (socket) => {
    socket.on("say", (text: string, answer: (others: number) => void) => {
      socket.broadcast.emit("said", text);
      answer(io.sockets.sockets.size - 1);
    });
  });
}
