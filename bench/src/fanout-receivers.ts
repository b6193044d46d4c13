/**
 * The members of a room, in a process of their own. Arguments: port, how many, and the subject. Tells when all are in
 * the room; then, for each lot of messages that is expected, when all have come to all; and how late they were.
 */
import type { Socket } from "node:net";
import { openConnection } from "./connection.ts";
import { machineTime, readFanoutMessage } from "./fanout-message.ts";
import type { FanoutReceiverAnswer, FanoutReceiverQuestion, Latency } from "./fanout-receiver-process.ts";
import {
  encodePong,
  encodeText,
  fanoutSubjectNameFrom,
  fanoutWires,
  type FanoutWire,
} from "./fanout-wires.ts";
import { FrameReader } from "./frame-reader.ts";

const [portText, countText, subject] = process.argv.slice(2);
const count = Number(countText);
const wire: FanoutWire = fanoutWires[fanoutSubjectNameFrom(subject)];
const atOnce = 64;

/** In ms, of each message to each member since they were last asked for. */
let latencies: number[] = [];
/** Messages that are still to come, to all members together. */
let missing = 0;
/** When the bytes under way were read. */
let now = 0;

function tell(answer: FanoutReceiverAnswer): void {
  process.send?.(answer);
}

function latencyOf(values: readonly number[]): Latency {
  const sorted = Float64Array.from(values).toSorted();
  const at = (part: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

/** Comes into the room and stays. Each message has to be the one behind the last. */
async function join(): Promise<void> {
  let socket: Socket | undefined;
  let last: number | undefined;
  let welcome: (() => void) | undefined;
  const welcomed = new Promise<void>((resolve) => (welcome = resolve));
  const receive = (opcode: number, payload: Buffer): void => {
    const message = opcode === 1 || opcode === 2 ? readFanoutMessage(payload) : undefined;
    if (message !== undefined) {
      if (last !== undefined && message.sequence !== last + 1)
        throw new Error(`${subject}: message ${message.sequence} came after ${last}`);
      last = message.sequence;
      if (--missing < 0) throw new Error(`${subject}: a message came that nobody expected`);
      latencies.push((now - message.at) / 1000);
      if (missing === 0) tell({});
    } else if (opcode === 8) {
      throw new Error(`${subject}: the server closes: ${payload.toString("utf8", 2)}`);
    } else if (opcode === 9) {
      socket?.write(encodePong(payload));
    } else if (wire.isWelcome?.(payload) === true) {
      welcome?.();
    } else {
      const reply = wire.reply?.(payload);
      if (reply !== undefined) socket?.write(encodeText(reply));
    }
  };
  const reader = new FrameReader(receive);
  socket = await openConnection({
    port: Number(portText),
    upgrade: wire.isBare !== true,
    target: wire.target,
    ...(wire.protocol !== undefined && { protocol: wire.protocol }),
    onBytes: (read) => {
      now = machineTime();
      reader.push(read);
    },
    onError: (error) => {
      throw error;
    },
  });
  if (wire.hello === undefined) return;
  socket.write(encodeText(wire.hello));
  await welcomed;
}

let joining = 0;
async function joinSome(): Promise<void> {
  while (joining < count) {
    joining++;
    await join();
  }
}

process.on("message", (message) => {
  const question = message as FanoutReceiverQuestion;
  if (question.ask === "expect") {
    missing = count * question.messages;
    tell({});
  } else {
    tell({ latency: latencyOf(latencies) });
    latencies = [];
  }
});
process.on("disconnect", () => process.exit());
await Promise.all(Array.from({ length: atOnce }, joinSome));
tell({});
