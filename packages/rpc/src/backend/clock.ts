/** A timer that a clock started. */
export interface Timer {
  /** Stops the timer; harmless when it has fired. */
  cancel(): void;
}

/** Where a backend's time comes from. A test gives its own. */
export interface Clock {
  /** Milliseconds since a fixed moment; never goes back. */
  now(): number;
  /** Calls once, after some milliseconds. */
  after(milliseconds: number, call: () => void): Timer;
}

/** The longest delay of one timer in Node; anything above fires at once. */
const longestTimerMs = 0x7fff_ffff;

/** The clock of this process. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(milliseconds, call) {
    let left = milliseconds;
    const wait = (): NodeJS.Timeout => {
      const ms = Math.min(left, longestTimerMs);
      left -= ms;
      return setTimeout(fire, ms);
    };
    const fire = (): void => {
      if (left <= 0) call();
      else timer = wait();
    };
    let timer = wait();
    return { cancel: () => clearTimeout(timer) };
  },
};
