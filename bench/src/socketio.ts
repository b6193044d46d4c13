import { fork } from "node:child_process";
import { setTimeout as wait } from "node:timers/promises";
import { type ComparedCase, formatComparison } from "./comparison.ts";
import { rotated } from "./contest.ts";
import { connectionsWithinLimit, type BenchOptions } from "./options.ts";
import { nextMessage } from "./next-message.ts";
import type { ExchangeName } from "./socketio/client.ts";
import { SocketIoClientsProcess } from "./socketio/clients-process.ts";
import {
  SocketIoServerProcess,
  type SocketIoSubjectName,
  socketIoSubjectNames,
} from "./socketio/server-process.ts";
import { median, threeDigits } from "./statistics.ts";
import { formatTable } from "./table.ts";

/** Events that are counted, each to all clients. */
const events = 30;
/** Upgrades of the stock client. */
const upgrades = 50;
const warmUpMilliseconds = 500;

/** What one server took. Memory in KiB of a connection, CPU in µs, times in ms. */
interface Run {
  readonly heap: number;
  readonly resident: number;
  readonly delivery: number;
  readonly echo: number;
  readonly binary: number;
  readonly upgrades: readonly number[];
}

/** The Socket.IO server beside that of the package socket.io: memory, CPU and upgrades. Prints tables. */
export async function benchSocketIo(options: BenchOptions): Promise<void> {
  const connections = connectionsWithinLimit(options.connections);
  const chosen = socketIoSubjectNames.filter((name) => name.includes(options.only));
  const runs = new Map<SocketIoSubjectName, Run[]>(chosen.map((name) => [name, []]));
  console.log(`${connections} clients on WebSockets in one namespace, whose application answers the events echo and bin: 100 bytes of text, or in a Buffer. A delivery is an event of
100 bytes of JSON to a room of all, the next one as soon as it has come to all. Both servers with their defaults and the same flags of Node. Median (least–most) of the
rounds, each in a fresh process.
`);
  for (let round = 0; round < options.rounds; round++) {
    for (const name of rotated(chosen, round)) runs.get(name)?.push(await run(name, connections, options));
  }
  const compared = (
    name: string,
    value: (each: Run) => number,
    bar?: number,
  ): ComparedCase<SocketIoSubjectName> => ({
    name,
    total: new Map([...runs].map(([subject, each]) => [subject, each.map(value)])),
    bars: bar === undefined ? {} : { "socket.io": bar },
  });
  const memory = [
    compared("heap", ({ heap }) => heap, 0.5),
    compared("resident", ({ resident }) => resident),
  ];
  console.log(`${formatComparison("KiB per connection", ["sluice"], memory)}\n`);
  const cpu = [
    compared("delivery", ({ delivery }) => delivery, 0.6),
    compared("echo with ack", ({ echo }) => echo, 0.6),
    compared("echo of bytes with ack", ({ binary }) => binary, 0.6),
  ];
  console.log(`${formatComparison("CPU µs", ["sluice"], cpu)}\n`);
  console.log(formatUpgrades(runs));
}

function formatUpgrades(runs: ReadonlyMap<SocketIoSubjectName, readonly Run[]>): string {
  const rows = [...runs].map(([name, each]) => {
    const sorted = each.flatMap((one) => one.upgrades).toSorted((a, b) => a - b);
    const most = sorted.at(-1) ?? Number.NaN;
    const p99 = sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN;
    const middle = median(sorted);
    if (name !== "sluice") return [name, threeDigits(middle), threeDigits(p99), threeDigits(most)];
    return [name, beside(middle, middle <= 10, "≤ 10"), threeDigits(p99), beside(most, most < 100, "< 100")];
  });
  return formatTable([["ms of an upgrade", "median", "p99", "most"], ...rows]);
}

function beside(value: number, isMet: boolean, bar: string): string {
  return `${threeDigits(value)} ${isMet ? "✓" : "✗"} ${bar}`;
}

async function run(
  name: SocketIoSubjectName,
  connections: number,
  { milliseconds }: BenchOptions,
): Promise<Run> {
  const server = await SocketIoServerProcess.start(name);
  try {
    // Loads and compiles what a connection needs, so that it is not counted as part of one.
    const first = await SocketIoClientsProcess.start(server.port, 200);
    for (const each of ["echo", "bin"] as const) await first.repeat(each, warmUpMilliseconds);
    await server.gather();
    for (let time = 0; time < 100; time++) await tell(server, first);
    first.stop();
    while ((await server.sockets()) > 0) await wait(10);
    const before = await server.memory();
    const clients = await SocketIoClientsProcess.start(server.port, connections);
    try {
      await clients.once("echo");
      const after = await server.memory();
      const echo = await costOfExchange(server, clients, "echo", milliseconds);
      const binary = await costOfExchange(server, clients, "bin", milliseconds);
      await server.gather();
      for (let time = 0; time < 3; time++) await tell(server, clients);
      const start = await server.cpu();
      for (let time = 0; time < events; time++) await tell(server, clients);
      const delivery = ((await server.cpu()) - start) / (events * connections);
      return {
        heap: (after.heap - before.heap) / connections / 1024,
        resident: (after.rss - before.rss) / connections / 1024,
        delivery,
        echo,
        binary,
        upgrades: await measureUpgrades(server.port),
      };
    } finally {
      clients.stop();
    }
  } finally {
    await server.stop();
  }
}

async function tell(server: SocketIoServerProcess, clients: SocketIoClientsProcess): Promise<void> {
  await clients.expect();
  const told = clients.told();
  await server.tell();
  await told;
}

async function costOfExchange(
  server: SocketIoServerProcess,
  clients: SocketIoClientsProcess,
  name: ExchangeName,
  milliseconds: number,
): Promise<number> {
  const before = await server.cpu();
  const exchanges = await clients.repeat(name, milliseconds);
  return ((await server.cpu()) - before) / exchanges;
}

async function measureUpgrades(port: number): Promise<readonly number[]> {
  const child = fork(new URL("socketio/upgrades.ts", import.meta.url), [String(port), String(upgrades)]);
  return await nextMessage<readonly number[]>("upgrades", child);
}
