import { RateLimit } from "@sluice/hub";
import type { Clock } from "@sluice/websocket";
import { SocketIoError } from "../error.ts";

/** A connection whose events are counted. */
export interface EventSender {
  /** When as many events as at first may come at once again, in milliseconds of the clock; 0 at first. */
  _fullAt: number;
  /** Ends the connection. */
  _fail(error: SocketIoError): void;
}

/** How often a connection may send events. Over it, it is ended with `rate_exceeded`. */
export class EventRate {
  readonly #perSecond: number;
  readonly #limit: RateLimit;
  readonly #clock: Pick<Clock, "now">;

  /** So many events a second in the long run, and so many at once after a quiet time. */
  constructor(perSecond: number, burst: number, clock: Pick<Clock, "now">) {
    this.#perSecond = perSecond;
    this.#limit = new RateLimit(perSecond, burst);
    this.#clock = clock;
  }

  /** Counts an event. Answers whether it may be; else the sender has been ended. */
  takes(sender: EventSender): boolean {
    const fullAt = this.#limit.take(sender._fullAt, this.#clock.now());
    if (fullAt !== undefined) {
      sender._fullAt = fullAt;
      return true;
    }
    const message = `the client sent more than ${this.#perSecond} events a second (limits.eventsPerSecond)`;
    sender._fail(new SocketIoError("rate_exceeded", message));
    return false;
  }
}
