const largestValue = 99_999_999;

/** Units from fine to coarse, with their length in milliseconds. */
const units: readonly (readonly [unit: string, ms: number])[] = [
  ["m", 1],
  ["S", 1_000],
  ["M", 60_000],
  ["H", 3_600_000],
];

/**
 * The value of `grpc-timeout` for a time in milliseconds above 0: at most eight digits and the finest unit that
 * they suffice for. It is rounded up, because the deadline is kept on this side too and must not be shortened.
 * Source: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md, Timeout
 */
export function encodeTimeout(ms: number): string {
  for (const [unit, unitMs] of units) {
    const value = Math.ceil(ms / unitMs);
    if (value <= largestValue) return `${value}${unit}`;
  }
  return `${largestValue}H`;
}
