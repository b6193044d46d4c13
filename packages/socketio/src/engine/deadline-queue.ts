import type { Clock, Timer } from "@sluice/websocket";

/** Calls many owners, each a fixed time after it was added, with one timer that runs only while somebody waits. */
export class DeadlineQueue<Owner> {
  readonly #milliseconds: number;
  readonly #clock: Clock;
  readonly #due: (owner: Owner) => void;
  /** When each is due, in the order in which they are. */
  readonly #waiting = new Map<Owner, number>();
  #timer: Timer | undefined;

  /** `due` is called with each owner whose time has come; it waits no longer then. */
  constructor(milliseconds: number, clock: Clock, due: (owner: Owner) => void) {
    this.#milliseconds = milliseconds;
    this.#clock = clock;
    this.#due = due;
  }

  /** Whether an owner waits. */
  has(owner: Owner): boolean {
    return this.#waiting.has(owner);
  }

  /** Lets an owner wait, from now on. */
  add(owner: Owner): void {
    this.#waiting.delete(owner);
    this.#waiting.set(owner, this.#clock.now() + this.#milliseconds);
    this.#timer ??= this.#clock.after(this.#milliseconds, this.#tick);
  }

  /** Lets an owner wait no longer. */
  delete(owner: Owner): void {
    if (!this.#waiting.delete(owner) || this.#waiting.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
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
      const [next] = this.#waiting.values();
      this.#timer = next === undefined ? undefined : this.#clock.after(Math.max(next - now, 0), this.#tick);
    }
  };
}
