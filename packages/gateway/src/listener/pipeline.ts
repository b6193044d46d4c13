import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** The requests that clients of HTTP/1.1 send before they have the answer to the one before (RFC 9112, section 9.3.2). */
export class Pipeline {
  readonly #max: number;
  readonly #waiting = new WeakMap<Socket, number>();

  /** `max` is how many of one connection may wait; with more it is closed. */
  constructor(max: number) {
    this.#max = max;
  }

  /**
   * Calls `serve` when the answers before have left. Node would have all of them served at once, without a bound, and not
   * tell those behind the first when the client has gone.
   */
  inTurn(request: IncomingMessage, response: ServerResponse, serve: () => void): void {
    if (response.socket !== null) {
      serve();
      return;
    }
    const { socket } = request;
    const waiting = (this.#waiting.get(socket) ?? 0) + 1;
    this.#waiting.set(socket, waiting);
    if (waiting > this.#max) {
      socket.destroy();
      return;
    }
    response.once("socket", () => {
      this.#waiting.set(socket, (this.#waiting.get(socket) ?? 1) - 1);
      serve();
    });
  }
}
