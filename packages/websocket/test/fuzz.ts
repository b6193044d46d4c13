/**
 * A long mutation fuzz of whole connections: `npm run fuzz -w @sluice/websocket -- [seconds, default 60] [seed]`.
 * Valid streams of frames, some of them compressed, are changed, cut anywhere and fed to connections that pause, send
 * and close at random. Checked each time: nothing throws, nothing hangs, no limit is exceeded, every text is UTF-8,
 * `close` comes exactly once and last, and what the connection wrote is valid itself. Prints how many it were.
 */
import assert from "node:assert/strict";
import { isUtf8 } from "node:buffer";
import { Duplex } from "node:stream";
import { deflateRawSync } from "node:zlib";
import type { Closed, WebSocketConnection } from "../src/index.ts";
import { defaultCompression } from "../src/deflate/negotiation.ts";
import { resolveLimits } from "../src/limits.ts";
import { SocketConnection } from "../src/socket-connection.ts";
import { bytes, frame, readFrames } from "./support/frames.ts";

const seconds = Number(process.argv[2] ?? 60);
const seed = Number(process.argv[3] ?? Date.now() % 1_000_000);
const limits = resolveLimits({ maxMessageBytes: 3000, maxFramingBytes: 200, maxBufferedBytes: 100_000 });

let state = seed;

/** A whole number from 0 to below a bound. */
function below(bound: number): number {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((state / 0x1_0000_0000) * bound);
}

function oneOf<Item>(items: readonly Item[]): Item {
  return items[below(items.length)]!;
}

/** The other end of a connection. */
class Wire extends Duplex {
  readonly written: Buffer[] = [];

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    this.written.push(Buffer.from(chunk));
    if (below(3) === 0) setImmediate(callback);
    else callback();
  }
}

function payload(): Buffer {
  const size = oneOf([0, 1, 5, 30, 125, 126, 300, 2000, 4000]);
  if (below(2) === 0) return Buffer.from("aß水𝄞 ".repeat(size).slice(0, size));
  return Buffer.from(Array.from({ length: size }, () => below(256)));
}

function deflated(data: Buffer): Buffer {
  return deflateRawSync(data, { finishFlush: 2 }).subarray(0, -4);
}

/** The frames of one message, or of something near one. */
function frames(mask: Buffer | undefined, compression: boolean): Buffer {
  const data = payload();
  const opcode = isUtf8(data) && below(3) > 0 ? 1 : 2;
  switch (below(8)) {
    case 0:
      return frame(oneOf([0x89, 0x8a]), data.subarray(0, 125), mask);
    case 1:
      return frame(0x88, oneOf([bytes("03e8"), bytes(""), bytes('1388 "bye"'), bytes("03ed")]), mask);
    case 2:
    case 3: {
      const cut = below(data.length + 1);
      const ping = below(2) === 0 ? frame(0x89, "between", mask) : Buffer.alloc(0);
      return Buffer.concat([
        frame(opcode, data.subarray(0, cut), mask),
        ping,
        frame(0x80, data.subarray(cut), mask),
      ]);
    }
    case 4:
    case 5:
      if (compression)
        return frame(0xc0 | opcode, deflated(oneOf([data, Buffer.alloc(below(200_000))])), mask);
      return frame(0x80 | opcode, data, mask);
    default:
      return frame(0x80 | opcode, data, mask);
  }
}

function mutate(wire: Buffer): Buffer {
  const at = below(wire.length + 1);
  const end = Math.min(wire.length, at + below(20));
  switch (below(6)) {
    case 0:
      return Buffer.concat([wire.subarray(0, at), wire.subarray(end)]);
    case 1:
      return Buffer.concat([wire.subarray(0, end), wire.subarray(at)]);
    case 2:
      return Buffer.concat([wire.subarray(0, at), Buffer.from([below(256), below(256)]), wire.subarray(at)]);
    case 3:
      return wire.subarray(0, at);
    default:
      if (wire.length > 0) wire[below(wire.length)]! ^= 1 << below(8);
      return wire;
  }
}

function act(connection: WebSocketConnection): void {
  switch (below(30)) {
    case 0:
      connection.pause();
      setImmediate(() => connection.resume());
      break;
    case 1:
      connection.send("x".repeat(below(40_000)));
      break;
    case 2:
      connection.send(payload());
      break;
    case 3:
      connection.ping("p");
      break;
    case 4:
      connection.close(oneOf([1000, 4000]), "enough");
      break;
    case 5:
      if (below(5) === 0) connection.terminate();
      break;
    default:
  }
}

async function once(): Promise<void> {
  const masked = below(2) === 0;
  const mask = masked ? Buffer.from([below(256), below(256), below(256), below(256)]) : undefined;
  const compressed = below(2) === 0;
  const takeover = { contextTakeover: below(2) === 0, peerContextTakeover: below(2) === 0 };
  let wire = Buffer.concat(Array.from({ length: below(8) }, () => frames(mask, compressed)));
  for (let changes = below(4); changes > 0; changes--) wire = Buffer.from(mutate(wire));

  const socket = new Wire();
  let closed: Closed | undefined;
  const ended = new Promise<void>((resolve) => {
    const alive = (connection: WebSocketConnection): void => {
      assert.equal(closed, undefined, "something came after close");
      act(connection);
    };
    const connection = new SocketConnection(socket, Buffer.alloc(0), {
      role: masked ? "server" : "client",
      protocol: "",
      limits,
      compression: compressed ? { ...defaultCompression, threshold: 0, ...takeover } : undefined,
      handlers: {
        message(each, data, isBinary) {
          assert.ok(data.length <= limits.maxMessageBytes, "a message is over the limit");
          assert.ok(isBinary || isUtf8(data), "a text is not UTF-8");
          alive(each);
        },
        ping: alive,
        pong: alive,
        drain: alive,
        close(each, how) {
          assert.equal(closed, undefined, "close came twice");
          assert.equal(each.bufferedAmount, 0);
          closed = how;
          resolve();
        },
      },
    });
    act(connection);
  });
  while (wire.length > 0 && !socket.destroyed) {
    const size = oneOf([1, 2, 7, 100, 1000, wire.length]);
    socket.push(wire.subarray(0, size));
    wire = wire.subarray(size);
    if (below(3) === 0) {
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    }
  }
  if (!socket.destroyed) socket.push(null);
  const hang = setTimeout(() => assert.fail("the connection does not end"), 5000);
  await ended;
  clearTimeout(hang);
  const found = readFrames(socket.written, { masked: !masked, compression: true });
  assert.ok(!found.some((entry) => entry.startsWith("failed")), "what was written is not valid");
}

const deadline = performance.now() + seconds * 1000;
let count = 0;
for (; performance.now() < deadline; count++) {
  const before = state;
  try {
    await once();
  } catch (error) {
    process.stderr.write(`failed after ${count} connections; again with: fuzz.ts 1 ${before}\n`);
    throw error;
  }
}
process.stdout.write(`${count} connections in ${seconds} s from seed ${seed}: no failure\n`);
