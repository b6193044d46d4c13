import type { Clock, Timer } from "../../src/index.ts";

/** Time that passes when a test says so. */
export class FakeClock implements Clock {
  readonly #timers = new Set<{ readonly at: number; readonly call: () => void }>();
  #now = 1000;

  /** Timers that wait. */
  get size(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#now;
  }

  date(): number {
    return 1_700_000_000_000 + this.#now;
  }

  after(milliseconds: number, call: () => void): Timer {
    const timer = { at: this.#now + milliseconds, call };
    this.#timers.add(timer);
    return { cancel: () => this.#timers.delete(timer) };
  }

  /** Lets time pass, timer by timer. */
  advance(milliseconds: number): void {
    const until = this.#now + milliseconds;
    for (;;) {
      const [next] = [...this.#timers].filter(({ at }) => at <= until).toSorted((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#now = next.at;
      next.call();
    }
    this.#now = until;
  }
}
