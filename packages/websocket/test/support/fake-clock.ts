import type { Clock, Timer } from "../../src/index.ts";

interface Appointment {
  readonly at: number;
  readonly call: () => void;
}

/** A clock that stands still until a test moves it. */
export class FakeClock implements Clock {
  /** How many timers were started so far. */
  started = 0;
  #now = 0;
  #appointments: Appointment[] = [];

  /** How many timers run. */
  get running(): number {
    return this.#appointments.length;
  }

  now(): number {
    return this.#now;
  }

  after(milliseconds: number, call: () => void): Timer {
    this.started++;
    const appointment = { at: this.#now + milliseconds, call };
    this.#appointments.push(appointment);
    return {
      cancel: () => {
        this.#appointments = this.#appointments.filter((each) => each !== appointment);
      },
    };
  }

  /** Lets time pass, and calls every timer at its moment. */
  advance(milliseconds: number): void {
    const end = this.#now + milliseconds;
    for (;;) {
      const next = this.#appointments
        .filter((each) => each.at <= end)
        .toSorted((one, other) => one.at - other.at)[0];
      if (next === undefined) break;
      this.#now = Math.max(this.#now, next.at);
      this.#call(next);
    }
    this.#now = end;
  }

  /** Lets time pass as in a process that was held up: every timer that was due is called once, at the end. */
  jump(milliseconds: number): void {
    this.#now += milliseconds;
    for (const each of this.#appointments.filter(({ at }) => at <= this.#now)) this.#call(each);
  }

  #call(appointment: Appointment): void {
    this.#appointments = this.#appointments.filter((each) => each !== appointment);
    appointment.call();
  }
}
