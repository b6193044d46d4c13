import type { Clock, Timer } from "@sluice/websocket";

interface Appointment {
  readonly at: number;
  readonly call: () => void;
}

/** A clock that stands still until a test moves it. */
export class FakeClock implements Clock {
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
      const [next] = this.#appointments
        .filter((each) => each.at <= end)
        .toSorted((one, other) => one.at - other.at);
      if (next === undefined) break;
      this.#now = Math.max(this.#now, next.at);
      this.#appointments = this.#appointments.filter((each) => each !== next);
      next.call();
    }
    this.#now = end;
  }
}
