import { formatComparison, type Bars, type ComparedCase } from "./comparison.ts";
import { rotated } from "./contest.ts";
import { connectionsWithinLimit, type BenchOptions } from "./options.ts";
import { ReceiverProcess } from "./receiver-process.ts";
import { ServerProcess } from "./server-process.ts";
import { speaksWebSocket, type SubjectName } from "./subject.ts";

const bytes = 1024;

interface BroadcastCase {
  readonly name: string;
  readonly perTick: number;
  /** Ticks of one round. */
  readonly ticks: number;
  readonly bars: Bars;
}

const cases: readonly BroadcastCase[] = [
  { name: "1 a tick", perTick: 1, ticks: 10, bars: { ws: 0.8, net: 1.15 } },
  { name: "10 a tick", perTick: 10, ticks: 2, bars: { ws: 0.15 } },
];

const subjects: readonly SubjectName[] = ["net", "net+cork", "ws", "sluice", "sluice+prepared"];

interface Station {
  readonly server: ServerProcess;
  readonly receivers: ReceiverProcess;
}

/** CPU of the server process per message that one connection gets of a broadcast. Prints two tables. */
export async function benchBroadcast(options: BenchOptions): Promise<void> {
  const connections = connectionsWithinLimit(options.connections);
  const stations: Station[] = [];
  const compared: ComparedCase[] = [];
  try {
    for (const name of subjects) {
      const server = await ServerProcess.start(name);
      const receivers = await ReceiverProcess.start(server.port, connections, speaksWebSocket(name));
      stations.push({ server, receivers });
    }
    for (const each of cases) {
      if (!each.name.includes(options.only)) continue;
      const results = new Map<SubjectName, number[]>(subjects.map((name) => [name, []]));
      for (const station of stations) await round(station, each, connections);
      for (let turn = 0; turn < 2 * options.rounds; turn++) {
        for (const station of rotated(stations, turn)) {
          results.get(station.server.name)?.push(await round(station, each, connections));
        }
      }
      compared.push({ name: each.name, results, bars: each.bars });
    }
  } finally {
    for (const { server, receivers } of stations) {
      receivers.stop();
      await server.stop();
    }
  }
  console.log(`Broadcast of binary messages of 1 KiB to ${connections} connections, 1 or 10 in one tick. Median (least–most)
of the rounds. net writes one ready-made frame to each socket, net+cork all frames of the tick at once; ws and sluice
call send() on each connection, without compression; sluice+prepared prepares each message first.
`);
  console.log(formatComparison("CPU µs per delivery", "sluice+prepared", compared));
}

async function round(
  { server, receivers }: Station,
  each: BroadcastCase,
  connections: number,
): Promise<number> {
  const before = await server.cpu();
  for (let tick = 0; tick < each.ticks; tick++) {
    await receivers.expect(connections * each.perTick);
    const received = receivers.received();
    await server.ask({ ask: "broadcast", bytes, times: each.perTick });
    await received;
  }
  return ((await server.cpu()).total - before.total) / (each.ticks * each.perTick * connections);
}
