import { parseArgs } from "node:util";

/** What the command line says. */
export interface BenchOptions {
  /** Rounds of each case; medians are over these. */
  readonly rounds: number;
  /** Length of one counted phase. */
  readonly milliseconds: number;
  /** Connections of broadcast, memory, shared, fanout and socketio. */
  readonly connections: number;
  /** Only the cases whose name contains this text. */
  readonly only: string;
}

/**
 * Reads the options behind the name of the bench, which has so many connections by default. Throws a `TypeError` on what
 * is not one of them.
 */
export function readOptions(args: readonly string[], connections: number): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: "string", default: "3" },
      milliseconds: { type: "string", default: "400" },
      connections: { type: "string", default: String(connections) },
      only: { type: "string", default: "" },
    },
  });
  return {
    rounds: positive("rounds", values.rounds),
    milliseconds: positive("milliseconds", values.milliseconds),
    connections: positive("connections", values.connections),
    only: values.only,
  };
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new TypeError(`--${name} ${text}: not a positive whole number`);
  return value;
}

/**
 * As many connections as this process, and one that it starts, may hold open; says so when that is fewer than asked
 * for. Raise it with `ulimit -n`.
 */
export function connectionsWithinLimit(wanted: number): number {
  const { userLimits } = process.report.getReport() as {
    userLimits?: { open_files?: { soft: number | string } };
  };
  const limit = Number(userLimits?.open_files?.soft ?? "unlimited");
  const spare = 200;
  if (Number.isNaN(limit) || limit - spare >= wanted) return wanted;
  console.log(`ulimit -n is ${limit}: ${limit - spare} connections instead of ${wanted}`);
  return limit - spare;
}
