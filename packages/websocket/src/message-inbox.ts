import type { Closed, WebSocketConnection, WebSocketHandlers } from "./connection.ts";
import { WebSocketError } from "./error.ts";

/** A whole message. */
export interface Message {
  /** The bytes; of a text, its UTF-8. */
  readonly data: Buffer;
  readonly isBinary: boolean;
}

/** From so many bytes of messages that wait, nothing more is read from the socket. */
const FULL_BYTES = 64 * 1024;

/**
 * Handlers that turn the messages of one connection into an async iterable: give it as `handlers`, then loop over it.
 * No message is lost before the loop begins, and a loop that is slow holds up the peer.
 *
 * The loop ends when the connection does, and throws a `WebSocketError` when it did not end with both sides' close
 * frames. Leaving the loop leaves the connection as it is; another loop goes on behind.
 */
export class MessageInbox implements WebSocketHandlers, AsyncIterable<Message> {
  #connection: WebSocketConnection | undefined;
  #messages: Message[] = [];
  #bytes = 0;
  #closed: Closed | undefined;
  #wake: (() => void) | undefined;

  /** How the connection ended; undefined while it has not. */
  get closed(): Closed | undefined {
    return this.#closed;
  }

  open(connection: WebSocketConnection): void {
    if (this.#connection !== undefined) throw new Error("an inbox is for one connection: make one for each");
    this.#connection = connection;
  }

  message(connection: WebSocketConnection, data: Buffer, isBinary: boolean): void {
    this.#messages.push({ data, isBinary });
    this.#bytes += data.length;
    if (this.#bytes >= FULL_BYTES) connection.pause();
    this.#wake?.();
  }

  close(_connection: WebSocketConnection, closed: Closed): void {
    this.#closed = closed;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Message, void, void> {
    for (;;) {
      const message = this.#messages.shift();
      if (message !== undefined) {
        this.#bytes -= message.data.length;
        if (this.#bytes < FULL_BYTES && this.#connection?.isPaused === true) this.#connection.resume();
        yield message;
      } else if (this.#closed !== undefined) {
        if (!this.#closed.clean) throw errorOf(this.#closed);
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#wake = undefined;
      }
    }
  }
}

function errorOf({ cause }: Closed): WebSocketError {
  return cause ?? new WebSocketError("connection_lost", "the connection was terminated");
}
