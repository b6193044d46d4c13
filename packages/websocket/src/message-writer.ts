import { FIN, Opcode } from "./opcode.ts";

/**
 * One outgoing message that is written in pieces, each of them a frame (RFC 6455 section 5.4). Until it has ended, no
 * other message can be sent on the connection; pings and pongs can.
 */
export interface MessageWriter {
  /** Sends the next piece; a string as UTF-8. Answers as `send()` does. */
  write(data: string | Uint8Array): boolean;
  /** Sends the last piece, or none, and ends the message. Answers as `send()` does. */
  end(data?: string | Uint8Array): boolean;
}

/** Turns the pieces of one message into fragments. */
export class FragmentWriter implements MessageWriter {
  readonly #send: (first: number, data: string | Uint8Array) => boolean;
  /** The opcode of the next frame; undefined after the last. */
  #opcode: number | undefined;

  /** `send` sends a frame, given its first byte. */
  constructor(isBinary: boolean, send: (first: number, data: string | Uint8Array) => boolean) {
    this.#opcode = isBinary ? Opcode.BINARY : Opcode.TEXT;
    this.#send = send;
  }

  /** Whether the message is complete. */
  get ended(): boolean {
    return this.#opcode === undefined;
  }

  write(data: string | Uint8Array): boolean {
    const first = this.#next();
    this.#opcode = Opcode.CONTINUATION;
    return this.#send(first, data);
  }

  end(data: string | Uint8Array = ""): boolean {
    const first = this.#next();
    this.#opcode = undefined;
    return this.#send(FIN | first, data);
  }

  #next(): number {
    if (this.#opcode === undefined) throw new Error("this message has ended: nothing can be written to it");
    return this.#opcode;
  }
}
