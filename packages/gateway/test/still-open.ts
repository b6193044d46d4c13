import type { GatewayCounts } from "../src/index.ts";

/** What a gateway still has open, by name; nothing where all has ended. */
export function stillOpen({ shared, ...counts }: GatewayCounts): Record<string, number> {
  return Object.fromEntries(Object.entries({ ...counts, ...shared }).filter(([, count]) => count > 0));
}
