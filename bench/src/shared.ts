import { randomBytes } from "node:crypto";
import { formatComparison, type ComparedCase } from "./comparison.ts";
import { rotated } from "./contest.ts";
import { connectionsWithinLimit, type BenchOptions } from "./options.ts";
import { Program } from "./program.ts";
import { buildPrograms, type Programs } from "./programs.ts";
import { FollowerProcess } from "./shared-follower-process.ts";
import { followerWires, type FollowerDialect } from "./shared-wires.ts";

/** Characters of a message. */
const textLength = 1_000;

/** Messages of one round. */
const messages = 10;

/** The gateway with a stream of the backend for each client, and with one for all. */
const subjects = ["single", "shared"] as const;

type SubjectName = (typeof subjects)[number];

interface Station {
  readonly name: SubjectName;
  readonly backend: Program;
  readonly gateway: Program;
  readonly followers: FollowerProcess;
}

/** CPU in µs for each message to each client. */
interface Cost {
  readonly gateway: number;
  readonly backend: number;
}

/** CPU of the gateway, and of it and the backend, per message that one of many clients gets. Prints tables. */
export async function benchShared(options: BenchOptions): Promise<void> {
  const programs = await buildPrograms();
  const clients = connectionsWithinLimit(options.connections);
  const compared: ComparedCase<SubjectName>[] = [];
  for (const dialect of Object.keys(followerWires) as FollowerDialect[]) {
    if (dialect.includes(options.only))
      compared.push(...(await measure(dialect, clients, programs, options)));
  }
  console.log(`Messages of ${textLength} characters to ${clients} clients, each with a WebSocket: single has a stream of the backend for
each of them, shared one for all. Median (least–most) of the rounds.
`);
  console.log(formatComparison("CPU µs per delivery", ["shared"], compared));
}

async function measure(
  dialect: FollowerDialect,
  clients: number,
  programs: Programs,
  options: BenchOptions,
): Promise<ComparedCase<SubjectName>[]> {
  const gateway = new Map<SubjectName, number[]>(subjects.map((name) => [name, []]));
  const both = new Map<SubjectName, number[]>(subjects.map((name) => [name, []]));
  const stations: Station[] = [];
  try {
    for (const name of subjects) stations.push(await start(name, dialect, clients, programs));
    for (const station of stations) await round(station, clients);
    for (let turn = 0; turn < 2 * options.rounds; turn++) {
      for (const station of rotated(stations, turn)) {
        const cost = await round(station, clients);
        gateway.get(station.name)?.push(cost.gateway);
        both.get(station.name)?.push(cost.gateway + cost.backend);
      }
    }
  } finally {
    for (const station of stations) {
      await station.followers.rest();
      await station.gateway.stop();
      await station.backend.stop();
      station.followers.stop();
    }
  }
  return [
    { name: dialect, total: gateway, bars: {} },
    { name: `${dialect}, with the backend`, total: both, bars: {} },
  ];
}

async function start(
  name: SubjectName,
  dialect: FollowerDialect,
  clients: number,
  { echo, nodeGateway, descriptors }: Programs,
): Promise<Station> {
  const backend = await Program.start("echo", echo, []);
  const address = `127.0.0.1:${backend.port}`;
  const subject = name === "shared" ? "shared" : "sluice";
  const gateway = await Program.start(name, process.execPath, [nodeGateway, subject, address, descriptors]);
  return { name, backend, gateway, followers: await FollowerProcess.start(gateway.port, clients, dialect) };
}

async function round({ name, backend, gateway, followers }: Station, clients: number): Promise<Cost> {
  const before = { gateway: (await gateway.cpu()).total, backend: (await backend.cpu()).total };
  for (let message = 0; message < messages; message++) {
    const text = randomBytes(textLength).toString("base64url").slice(0, textLength);
    await followers.expect(text);
    const received = followers.received();
    const streams = await publish(gateway.port, text);
    if (streams !== (name === "shared" ? 1 : clients)) throw new Error(`${name} has ${streams} streams`);
    await received;
  }
  const deliveries = messages * clients;
  return {
    gateway: ((await gateway.cpu()).total - before.gateway) / deliveries,
    backend: ((await backend.cpu()).total - before.backend) / deliveries,
  };
}

/** Publishes through the gateway, and answers to how many streams. */
async function publish(port: number, text: string): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${port}/v1/notes:publish`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ text }),
  });
  if (!response.ok) throw new Error(`publishing was answered with ${response.status}`);
  return ((await response.json()) as { readonly streams: number }).streams;
}
