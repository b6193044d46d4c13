import type { Face } from "./face.ts";
import type { Message } from "./message.ts";

/** Bytes that a delivery counts for beside its text: the objects that hold it. */
const OVERHEAD = 64;

/** What a session is given: a message of its own, or a publication of a room. Made into a frame once for each face. */
export abstract class Delivery {
  /** The room that it comes from; empty for a message to the session itself. */
  abstract readonly room: string;
  /** What is said. */
  abstract readonly message: Message;
  #face: Face | undefined;
  #frame: unknown;
  #others: Map<Face, unknown> | undefined;

  /** What it counts for in an outbox, in bytes: its content, and a little for keeping it. */
  get bytes(): number {
    return this.message.contentBytes + this.room.length + OVERHEAD;
  }

  /** The frame that carries it on a face; the same object each time. */
  frameFor(face: Face): unknown {
    return this.#face === face ? this.#frame : this.#frameForAnother(face);
  }

  /** Makes the frame. */
  protected abstract encode(face: Face): unknown;

  #frameForAnother(face: Face): unknown {
    if (this.#face === undefined) {
      this.#frame = this.encode(face);
      this.#face = face;
      return this.#frame;
    }
    this.#others ??= new Map();
    let frame = this.#others.get(face);
    if (frame === undefined) {
      frame = this.encode(face);
      this.#others.set(face, frame);
    }
    return frame;
  }
}
