import type { Clock, Timer } from "../clock.ts";

/** The time is compared at least once an hour: a machine's clock may be set, and timers wait 24 days at most. */
const longestWaitMs = 3_600_000;

/** Tells when what a client has proven of itself is over; for faces and others outside the hub too. */
export class Expiry {
  readonly #clock: Clock;
  readonly #expired: () => void;
  #timer: Timer | undefined;

  /** `expired` is never called from within `set`. */
  constructor(clock: Clock, expired: () => void) {
    this.#clock = clock;
    this.#expired = expired;
  }

  /** From when on, in milliseconds since 1970, in the place of what was said before; undefined for never. */
  set(at: number | undefined): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (at === undefined) return;
    const left = Math.max(at - this.#clock.date(), 0);
    this.#timer = this.#clock.after(Math.min(left, longestWaitMs), () => {
      if (this.#clock.date() < at) this.set(at);
      else this.#expired();
    });
  }
}
