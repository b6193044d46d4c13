import type { Face } from "../../face.ts";
import { encodeEvent } from "./event.ts";

/** What all clients of event streams are sent for a message or a publication; each adds its own `id` before. */
export interface SseFrame {
  /** The room that it comes from; empty for none. */
  readonly room: string;
  /** The epoch of the room's history; empty for none. */
  readonly epoch: string;
  readonly offset: number;
  /** The event without its id. */
  readonly body: Buffer;
}

/** The face `sse`: Server-Sent Events. */
export const sseFace: Face<SseFrame> = {
  name: "sse",
  message: (message) => ({ room: "", epoch: "", offset: 0, body: Buffer.from(encodeEvent(message)) }),
  publication: ({ room, epoch, offset, message }) => ({
    room,
    epoch,
    offset,
    body: Buffer.from(encodeEvent(message)),
  }),
};
