import type { EchoLoad } from "./echo-load.ts";
import type { BenchOptions } from "./options.ts";
import { ServerProcess } from "./server-process.ts";
import type { SubjectName } from "./subject.ts";

/** Costs of each subject, one for each round; the same index is the same round. */
export type Results = ReadonlyMap<SubjectName, readonly number[]>;

/** What a contest measured, in µs per message. */
export interface Measured {
  readonly total: Results;
  /** The part of it that was not spent in the kernel. */
  readonly user: Results;
}

/** Fresh processes of every subject: what one process costs depends on how it happened to be compiled and laid out. */
const starts = 3;

const warmUpMilliseconds = 700;

interface Contestant {
  readonly server: ServerProcess;
  readonly load: EchoLoad;
}

/**
 * Lets subjects echo in turns and measures the CPU of the server process for each message. `open` connects a load to a
 * subject.
 */
export async function contest(
  subjects: readonly SubjectName[],
  options: BenchOptions,
  open: (server: ServerProcess) => Promise<EchoLoad>,
): Promise<Measured> {
  const total = new Map<SubjectName, number[]>(subjects.map((name) => [name, []]));
  const user = new Map<SubjectName, number[]>(subjects.map((name) => [name, []]));
  for (let start = 0; start < starts; start++) {
    const contestants: Contestant[] = [];
    try {
      for (const name of subjects) {
        const server = await ServerProcess.start(name);
        const load = await open(server);
        contestants.push({ server, load });
        await load.run(warmUpMilliseconds);
      }
      for (let round = 0; round < options.rounds; round++) {
        for (const { server, load } of rotated(contestants, round)) {
          const before = await server.cpu();
          const messages = await load.run(options.milliseconds);
          const after = await server.cpu();
          total.get(server.name)?.push((after.total - before.total) / messages);
          user.get(server.name)?.push((after.user - before.user) / messages);
        }
      }
    } finally {
      for (const { load, server } of contestants) {
        load.close();
        await server.stop();
      }
    }
  }
  return { total, user };
}

/** The same in another order each round, so that none always follows the same one. */
export function rotated<T>(items: readonly T[], by: number): T[] {
  const first = by % items.length;
  return [...items.slice(first), ...items.slice(0, first)];
}
