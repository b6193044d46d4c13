const unitsInMs: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1000,
  m: 1,
  u: 0.001,
  n: 0.000_001,
};

/**
 * Parses a `grpc-timeout` value (`10S`, `250m`) into milliseconds, rounded up so that a positive timeout never
 * becomes none; undefined if it is not one. Source: gRPC over HTTP/2, "Timeout".
 */
export function parseTimeout(text: string): number | undefined {
  const match = /^(\d{1,8})([HMSmun])$/.exec(text);
  const unit = unitsInMs[match?.[2] ?? ""];
  return match === null || unit === undefined ? undefined : Math.ceil(Number(match[1]) * unit);
}
