import { Duplex, type DuplexOptions } from "node:stream";
import type { Closed, WebSocketConnection, WebSocketHandlers } from "./connection.ts";
import { WebSocketError } from "./error.ts";

/**
 * A connection as a Node stream of bytes, for what wants one: `pipe`, `pipeline`, another protocol. Give its
 * `handlers` to the connection. What is written goes out as binary messages, one for each write; what comes in, text
 * or binary, is read without its boundaries. Back-pressure works both ways. `end()` closes with 1000; a connection
 * that ends without both sides' close frames destroys the stream with the error.
 */
export class WebSocketDuplex extends Duplex {
  /** The handlers of the one connection that this is the stream of. */
  readonly handlers: WebSocketHandlers = {
    open: (connection) => this.#open(connection),
    message: (connection, data) => {
      if (!this.push(data)) connection.pause();
    },
    drain: () => this.#drained(),
    close: (_connection, closed) => this.#closed(closed),
  };
  #connection: WebSocketConnection | undefined;
  /** What waits for the connection to open, to drain or to close. */
  #waiting: ((error?: Error) => void) | undefined;

  constructor(options: Pick<DuplexOptions, "readableHighWaterMark" | "writableHighWaterMark"> = {}) {
    super({ ...options, allowHalfOpen: true });
  }

  override _construct(callback: (error?: Error | null) => void): void {
    if (this.#connection === undefined) this.#waiting = callback;
    else callback();
  }

  override _read(): void {
    this.#connection?.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    const connection = this.#connection!;
    if (connection.send(chunk)) callback();
    else if (connection.state === "open") this.#waiting = callback;
    else callback(notOpen());
  }

  override _final(callback: (error?: Error | null) => void): void {
    const connection = this.#connection!;
    if (connection.state === "closed") {
      callback();
      return;
    }
    this.#waiting = callback;
    connection.close();
    // A pause would hold up the peer's answer.
    connection.resume();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#connection?.terminate();
    callback(error);
  }

  #open(connection: WebSocketConnection): void {
    if (this.#connection !== undefined) throw new Error("a stream is for one connection: make one for each");
    this.#connection = connection;
    this.#settle();
  }

  #drained(): void {
    this.#settle();
  }

  #closed({ clean, cause }: Closed): void {
    if (clean) {
      this.push(null);
      this.#settle();
    } else {
      this.destroy(cause ?? notOpen());
    }
  }

  #settle(error?: Error): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.(error);
  }
}

function notOpen(): WebSocketError {
  return new WebSocketError("connection_lost", "the connection is not open any more");
}
