/** The calls of one socket that its client has abandoned lately: a bucket that runs out at a steady rate. */
export class AbandonedCalls {
  readonly #perSecond: number;
  #level = 0;
  /** When the level was that, in milliseconds. */
  #since = 0;

  /** `perSecond` is how much runs out in a second, and also how much the bucket holds. */
  constructor(perSecond: number) {
    this.#perSecond = perSecond;
  }

  /** One more was abandoned at a moment in milliseconds. */
  add(now: number): void {
    this.#runOut(now);
    this.#level++;
  }

  /** Whether there were too many. */
  isOver(now: number): boolean {
    this.#runOut(now);
    return this.#level > this.#perSecond;
  }

  #runOut(now: number): void {
    this.#level = Math.max(0, this.#level - ((now - this.#since) / 1000) * this.#perSecond);
    this.#since = now;
  }
}
