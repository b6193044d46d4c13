import { randomBytes } from "node:crypto";
import { formatComparison, type Bars, type ComparedCase } from "./comparison.ts";
import { contest } from "./contest.ts";
import { ExactConversation, type Conversation } from "./conversation.ts";
import { EchoLoad } from "./echo-load.ts";
import { encodeFrame } from "./frame.ts";
import type { BenchOptions } from "./options.ts";
import { ServerProcess } from "./server-process.ts";
import { speaksWebSocket, type SubjectName } from "./subject.ts";

interface EchoCase {
  readonly name: string;
  readonly bytes: number;
  /** Messages that leave in one write, and are all answered before the next write. */
  readonly batch: number;
  readonly connections: number;
  readonly bars: Bars<SubjectName>;
}

const subjects = ["net", "ws", "ws+bufferutil", "sluice"] as const;

const cases: readonly EchoCase[] = [
  { name: "32 B", bytes: 32, batch: 1, connections: 16, bars: { net: 1.25, ws: 0.75 } },
  { name: "32 B × 32", bytes: 32, batch: 32, connections: 16, bars: { ws: 0.1 } },
  { name: "1 KiB", bytes: 1024, batch: 1, connections: 16, bars: { net: 1.25, ws: 0.75 } },
  { name: "16 KiB", bytes: 16_384, batch: 1, connections: 16, bars: { "ws+bufferutil": 1 } },
  { name: "1 MiB", bytes: 1_048_576, batch: 1, connections: 4, bars: { "ws+bufferutil": 1 } },
];

/** CPU of the server process per echoed message, beside peers and beside bare sockets. Prints two tables. */
export async function benchEcho(options: BenchOptions): Promise<void> {
  const compared: ComparedCase<SubjectName>[] = [];
  for (const each of cases) {
    if (!each.name.includes(options.only)) continue;
    const [measured] = await contest(subjects, options, async (name) => {
      const server = await ServerProcess.start(name);
      const load = await EchoLoad.open({
        port: server.port,
        connections: each.connections,
        upgrade: speaksWebSocket(name),
        createConversation: () => createConversation(each, name),
      });
      return { server, loads: [load] };
    });
    if (measured !== undefined) compared.push({ name: each.name, ...measured, bars: each.bars });
  }
  console.log(`Echo of binary messages. 16 connections (1 MiB: 4), on each of them one message at a time, or 32 in one
write. Median (least–most) of the rounds. ws is without bufferutil, ws+bufferutil with it; neither compresses.
`);
  console.log(formatComparison("CPU µs per message", ["sluice"], compared));
}

function createConversation({ bytes, batch }: EchoCase, name: SubjectName): Conversation {
  const payloads = Array.from({ length: batch }, () => randomBytes(bytes));
  const request = Buffer.concat(payloads.map((payload) => encodeFrame(payload, { mask: randomBytes(4) })));
  const reply = name === "net" ? request : Buffer.concat(payloads.map((payload) => encodeFrame(payload)));
  return new ExactConversation(request, reply, batch);
}
