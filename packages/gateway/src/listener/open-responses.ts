import { constants, Http2ServerResponse } from "node:http2";
import type { HttpResponse } from "@sluice/rpc";

interface OpenResponse {
  /** How many bytes waited for the client when that was last looked at. */
  waiting: number;
  /** Since when it has been that many, in milliseconds of the clock of `endStalled`. */
  since: number;
}

/** The responses that have not been read to their end. */
export class OpenResponses {
  readonly #responses = new Map<HttpResponse, OpenResponse>();

  get size(): number {
    return this.#responses.size;
  }

  add(response: HttpResponse): void {
    this.#responses.set(response, { waiting: 0, since: 0 });
    response.once("close", () => this.#responses.delete(response));
  }

  /** Ends those of which the client has read nothing for `stallMs` milliseconds, although something waits for it. */
  endStalled(now: number, stallMs: number): void {
    for (const [response, open] of this.#responses) {
      const waiting = response.writableLength;
      if (waiting === 0 || waiting !== open.waiting) {
        open.waiting = waiting;
        open.since = now;
      } else if (now - open.since >= stallMs) {
        end(response);
      }
    }
  }
}

function end(response: HttpResponse): void {
  if (!(response instanceof Http2ServerResponse)) {
    response.destroy();
  } else if (!response.stream.closed) {
    response.stream.close(constants.NGHTTP2_CANCEL);
  } else {
    // It does not even read that: all of its connection stands still.
    response.stream.session?.destroy();
  }
}
