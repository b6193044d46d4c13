/**
 * How often something may happen: so many times a second in the long run, and some more at once after a silence. Who is
 * limited keeps one number, the moment from which on its bucket would be full again (GCRA, ITU-T I.371): no timer.
 */
export class RateLimit {
  readonly #interval: number;
  readonly #tolerance: number;

  constructor(perSecond: number, burst: number) {
    this.#interval = 1000 / perSecond;
    this.#tolerance = burst * this.#interval;
  }

  /**
   * Counts one more at a time of the clock, in milliseconds, for who has kept this moment; 0 at first. Answers the moment to keep
   * from now on, or `undefined` if it is too many, and not counted.
   */
  take(full: number, now: number): number | undefined {
    const next = Math.max(full, now) + this.#interval;
    return next - now > this.#tolerance ? undefined : next;
  }
}
