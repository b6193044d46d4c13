import { setTimeout as wait } from "node:timers/promises";
import { formatComparison, type ComparedCase } from "./comparison.ts";
import { rotated } from "./contest.ts";
import { FanoutReceiverProcess, type Latency } from "./fanout-receiver-process.ts";
import { FanoutServerProcess } from "./fanout-server-process.ts";
import type { FanoutSubjectName } from "./fanout-wires.ts";
import { messageBytes } from "./fanout-message.ts";
import { connectionsWithinLimit, type BenchOptions } from "./options.ts";
import { median, threeDigits } from "./statistics.ts";
import { formatTable } from "./table.ts";

const subjects: readonly FanoutSubjectName[] = ["net", "ws", "socket.io", "hub", "hub+session"];
const ours: readonly FanoutSubjectName[] = ["hub", "hub+session"];

/** How a room is talked to. */
interface Pace {
  readonly name: string;
  /** Messages that are published in one tick. */
  readonly atOnce: number;
  readonly times: number;
  /** Ms from one tick to the next, where that is not as soon as all have come to all. */
  readonly everyMs?: number;
  /** The most of Socket.IO's CPU. */
  readonly bar: number;
}

const calm: Pace = { name: "2 a second", atOnce: 1, times: 10, everyMs: 500, bar: 0.6 };
const flatOut: Pace = { name: "flat out", atOnce: 10, times: 10, bar: 0.2 };
const paces = [calm, flatOut];

/** What one pace cost. */
interface Cost {
  /** µs of the server process for one message to one member. */
  readonly cpu: number;
  readonly latency: Latency;
}

/** One server from its start to its end. */
interface Run {
  /** Bytes of memory of one member of the room. */
  readonly resident: number;
  readonly used: number;
  /** In the order of {@link paces}. */
  readonly costs: readonly Cost[];
}

/** One room with many members: CPU per delivered message, latency and memory, beside Socket.IO and a loop on ws. */
export async function benchFanout(options: BenchOptions): Promise<void> {
  const connections = connectionsWithinLimit(options.connections);
  const chosen = subjects.filter((name) => name.includes(options.only));
  const runs = new Map<FanoutSubjectName, Run[]>(chosen.map((name) => [name, []]));
  console.log(`JSON of ${messageBytes} bytes to one room of ${connections}, ${calm.times} messages at ${calm.name}, then ${flatOut.times * flatOut.atOnce} ${flatOut.name}: ${flatOut.atOnce} at once,
and the next as soon as these have come to all. net writes ready-made frames to bare sockets, hub has the raw face, hub+session the session wire. Median (least–most)
of the rounds, each in a fresh process.
`);
  for (let round = 0; round < options.rounds; round++) {
    for (const name of rotated(chosen, round)) runs.get(name)?.push(await run(name, connections));
  }
  const pick = (value: (each: Run) => number): Map<FanoutSubjectName, number[]> =>
    new Map([...runs].map(([name, each]) => [name, each.map(value)]));
  const cpu = paces.map(({ name, bar }, index): ComparedCase<FanoutSubjectName> => ({
    name,
    total: pick(({ costs }) => costs[index]?.cpu ?? Number.NaN),
    bars: { "socket.io": bar },
  }));
  console.log(formatComparison("CPU µs per delivery", ours, cpu));
  console.log(`\n${formatLatencies(runs)}\n`);
  console.log(
    formatComparison("bytes per session", ours, [
      { name: "resident", total: pick(({ resident }) => resident), bars: { "socket.io": 0.5 } },
      { name: "heap and buffers", total: pick(({ used }) => used), bars: { "socket.io": 0.5 } },
    ]),
  );
}

function formatLatencies(runs: ReadonlyMap<FanoutSubjectName, readonly Run[]>): string {
  const rows = paces.flatMap((pace, index) =>
    (["p50", "p99", "max"] as const).map((part) => [
      `${pace.name}, ${part}`,
      ...[...runs.values()].map((each) =>
        threeDigits(median(each.map(({ costs }) => costs[index]?.latency[part] ?? Number.NaN))),
      ),
    ]),
  );
  return formatTable([["ms from publishing to receipt", ...runs.keys()], ...rows]);
}

async function run(name: FanoutSubjectName, connections: number): Promise<Run> {
  const server = await FanoutServerProcess.start(name);
  // Loads and compiles what a session needs, so that it is not counted as part of one.
  const first = await FanoutReceiverProcess.start(server.port, 100, name);
  await talk(server, first, { ...flatOut, times: 30 }, 100);
  first.stop();
  while ((await server.members()) > 0) await wait(10);
  const before = await server.memory();
  const receivers = await FanoutReceiverProcess.start(server.port, connections, name);
  try {
    // Bare sockets are connected before they are accepted.
    while ((await server.members()) < connections) await wait(10);
    await talk(server, receivers, { ...calm, everyMs: 0 }, connections);
    const { rss, used } = await server.memory();
    const costs: Cost[] = [];
    for (const pace of paces) costs.push(await talk(server, receivers, pace, connections));
    return { resident: (rss - before.rss) / connections, used: (used - before.used) / connections, costs };
  } finally {
    receivers.stop();
    await server.stop();
  }
}

async function talk(
  server: FanoutServerProcess,
  receivers: FanoutReceiverProcess,
  { atOnce, times, everyMs }: Pace,
  members: number,
): Promise<Cost> {
  await receivers.latency();
  const before = await server.cpu();
  for (let time = 0; time < times; time++) {
    await receivers.expect(atOnce);
    const received = receivers.received();
    const next = everyMs === undefined ? undefined : wait(everyMs);
    await server.publish(atOnce);
    await received;
    await next;
  }
  const cpu = ((await server.cpu()) - before) / (times * atOnce * members);
  return { cpu, latency: await receivers.latency() };
}
