import { fork } from "node:child_process";
import { setTimeout as wait } from "node:timers/promises";
import { type ComparedCase, formatComparison } from "./comparison.ts";
import { type CpuTime, type Results, rotated } from "./contest.ts";
import { connectionsWithinLimit, type BenchOptions } from "./options.ts";
import { nextMessage } from "./next-message.ts";
import { SocketIoClientsProcess } from "./socketio/clients-process.ts";
import {
  SocketIoServerProcess,
  type SocketIoSubjectName,
  socketIoSubjectNames,
} from "./socketio/server-process.ts";
import { median, threeDigits } from "./statistics.ts";
import { formatTable } from "./table.ts";

/** How often the servers take turns in a round. */
const turns = 3;
/** What one turn has. */
const exchanges = 8_000;
const events = 10;
/** Events in one tick where they are not one by one. */
const burst = 10;
/** Upgrades of the stock client in a round. */
const upgrades = 50;

/** What is measured of one server: memory in KiB of a connection, CPU in µs, times in ms. */
interface Costs {
  readonly heap: number[];
  readonly resident: number[];
  readonly delivery: CpuTime[];
  readonly burst: CpuTime[];
  readonly echo: CpuTime[];
  readonly binary: CpuTime[];
  readonly upgrades: number[];
}

/** A server with its clients. */
interface Contestant {
  readonly server: SocketIoServerProcess;
  readonly clients: SocketIoClientsProcess;
  readonly connections: number;
  readonly costs: Costs;
}

/** The Socket.IO server beside that of the package socket.io: memory, CPU and upgrades. Prints tables. */
export async function benchSocketIo(options: BenchOptions): Promise<void> {
  const connections = connectionsWithinLimit(options.connections);
  const chosen = socketIoSubjectNames.filter((name) => name.includes(options.only));
  const costs = new Map<SocketIoSubjectName, Costs>(chosen.map((name) => [name, noCosts()]));
  console.log(`${connections} clients on WebSockets in one namespace, whose application answers the events echo and bin: 100 bytes of text, or in a Buffer. A delivery is an event of
100 bytes of JSON to a room of all: one, or ${burst} in a tick, and the next as soon as they have come to all. Both servers with their defaults and the same flags of Node. Median (least–most) of
${options.rounds} rounds in fresh processes, in each of which they take turns ${turns} times.
`);
  for (let round = 0; round < options.rounds; round++) {
    await runRound(rotated([...costs], round), connections);
  }
  const pick = (value: (each: Costs) => readonly number[]): Results<SocketIoSubjectName> =>
    new Map([...costs].map(([name, each]) => [name, value(each)]));
  const memory = [
    { name: "heap", total: pick(({ heap }) => heap), bars: { "socket.io": 0.5 } },
    { name: "resident", total: pick(({ resident }) => resident), bars: {} },
  ];
  console.log(`${formatComparison("KiB per connection", ["sluice"], memory)}\n`);
  const cpu = (name: string, of: (each: Costs) => readonly CpuTime[]): ComparedCase<SocketIoSubjectName> => ({
    name,
    total: pick((each) => of(each).map(({ total }) => total)),
    user: pick((each) => of(each).map(({ user }) => user)),
    bars: { "socket.io": 0.6 },
  });
  const cpus = [
    cpu("delivery", ({ delivery }) => delivery),
    cpu(`delivery, ${burst} at once`, (each) => each.burst),
    cpu("echo with ack", ({ echo }) => echo),
    cpu("echo of bytes with ack", ({ binary }) => binary),
  ];
  console.log(`${formatComparison("CPU µs", ["sluice"], cpus)}\n`);
  console.log(formatUpgrades(costs));
}

function formatUpgrades(costs: ReadonlyMap<SocketIoSubjectName, Costs>): string {
  const rows = [...costs].map(([name, each]) => {
    const sorted = each.upgrades.toSorted((a, b) => a - b);
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

function noCosts(): Costs {
  return { heap: [], resident: [], delivery: [], burst: [], echo: [], binary: [], upgrades: [] };
}

async function runRound(
  subjects: readonly (readonly [SocketIoSubjectName, Costs])[],
  connections: number,
): Promise<void> {
  const contestants: Contestant[] = [];
  try {
    for (const [name, costs] of subjects) contestants.push(await start(name, connections, costs));
    for (const each of contestants) await takeTurn(each, noCosts());
    for (let turn = 0; turn < turns; turn++) {
      for (const each of rotated(contestants, turn)) await takeTurn(each, each.costs);
    }
    await measureUpgrades(contestants);
  } finally {
    for (const { server, clients } of contestants) {
      clients.stop();
      await server.stop();
    }
  }
}

/** Starts a server, and measures the memory of its connections. */
async function start(name: SocketIoSubjectName, connections: number, costs: Costs): Promise<Contestant> {
  const server = await SocketIoServerProcess.start(name);
  // Loads and compiles what a connection needs, so that it is not counted as part of one.
  const first = await SocketIoClientsProcess.start(server.port, 100);
  await first.exchange("echo", 100);
  first.stop();
  while ((await server.sockets()) > 0) await wait(10);
  const before = await server.memory();
  const clients = await SocketIoClientsProcess.start(server.port, connections);
  await clients.exchange("echo", connections);
  const after = await server.memory();
  costs.heap.push((after.heap - before.heap) / connections / 1024);
  costs.resident.push((after.rss - before.rss) / connections / 1024);
  await server.gather();
  return { server, clients, connections, costs };
}

async function takeTurn(contestant: Contestant, costs: Costs): Promise<void> {
  const { server, clients, connections } = contestant;
  costs.echo.push(await costOf(server, exchanges, () => clients.exchange("echo", exchanges)));
  costs.binary.push(await costOf(server, exchanges, () => clients.exchange("bin", exchanges)));
  const deliveries = events * connections;
  costs.delivery.push(await costOf(server, deliveries, () => tell(contestant, 1, events)));
  costs.burst.push(await costOf(server, burst * deliveries, () => tell(contestant, burst, events)));
}

/** Emits so many events in a tick, so many times, each time when the ones before have come to all. */
async function tell({ server, clients }: Contestant, atOnce: number, times: number): Promise<void> {
  for (let time = 0; time < times; time++) {
    await clients.expect(atOnce);
    const told = clients.told();
    await server.tell(atOnce);
    await told;
  }
}

/** What the server takes for each of so many things that `work` has it do. */
async function costOf(
  server: SocketIoServerProcess,
  count: number,
  work: () => Promise<void>,
): Promise<CpuTime> {
  const before = await server.cpu();
  await work();
  const after = await server.cpu();
  return { total: (after.total - before.total) / count, user: (after.user - before.user) / count };
}

async function measureUpgrades(contestants: readonly Contestant[]): Promise<void> {
  const ports = contestants.map(({ server }) => String(server.port));
  const child = fork(new URL("socketio/upgrades.ts", import.meta.url), [String(upgrades), ...ports]);
  const measured = await nextMessage<readonly (readonly number[])[]>("upgrades", child);
  for (const [index, milliseconds] of measured.entries()) {
    contestants[index]?.costs.upgrades.push(...milliseconds);
  }
}
