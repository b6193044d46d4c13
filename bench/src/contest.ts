import type { BenchOptions } from "./options.ts";

/** CPU time in µs. */
export interface CpuTime {
  readonly total: number;
  /** What was not spent in the kernel: the part that a library can do something about. */
  readonly user: number;
}

/** A process whose CPU is measured. */
export interface Measurable {
  /** CPU time of the process so far. */
  cpu(): Promise<CpuTime>;
  /** Ends the process and waits for its end. */
  stop(): Promise<void>;
}

/** What keeps a process busy. */
export interface Load {
  /** Works for `milliseconds` and until all is answered. Resolves to the number of messages. */
  run(milliseconds: number): Promise<number>;
  /** Ends all connections. */
  close(): void;
}

/** A subject and its loads, which are put on it in turns. */
export interface Contestant {
  readonly server: Measurable;
  /** As many, and in the same order, for each subject. */
  readonly loads: readonly Load[];
}

/** Costs of each subject, one for each round; the same index is the same round. */
export type Results<Name extends string> = ReadonlyMap<Name, readonly number[]>;

/** What a contest measured, in µs per message. */
export interface Measured<Name extends string> {
  readonly total: Results<Name>;
  /** The part of it that was not spent in the kernel. */
  readonly user: Results<Name>;
}

/** Fresh processes of every subject: what one process costs depends on how it happened to be compiled and laid out. */
const starts = 3;

const warmUpMilliseconds = 700;

/** Lets subjects work in turns and measures the CPU of each one's process for each message; answers it for each load. */
export async function contest<Name extends string>(
  subjects: readonly Name[],
  options: BenchOptions,
  start: (name: Name) => Promise<Contestant>,
): Promise<readonly Measured<Name>[]> {
  const measured: { total: Map<Name, number[]>; user: Map<Name, number[]> }[] = [];
  for (let each = 0; each < starts; each++) {
    const contestants: (readonly [Name, Contestant])[] = [];
    try {
      for (const name of subjects) {
        const contestant = await start(name);
        contestants.push([name, contestant]);
        for (const load of contestant.loads) await runOf(name, load, warmUpMilliseconds);
      }
      for (let round = 0; round < options.rounds; round++) {
        for (const [name, { server, loads }] of rotated(contestants, round)) {
          for (const [index, load] of loads.entries()) {
            const before = await server.cpu();
            const messages = await runOf(name, load, options.milliseconds);
            const after = await server.cpu();
            const { total, user } = (measured[index] ??= { total: new Map(), user: new Map() });
            append(total, name, (after.total - before.total) / messages);
            append(user, name, (after.user - before.user) / messages);
          }
        }
      }
    } finally {
      for (const [, { loads, server }] of contestants) {
        for (const load of loads) load.close();
        await server.stop();
      }
    }
  }
  return measured;
}

/** Runs a load; what goes wrong says whose it was. */
async function runOf(name: string, load: Load, milliseconds: number): Promise<number> {
  try {
    return await load.run(milliseconds);
  } catch (cause) {
    throw new Error(`${name}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

function append<Name>(costs: Map<Name, number[]>, name: Name, cost: number): void {
  const held = costs.get(name);
  if (held === undefined) costs.set(name, [cost]);
  else held.push(cost);
}

/** The same in another order each round, so that none always follows the same one. */
export function rotated<T>(items: readonly T[], by: number): T[] {
  const first = by % items.length;
  return [...items.slice(first), ...items.slice(0, first)];
}
