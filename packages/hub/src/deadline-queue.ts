import type { Clock, Timer } from "./clock.ts";

/** Timers of Node wait no longer; those of more would be due at once. */
const longestWaitMs = 2 ** 31 - 1;

/**
 * Calls many owners, each a fixed time after it was added, with one timer that runs only while somebody waits; for faces
 * with deadlines of their own. One that throws costs no other its call.
 */
export class DeadlineQueue<Owner> {
  readonly #milliseconds: number;
  readonly #clock: Pick<Clock, "now" | "after">;
  readonly #due: (owner: Owner) => void;
  /** When each is due, in the order in which they are. */
  readonly #waiting = new Map<Owner, number>();
  #timer: Timer | undefined;

  /**
   * `due` is called with each owner whose time has come; it waits no longer then, and may be added again. With Infinity
   * nobody's time comes.
   */
  constructor(milliseconds: number, clock: Pick<Clock, "now" | "after">, due: (owner: Owner) => void) {
    this.#milliseconds = milliseconds;
    this.#clock = clock;
    this.#due = due;
  }

  /** How many wait. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Who waits the longest. */
  get first(): Owner | undefined {
    for (const owner of this.#waiting.keys()) return owner;
    return undefined;
  }

  /** Whether an owner waits. */
  has(owner: Owner): boolean {
    return this.#waiting.has(owner);
  }

  /** Lets an owner wait, from now on. */
  add(owner: Owner): void {
    this.#waiting.delete(owner);
    this.#waiting.set(owner, this.#clock.now() + this.#milliseconds);
    if (this.#timer === undefined) this.#wait(this.#milliseconds);
  }

  /** Lets an owner wait no longer. */
  delete(owner: Owner): void {
    if (!this.#waiting.delete(owner) || this.#waiting.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #wait(milliseconds: number): void {
    this.#timer = this.#clock.after(Math.min(Math.max(milliseconds, 0), longestWaitMs), this.#tick);
  }

  readonly #tick = (): void => {
    const now = this.#clock.now();
    try {
      for (const [owner, at] of this.#waiting) {
        // Timers have whole milliseconds: what is due within one is due.
        if (at - now >= 1) break;
        this.#waiting.delete(owner);
        this.#due(owner);
      }
    } finally {
      // One who was called may have added others, with a timer that is too late for those before them.
      this.#timer?.cancel();
      this.#timer = undefined;
      const [next] = this.#waiting.values();
      if (next !== undefined) this.#wait(next - now);
    }
  };
}
