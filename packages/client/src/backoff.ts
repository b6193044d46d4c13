/** How long to wait between attempts to connect. */
export interface BackoffOptions {
  /** Milliseconds that the first wait lasts at most. Default 500. */
  readonly initialMs?: number;
  /** By what that grows with each failure in a row. Default 2. */
  readonly factor?: number;
  /** Milliseconds that a wait lasts at most, ever. Default 30,000. */
  readonly maxMs?: number;
}

/** The waits that hold where none are given. */
export const defaultBackoff: Required<BackoffOptions> = Object.freeze({
  initialMs: 500,
  factor: 2,
  maxMs: 30_000,
});

/**
 * Milliseconds to wait before the next attempt, after `failures` in a row (0 where a connection was open and was lost):
 * anything from 0 to the longest wait ("full jitter"), so that the clients of a server that comes back do not come
 * back all at once. `random` answers a number from 0 (inclusive) to 1 (exclusive).
 */
export function backoffDelay(
  failures: number,
  random: () => number,
  { initialMs, factor, maxMs }: Required<BackoffOptions>,
): number {
  return random() * Math.min(maxMs, initialMs * factor ** Math.max(0, failures - 1));
}
