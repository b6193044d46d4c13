/**
 * Whether something happens too often: so many times a second in the long run, and some more at once after a silence.
 * One number, no timer: the moment from which on the bucket would be full again (GCRA, ITU-T I.371).
 */
export class RateLimit {
  readonly #interval: number;
  readonly #tolerance: number;
  #full = 0;

  constructor(perSecond: number, burst: number) {
    this.#interval = 1000 / perSecond;
    this.#tolerance = burst * this.#interval;
  }

  /** Counts one at a time of the clock, in milliseconds. Answers false, and does not count it, if it is too many. */
  take(now: number): boolean {
    const full = Math.max(this.#full, now) + this.#interval;
    if (full - now > this.#tolerance) return false;
    this.#full = full;
    return true;
  }
}
