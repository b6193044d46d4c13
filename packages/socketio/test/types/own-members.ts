// Only to be compiled: what sockets have beside those of the package socket.io, which application.ts has.
import type { DisconnectReason, Socket } from "@sluice/socketio";

interface Events {
  plain: (text: string) => void;
}

/** An application may have events of these names itself. */
interface SameNames {
  drain: (litres: number) => void;
  expired: (what: string, answer: (isSure: boolean) => void) => void;
}

export function typed(socket: Socket<Events>): number {
  socket.on("drain", () => {}).once("expired", () => {});
  socket.on("plain", (text) => text.length);
  socket.on("disconnect", (reason: DisconnectReason) => reason);
  // @ts-expect-error It says nothing.
  socket.on("drain", (litres: number) => litres);
  // @ts-expect-error There is no such event.
  socket.on("dry", () => {});
  socket.expiresAt = Date.now();
  socket.expiresAt = undefined;
  return socket.writable ? 0 : socket.bufferedBytes;
}

export function same(socket: Socket<SameNames>): void {
  socket.on("drain", (litres) => litres.toFixed(1));
  socket.on("expired", (what, answer) => answer(what === ""));
  socket.once("drain", (litres: number) => litres);
  // @ts-expect-error It is a number.
  socket.on("drain", (litres: string) => litres);
}
