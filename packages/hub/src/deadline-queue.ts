import type { Clock, Timer } from "./clock.ts";

/** Timers of Node wait no longer; those of more would be due at once. */
const longestWaitMs = 2 ** 31 - 1;

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

  /** How many wait. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Who waits the longest. */
  get first(): Owner | undefined {
    for (const owner of this.#waiting.keys()) return owner;
    return undefined;
  }

  /** Lets an owner wait, from now on if it does not already. */
  add(owner: Owner): void {
    if (this.#milliseconds === Infinity || this.#waiting.has(owner)) return;
    this.#waiting.set(owner, this.#clock.now() + this.#milliseconds);
    this.#wait(this.#milliseconds);
  }

  /** Lets an owner wait no longer. */
  delete(owner: Owner): void {
    if (!this.#waiting.delete(owner) || this.#waiting.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #wait(milliseconds: number): void {
    this.#timer ??= this.#clock.after(Math.min(milliseconds, longestWaitMs), this.#tick);
  }

  readonly #tick = (): void => {
    const now = this.#clock.now();
    for (const [owner, at] of this.#waiting) {
      if (at > now) break;
      this.#waiting.delete(owner);
      this.#due(owner);
    }
    // One that was called may have added others, with a timer that is too late for those before them.
    this.#timer?.cancel();
    this.#timer = undefined;
    const [next] = this.#waiting.values();
    if (next !== undefined) this.#wait(next - now);
  };
}
