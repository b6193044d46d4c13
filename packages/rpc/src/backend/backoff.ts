/**
 * How long to wait between attempts to connect.
 * Source: https://github.com/grpc/grpc/blob/master/doc/connection-backoff.md
 */
export interface BackoffOptions {
  /** Milliseconds before the second attempt. Default: 100, so that a backend that is just starting is found soon. */
  readonly initialMs?: number;
  /** By what the wait grows after each failure. Default: 1.6. */
  readonly factor?: number;
  /** The longest wait in milliseconds, before jitter. Default: 5 000. */
  readonly maxMs?: number;
  /** The part of the wait that is random, in both directions, from 0 to 1. Default: 0.2. */
  readonly jitter?: number;
}

/**
 * Milliseconds to wait after `failures` failed attempts in a row (1 or more). `random` answers a number from 0
 * (inclusive) to 1 (exclusive), as `Math.random` does.
 */
export function backoffDelay(failures: number, random: () => number, options: BackoffOptions = {}): number {
  const { initialMs = 100, factor = 1.6, maxMs = 5_000, jitter = 0.2 } = options;
  const wait = Math.min(maxMs, initialMs * factor ** (failures - 1));
  return wait * (1 + jitter * (2 * random() - 1));
}
