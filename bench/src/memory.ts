import { compressionOffer } from "./compressed-conversation.ts";
import { formatComparison } from "./comparison.ts";
import { connectionsWithinLimit, type BenchOptions } from "./options.ts";
import { ReceiverProcess } from "./receiver-process.ts";
import { type Memory, ServerProcess } from "./server-process.ts";
import { speaksWebSocket, type SubjectName } from "./subject.ts";

const plain: readonly SubjectName[] = ["net", "ws", "sluice"];
const compressing: readonly SubjectName[] = ["ws+deflate", "sluice+deflate15", "sluice+deflate"];

/** Memory of the server process per connection that has been opened and used once, and is idle. Prints tables. */
export async function benchMemory(options: BenchOptions): Promise<void> {
  const connections = connectionsWithinLimit(options.connections);
  // A compressor and a decompressor take a hundred times more than all the rest.
  const compressingConnections = Math.ceil(connections / 10);
  console.log(`Memory of the server process per idle connection, of ${connections} connections that have each echoed one
message of 1 KiB, after a collection; of ${compressingConnections} where they compress. Median (least–most) of the
rounds, each in a fresh process. What deflate15 and deflate are, see the bench of that name.
`);
  console.log(formatMemory(["sluice"], "ws", await measureAll(plain, connections, options.rounds)));
  const compressed = await measureAll(compressing, compressingConnections, options.rounds, compressionOffer);
  console.log(`\n${formatMemory(["sluice+deflate15", "sluice+deflate"], "ws+deflate", compressed)}`);
}

interface MemoryResults {
  readonly resident: Map<SubjectName, number[]>;
  readonly used: Map<SubjectName, number[]>;
}

function formatMemory(
  ours: readonly SubjectName[],
  peer: SubjectName,
  { resident, used }: MemoryResults,
): string {
  const bars = { [peer]: 1 };
  return formatComparison("bytes per connection", ours, [
    { name: "resident", total: resident, bars },
    { name: "heap and buffers", total: used, bars },
  ]);
}

async function measureAll(
  subjects: readonly SubjectName[],
  connections: number,
  rounds: number,
  extensions?: string,
): Promise<MemoryResults> {
  const resident = new Map<SubjectName, number[]>(subjects.map((name) => [name, []]));
  const used = new Map<SubjectName, number[]>(subjects.map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const name of subjects) {
      const memory = await measure(name, connections, extensions);
      resident.get(name)?.push(memory.rss / connections);
      used.get(name)?.push(memory.used / connections);
    }
  }
  return { resident, used };
}

async function measure(name: SubjectName, connections: number, extensions?: string): Promise<Memory> {
  const server = await ServerProcess.start(name);
  // Loads and compiles what a connection needs, so that it is not counted as part of one.
  const first = await ReceiverProcess.start(server.port, 100, speaksWebSocket(name), extensions);
  await first.echo(1024);
  const before = await server.memory();
  const receivers = await ReceiverProcess.start(server.port, connections, speaksWebSocket(name), extensions);
  await receivers.echo(1024);
  const after = await server.memory();
  first.stop();
  receivers.stop();
  await server.stop();
  return { rss: after.rss - before.rss, used: after.used - before.used };
}
