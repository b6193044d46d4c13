import type { Clock, Timer } from "@sluice/websocket";

/** The time is compared at least once an hour: a machine's clock may be set, and timers wait 24 days at most. */
const LONGEST_WAIT_MS = 3_600_000;

/** Tells once when what a client has proven of itself is over. */
export class SocketExpiry {
  /** From when on it is over, in milliseconds since 1970. */
  readonly at: number;
  readonly #clock: Pick<Clock, "after">;
  readonly #expired: () => void;
  #timer: Timer;

  /** `expired` is never called from within. Throws a RangeError for NaN, which would be never. */
  constructor(at: number, clock: Pick<Clock, "after">, expired: () => void) {
    if (Number.isNaN(at)) throw new RangeError("expiresAt is NaN: it must be milliseconds since 1970");
    this.at = at;
    this.#clock = clock;
    this.#expired = expired;
    this.#timer = this.#wait();
  }

  /** Tells no more. */
  cancel(): void {
    this.#timer.cancel();
  }

  #wait(): Timer {
    const left = Math.max(this.at - Date.now(), 0);
    if (left <= LONGEST_WAIT_MS) return this.#clock.after(left, this.#expired);
    return this.#clock.after(LONGEST_WAIT_MS, () => {
      this.#timer = this.#wait();
    });
  }
}
