import { formatComparison } from "./comparison.ts";
import { connectionsWithinLimit, type BenchOptions } from "./options.ts";
import { ReceiverProcess } from "./receiver-process.ts";
import { ServerProcess } from "./server-process.ts";
import { speaksWebSocket, type SubjectName } from "./subject.ts";

const subjects: readonly SubjectName[] = ["net", "ws", "sluice"];

/** Memory of the server process per connection that has been opened and used once, and is idle. Prints tables. */
export async function benchMemory(options: BenchOptions): Promise<void> {
  const connections = connectionsWithinLimit(options.connections);
  const resident = new Map<SubjectName, number[]>(subjects.map((name) => [name, []]));
  const heap = new Map<SubjectName, number[]>(subjects.map((name) => [name, []]));
  for (let round = 0; round < options.rounds; round++) {
    for (const name of subjects) {
      const { rss, used } = await measure(name, connections);
      resident.get(name)?.push(rss);
      heap.get(name)?.push(used);
    }
  }
  console.log(`Memory of the server process per idle connection, of ${connections} connections that have each echoed one
message of 1 KiB, after a collection. Median (least–most) of the rounds, each in a fresh process.
`);
  console.log(
    formatComparison("bytes per connection", "sluice", [
      { name: "resident", results: resident, bars: { ws: 1 } },
      { name: "heap and buffers", results: heap, bars: { ws: 1 } },
    ]),
  );
}

async function measure(name: SubjectName, connections: number): Promise<{ rss: number; used: number }> {
  const server = await ServerProcess.start(name);
  // Loads and compiles what a connection needs, so that it is not counted as part of one.
  const first = await ReceiverProcess.start(server.port, 100, speaksWebSocket(name));
  await first.echo(1024);
  const before = await server.memory();
  const receivers = await ReceiverProcess.start(server.port, connections, speaksWebSocket(name));
  await receivers.echo(1024);
  const after = await server.memory();
  first.stop();
  receivers.stop();
  await server.stop();
  return {
    rss: (after.rss - before.rss) / connections,
    used: (after.used - before.used) / connections,
  };
}
