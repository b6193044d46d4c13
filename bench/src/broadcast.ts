import { compressionOffer } from "./compressed-conversation.ts";
import { formatComparison, type Bars } from "./comparison.ts";
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
  readonly bars: Bars<SubjectName>;
}

interface Field {
  readonly subjects: readonly SubjectName[];
  readonly ours: readonly SubjectName[];
  readonly connections: number;
  /** `Sec-WebSocket-Extensions` that the clients offer. */
  readonly extensions?: string;
  readonly cases: readonly BroadcastCase[];
}

function plainField(connections: number): Field {
  return {
    subjects: ["net", "net+cork", "ws", "sluice", "sluice+prepared"],
    ours: ["sluice", "sluice+prepared"],
    connections,
    cases: [
      { name: "1 a tick", perTick: 1, ticks: 5, bars: { ws: 0.8, net: 1.15 } },
      { name: "10 a tick", perTick: 10, ticks: 1, bars: { ws: 0.15 } },
    ],
  };
}

function compressingField(connections: number): Field {
  return {
    subjects: ["ws+deflate", "sluice+deflate", "sluice+deflate+prepared"],
    ours: ["sluice+deflate", "sluice+deflate+prepared"],
    connections,
    extensions: compressionOffer,
    cases: [
      { name: "1 a tick", perTick: 1, ticks: 5, bars: {} },
      { name: "10 a tick", perTick: 10, ticks: 1, bars: {} },
    ],
  };
}

/** CPU of the server process per message that one connection gets of a broadcast. Prints tables. */
export async function benchBroadcast(options: BenchOptions): Promise<void> {
  const connections = connectionsWithinLimit(options.connections);
  // A compressor of ws takes a quarter of a megabyte.
  const compressingConnections = Math.ceil(connections / 10);
  console.log(`Broadcast of binary messages of 1 KiB, 1 or 10 in one tick, to ${connections} connections. Median (least–most) of
the rounds. net writes one ready-made frame to each socket, net+cork all frames of the tick at once; ws and sluice call
send() on each connection; sluice+prepared prepares each message first.
`);
  console.log(await measureField(plainField(connections), options));
  console.log(`
The same of JSON to ${compressingConnections} connections with permessage-deflate, threshold 0 and the defaults of each.
`);
  console.log(await measureField(compressingField(compressingConnections), options));
}

interface Station {
  readonly server: ServerProcess;
  readonly receivers: ReceiverProcess;
}

/** Fresh processes of every subject: what one process costs depends on how it happened to be compiled and laid out. */
const starts = 3;
const warmUpRounds = 3;

async function measureField(field: Field, options: BenchOptions): Promise<string> {
  const { subjects, ours, connections } = field;
  const cases = field.cases
    .filter(({ name }) => name.includes(options.only))
    .map((each) => ({ ...each, total: new Map<SubjectName, number[]>(subjects.map((name) => [name, []])) }));
  for (let start = 0; start < starts; start++) {
    const stations: Station[] = [];
    try {
      for (const name of rotated(subjects, start)) stations.push(await startStation(name, field));
      for (const each of cases) {
        for (const station of stations) {
          for (let warm = 0; warm < warmUpRounds; warm++) await round(station, each, connections);
        }
        for (let turn = 0; turn < 2 * options.rounds; turn++) {
          for (const station of rotated(stations, turn)) {
            each.total.get(station.server.name)?.push(await round(station, each, connections));
          }
        }
      }
    } finally {
      for (const { server, receivers } of stations) {
        receivers.stop();
        await server.stop();
      }
    }
  }
  return formatComparison("CPU µs per delivery", ours, cases);
}

async function startStation(name: SubjectName, { connections, extensions }: Field): Promise<Station> {
  const server = await ServerProcess.start(name);
  const receivers = await ReceiverProcess.start(server.port, connections, speaksWebSocket(name), extensions);
  return { server, receivers };
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
