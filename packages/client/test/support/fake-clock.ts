import type { Timer } from "@sluice/protocol";
import type { ClientClock } from "../../src/index.ts";

/** Time that passes when a test says so. */
export class FakeClock implements ClientClock {
  readonly #timers = new Set<{ readonly at: number; readonly call: () => void }>();
  #now = 0;

  /** Timers that wait. */
  get size(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#now;
  }

  after(milliseconds: number, call: () => void): Timer {
    const timer = { at: this.#now + milliseconds, call };
    this.#timers.add(timer);
    return { cancel: () => this.#timers.delete(timer) };
  }

  /** Lets time pass, timer by timer, and what each of them causes happen before the next. */
  async advance(milliseconds: number): Promise<void> {
    const until = this.#now + milliseconds;
    for (;;) {
      const [next] = [...this.#timers].filter(({ at }) => at <= until).toSorted((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#now = next.at;
      next.call();
      await settle();
    }
    this.#now = until;
  }
}

/** Resolves when everything has happened that needs no time. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
