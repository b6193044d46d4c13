import type { Clock } from "@sluice/protocol";

/** Where time comes from. A test gives its own. */
export interface ClientClock extends Clock {
  /** Milliseconds since a fixed moment; never goes back. */
  now(): number;
}

/** The clock of the platform. */
export const platformClock: ClientClock = {
  now: () => performance.now(),
  after: (milliseconds, call) => {
    const timer = setTimeout(call, milliseconds);
    return { cancel: () => clearTimeout(timer) };
  },
};

/** The longest that a timer can wait, 24 days; beyond it `setTimeout` fires at once. */
export const MAX_TIMER_MS = 0x7fff_ffff;
