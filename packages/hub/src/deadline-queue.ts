import type { Clock, Timer } from "./clock.ts";

/** Timers of Node wait no longer; those of more would be due at once. */
const longestWaitMs = 2 ** 31 - 1;

/** An owner who waits, between those who are due before and after. */
interface Waiting<Owner> {
  readonly owner: Owner;
  at: number;
  previous: Waiting<Owner> | undefined;
  next: Waiting<Owner> | undefined;
}

/**
 * Calls many owners, each a fixed time after it was added, with one timer that runs only while somebody waits; for faces
 * with deadlines of their own. One that throws costs no other its call.
 */
export class DeadlineQueue<Owner> {
  readonly #milliseconds: number;
  readonly #clock: Pick<Clock, "now" | "after">;
  readonly #due: (owner: Owner) => void;
  readonly #waiting = new Map<Owner, Waiting<Owner>>();
  /** In the order in which they are due. A Map has one too, but takes long to find its first behind all that were deleted. */
  #first: Waiting<Owner> | undefined;
  #last: Waiting<Owner> | undefined;
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
    return this.#first?.owner;
  }

  /** Whether an owner waits. */
  has(owner: Owner): boolean {
    return this.#waiting.has(owner);
  }

  /** Lets an owner wait, from now on. */
  add(owner: Owner): void {
    let waiting = this.#waiting.get(owner);
    const at = this.#clock.now() + this.#milliseconds;
    if (waiting === undefined) {
      waiting = { owner, at, previous: undefined, next: undefined };
      this.#waiting.set(owner, waiting);
    } else {
      waiting.at = at;
      this.#unlink(waiting);
    }
    this.#append(waiting);
    if (this.#timer === undefined) this.#wait(this.#milliseconds);
  }

  /** Lets an owner wait no longer. */
  delete(owner: Owner): void {
    const waiting = this.#waiting.get(owner);
    if (waiting === undefined) return;
    this.#remove(waiting);
    if (this.#first !== undefined) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #append(waiting: Waiting<Owner>): void {
    waiting.previous = this.#last;
    waiting.next = undefined;
    if (this.#last === undefined) this.#first = waiting;
    else this.#last.next = waiting;
    this.#last = waiting;
  }

  #unlink({ previous, next }: Waiting<Owner>): void {
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
  }

  #remove(waiting: Waiting<Owner>): void {
    this.#waiting.delete(waiting.owner);
    this.#unlink(waiting);
  }

  #wait(milliseconds: number): void {
    this.#timer = this.#clock.after(Math.min(Math.max(milliseconds, 0), longestWaitMs), this.#tick);
  }

  readonly #tick = (): void => {
    const now = this.#clock.now();
    try {
      // Timers have whole milliseconds: what is due within one is due.
      for (let first = this.#first; first !== undefined && first.at - now < 1; first = this.#first) {
        this.#remove(first);
        this.#due(first.owner);
      }
    } finally {
      // One who was called may have added others, with a timer that is too late for those before them.
      this.#timer?.cancel();
      this.#timer = undefined;
      if (this.#first !== undefined) this.#wait(this.#first.at - now);
    }
  };
}
