import type { WebSocketError } from "./error.ts";

/** Bytes that wait in a stream from which on nothing more is read from the socket. */
const FULL_BYTES = 64 * 1024;

/**
 * One incoming message, of whatever size, as it comes. Iterating gives its bytes in pieces of any length: a text's
 * pieces are checked UTF-8 but may be cut inside a character. What is not iterated holds up the connection, control
 * frames behind it too; to skip a message, leave the loop or call `cancel()`.
 */
export interface MessageStream extends AsyncIterable<Buffer> {
  /** Whether it is a binary message, not a text. */
  readonly isBinary: boolean;
  /** Drops the rest of the message. */
  cancel(): void;
}

/** A message stream with the side on which the engine fills it. */
export class MessagePipe implements MessageStream {
  readonly isBinary: boolean;
  #pieces: Buffer[] = [];
  #bytes = 0;
  #state: "open" | "ended" | "cancelled" | WebSocketError = "open";
  /** The iterator that waits for a piece. */
  #reader: (() => void) | undefined;
  /** The engine that waits for room. */
  #writer: (() => void) | undefined;

  constructor(isBinary: boolean) {
    this.isBinary = isBinary;
  }

  /** Adds a piece; false when there is enough for now. */
  push(piece: Buffer): boolean {
    if (this.#state === "cancelled") return true;
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    this.#wakeReader();
    return this.#bytes < FULL_BYTES;
  }

  /** Ends the message; false when some of it has not been read. */
  end(): boolean {
    if (this.#state === "open") this.#state = "ended";
    this.#wakeReader();
    return this.#pieces.length === 0;
  }

  /** Ends the stream because the connection has. */
  fail(error: WebSocketError): void {
    if (this.#state !== "open") return;
    this.#state = error;
    this.#wakeReader();
  }

  /** Calls once everything has been read, or is not wanted. */
  whenEmpty(call: () => void): void {
    this.#writer = call;
  }

  cancel(): void {
    if (this.#state === "open") this.#state = "cancelled";
    this.#pieces = [];
    this.#bytes = 0;
    this.#wakeReader();
    this.#wakeWriter();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, void> {
    try {
      for (;;) {
        const piece = this.#pieces.shift();
        if (piece !== undefined) {
          this.#bytes -= piece.length;
          yield piece;
        } else if (this.#state === "open") {
          this.#wakeWriter();
          await this.#somethingHappens();
        } else {
          if (typeof this.#state !== "string") throw this.#state;
          return;
        }
      }
    } finally {
      this.cancel();
    }
  }

  #somethingHappens(): Promise<void> {
    // Waking the engine may have brought something at once.
    if (this.#pieces.length > 0 || this.#state !== "open") return Promise.resolve();
    return new Promise((resolve) => {
      this.#reader = resolve;
    });
  }

  #wakeReader(): void {
    const reader = this.#reader;
    this.#reader = undefined;
    reader?.();
  }

  #wakeWriter(): void {
    const writer = this.#writer;
    this.#writer = undefined;
    writer?.();
  }
}
