import type { Clock } from "@sluice/protocol";

/** Where the time of tokens comes from, which is the calendar's. A test gives its own. */
export interface WallClock extends Clock {
  /** Milliseconds since 1970; jumps where the machine's clock is set. */
  now(): number;
}

/** The clock of this machine. Its timers keep no process alive, and wait 24 days at most. */
export const wallClock: WallClock = {
  now: () => Date.now(),
  after(milliseconds, call) {
    const timer = setTimeout(call, milliseconds).unref();
    return { cancel: () => clearTimeout(timer) };
  },
};
