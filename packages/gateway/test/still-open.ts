import type { GatewayCounts } from "../src/index.ts";

/** What a gateway still has open, by name; nothing where all has ended. */
export function stillOpen({ shared, sessions, ...counts }: GatewayCounts): Record<string, number> {
  const all = { ...counts, ...shared, sessions: sessions?.open ?? 0 };
  return Object.fromEntries(Object.entries(all).filter(([, count]) => count > 0));
}
