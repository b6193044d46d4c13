/** A timer that a clock started. */
export interface Timer {
  /** Stops the timer; harmless when it has fired. */
  cancel(): void;
}

/** Where time comes from. A test gives its own. */
export interface Clock {
  /** Milliseconds since a fixed moment; never goes back. */
  now(): number;
  /** Milliseconds since 1970; what people are shown. */
  date(): number;
  /** Calls once, after some milliseconds. */
  after(milliseconds: number, call: () => void): Timer;
}

/** The clock of this process. Its timers do not keep the process alive. */
export const systemClock: Clock = {
  now: () => performance.now(),
  date: () => Date.now(),
  after: (milliseconds, call) => {
    const timer = setTimeout(call, milliseconds);
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
};
