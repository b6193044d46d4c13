/** A timer that a clock started. */
export interface Timer {
  /** Stops the timer; harmless when it has fired. */
  cancel(): void;
}

/** Where timers come from, because this package knows no platform. */
export interface Clock {
  /** Calls once, after some milliseconds. */
  after(milliseconds: number, call: () => void): Timer;
}
