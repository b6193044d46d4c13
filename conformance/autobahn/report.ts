import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** What the suite found in one case. */
export interface CaseResult {
  /** For instance `12.1.7`. */
  readonly id: string;
  /** The verdict on the messages: OK, INFORMATIONAL, NON-STRICT, UNIMPLEMENTED or FAILED. */
  readonly behavior: string;
  /** The verdict on the closing handshake: OK, INFORMATIONAL, UNCLEAN, WRONG CODE, FAILED BY CLIENT or FAILED. */
  readonly behaviorClose: string;
}

interface IndexEntry {
  readonly behavior: string;
  readonly behaviorClose: string;
}

/**
 * Reads the results of `agent` from a folder that the suite reported into, in the order of the cases. None when it has
 * not reported, because the peer has ended early.
 */
export async function readResults(folder: string, agent: string): Promise<CaseResult[]> {
  const text = await readFile(join(folder, "index.json"), "utf8").catch(() => "{}");
  const index = JSON.parse(text) as Record<string, Record<string, IndexEntry>>;
  return Object.entries(index[agent] ?? {})
    .map(([id, { behavior, behaviorClose }]) => ({ id, behavior, behaviorClose }))
    .toSorted((a, b) => compareIds(a.id, b.id));
}

/** True where the suite has nothing to say against the case. INFORMATIONAL is its word for "either is allowed". */
export function passes({ behavior, behaviorClose }: CaseResult): boolean {
  return [behavior, behaviorClose].every((verdict) => verdict === "OK" || verdict === "INFORMATIONAL");
}

/** How many cases got which verdict, as `506 OK, 3 INFORMATIONAL`. */
export function tally(results: readonly CaseResult[]): string {
  const counts = new Map<string, number>();
  for (const result of results) {
    const verdict = verdictOf(result);
    counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
  }
  return [...counts].map(([verdict, count]) => `${count} ${verdict}`).join(", ");
}

/** One word for the case: the verdict on the messages, unless only the close is at fault. */
export function verdictOf({ behavior, behaviorClose }: CaseResult): string {
  const messages = passes({ id: "", behavior, behaviorClose: "OK" });
  const close = passes({ id: "", behavior: "OK", behaviorClose });
  return messages && !close ? `${behaviorClose} (close)` : behavior;
}

function compareIds(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true });
}
