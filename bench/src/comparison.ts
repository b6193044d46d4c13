import type { Results } from "./contest.ts";
import { median, ratios, spread, threeDigits } from "./statistics.ts";
import { formatTable } from "./table.ts";

/** The most that a subject may cost, as a multiple of each named peer. */
export type Bars<Name extends string> = Partial<Record<Name, number>>;

/** One line of a comparison. */
export interface ComparedCase<Name extends string> {
  readonly name: string;
  readonly total: Results<Name>;
  /** A further line below it, which is not compared: the part spent outside the kernel. */
  readonly user?: Results<Name>;
  readonly bars: Bars<Name>;
}

/**
 * Two tables of the same cases: what each subject costs, and that of each of `ours` as a multiple of each peer; for
 * the last of them beside the bar, where there is one.
 */
export function formatComparison<Name extends string>(
  unit: string,
  ours: readonly Name[],
  cases: readonly ComparedCase<Name>[],
): string {
  const subjects = [...new Set(cases.flatMap(({ total }) => [...total.keys()]))];
  const peers = subjects.filter((name) => !ours.includes(name));
  const costs = cases.flatMap(({ name, total, user }) => [
    [name, ...subjects.map((subject) => spread(total.get(subject) ?? []))],
    ...(user === undefined
      ? []
      : [
          [
            "  outside the kernel",
            ...subjects.map((subject) => threeDigits(median(user.get(subject) ?? []))),
          ],
        ]),
  ]);
  const compared = cases.flatMap(({ name, total, bars }) =>
    ours.map((own) => [
      name,
      own,
      ...peers.map((peer) =>
        besideBar(
          ratios(total.get(own) ?? [], total.get(peer) ?? []),
          own === ours.at(-1) ? bars[peer] : undefined,
        ),
      ),
    ]),
  );
  return [
    formatTable([[unit, ...subjects], ...costs]),
    formatTable([["", "ratio of", ...peers.map((peer) => `÷ ${peer}`)], ...compared]),
  ].join("\n\n");
}

function besideBar(values: readonly number[], bar: number | undefined): string {
  const ratio = median(values);
  if (bar === undefined || Number.isNaN(ratio)) return threeDigits(ratio);
  return `${threeDigits(ratio)} ${ratio <= bar ? "✓" : "✗"} ≤ ${bar}`;
}
