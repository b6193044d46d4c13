import type { Clock, Timer } from "@sluice/hub";

interface Appointment {
  at: number;
  readonly call: () => void;
}

/** Time that passes when a test says so; the clock of every package. */
export class FakeClock implements Clock {
  readonly #timers = new Set<Appointment>();
  #now: number;
  #started = 0;

  /** `now` is the time at which it stands, in milliseconds. */
  constructor(now = 0) {
    this.#now = now;
  }

  /** How many timers wait. */
  get size(): number {
    return this.#timers.size;
  }

  /** The delays until the timers that wait, in order. */
  get pending(): number[] {
    return [...this.#timers].map(({ at }) => at - this.#now).toSorted((one, other) => one - other);
  }

  /** How many timers were started so far. */
  get started(): number {
    return this.#started;
  }

  now(): number {
    return this.#now;
  }

  date(): number {
    return 1_800_000_000_000 + this.#now;
  }

  after(milliseconds: number, call: () => void): Timer {
    const timer = { at: this.#now + milliseconds, call };
    this.#timers.add(timer);
    this.#started++;
    return { cancel: () => void this.#timers.delete(timer) };
  }

  /** Lets time pass, and calls every timer at its moment. */
  advance(milliseconds: number): void {
    const until = this.#now + milliseconds;
    while (this.#callNext(until));
    this.#now = until;
  }

  /** The same, with all that each timer causes before the next one is called. */
  async advanceSettled(milliseconds: number): Promise<void> {
    const until = this.#now + milliseconds;
    while (this.#callNext(until)) await settled();
    this.#now = until;
  }

  /** Lets time pass as in a process that was held up: every timer that was due is called once, at the end. */
  jump(milliseconds: number): void {
    this.#now += milliseconds;
    for (const timer of this.#until(this.#now)) this.#call(timer);
  }

  /** Sets what time it is, as who sets a calendar does: timers wait as long as before. */
  set(now: number): void {
    const by = now - this.#now;
    this.#now = now;
    for (const timer of this.#timers) timer.at += by;
  }

  #callNext(until: number): boolean {
    const [next] = this.#until(until).toSorted((one, other) => one.at - other.at);
    if (next === undefined) return false;
    this.#now = Math.max(this.#now, next.at);
    this.#call(next);
    return true;
  }

  #until(time: number): Appointment[] {
    return [...this.#timers].filter(({ at }) => at <= time);
  }

  #call(timer: Appointment): void {
    if (this.#timers.delete(timer)) timer.call();
  }
}

/** Resolves when everything has happened that needs no time. */
export function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
