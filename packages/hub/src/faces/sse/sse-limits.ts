import { checkPositive } from "../check-limits.ts";

/** The bounds of event streams, beside those of the hub. What is not given has the default of `defaultSseLimits`. */
export interface SseLimits {
  /** Milliseconds for the body of a POST. Default 10,000. Over it: 408. */
  readonly bodyMs: number;
  /** POSTs of one session that are not answered yet. Default 16. Over it: 429. */
  readonly pendingPosts: number;
  /** Milliseconds for a client to read the rest of a stream that is over. Default 10,000. Over it: the connection is cut. */
  readonly closingMs: number;
}

/** The limits that hold where none are given. */
export const defaultSseLimits: SseLimits = Object.freeze({
  bodyMs: 10_000,
  pendingPosts: 16,
  closingMs: 10_000,
});

/** The given limits with the defaults for the rest. Throws a RangeError that names the limit which cannot be meant. */
export function resolveSseLimits(limits: Partial<SseLimits> = {}): SseLimits {
  return checkPositive({ ...defaultSseLimits, ...limits });
}
