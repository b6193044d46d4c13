import type { Face } from "../../face.ts";
import type { Message } from "../../message.ts";
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

/** How the types of the stream's own events begin. */
const ownTypes = "sluice.";

/** The face `sse`: Server-Sent Events. What is said never looks like an event of the stream itself. */
export const sseFace: Face<SseFrame> = {
  name: "sse",
  message: (message) => ({ room: "", epoch: "", offset: 0, body: bodyFrom(message) }),
  publication: ({ room, epoch, offset, message }) => ({ room, epoch, offset, body: bodyFrom(message) }),
};

function bodyFrom({ data, type }: Message): Buffer {
  return Buffer.from(encodeEvent({ data, type: type.startsWith(ownTypes) ? "" : type }));
}
