import type { Results } from "./contest.ts";
import { median, ratios, spread, threeDigits } from "./statistics.ts";
import type { SubjectName } from "./subject.ts";
import { formatTable } from "./table.ts";

/** The most that a subject may cost, as a multiple of each named peer. */
export type Bars = Partial<Record<SubjectName, number>>;

/** One line of a comparison. */
export interface ComparedCase {
  readonly name: string;
  readonly results: Results;
  /** A further line below it, which is not compared: the part spent outside the kernel. */
  readonly user?: Results;
  readonly bars: Bars;
}

/**
 * Two tables of the same cases: what each subject costs, and that of `ours` as a multiple of each peer, beside the bar
 * where there is one.
 */
export function formatComparison(unit: string, ours: SubjectName, cases: readonly ComparedCase[]): string {
  const subjects = [...new Set(cases.flatMap(({ results }) => [...results.keys()]))];
  const peers = subjects.filter((name) => name !== ours);
  const costs = cases.flatMap(({ name, results, user }) => [
    [name, ...subjects.map((subject) => spread(results.get(subject) ?? []))],
    ...(user === undefined
      ? []
      : [
          [
            "  outside the kernel",
            ...subjects.map((subject) => threeDigits(median(user.get(subject) ?? []))),
          ],
        ]),
  ]);
  const compared = cases.map(({ name, results, bars }) => [
    name,
    ...peers.map((peer) => besideBar(ratios(results.get(ours) ?? [], results.get(peer) ?? []), bars[peer])),
  ]);
  return [
    formatTable([[unit, ...subjects], ...costs]),
    formatTable([[`${ours} ÷`, ...peers], ...compared]),
  ].join("\n\n");
}

function besideBar(values: readonly number[], bar: number | undefined): string {
  const ratio = median(values);
  if (bar === undefined || Number.isNaN(ratio)) return threeDigits(ratio);
  return `${threeDigits(ratio)} ${ratio <= bar ? "✓" : "✗"} ≤ ${bar}`;
}
