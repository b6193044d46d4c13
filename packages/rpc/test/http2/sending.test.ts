import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { test } from "node:test";
import * as fc from "fast-check";
import { ClientSession } from "../../src/http2/client-session.ts";
import { frameFlag, frameType, preface } from "../../src/http2/frame.ts";
import { FrameReader, type FrameSink } from "../../src/http2/frame-reader.ts";
import { frame } from "./raw-server.ts";

const limits = { streamWindowBytes: 65_535, connectionWindowBytes: 65_535, maxHeaderBytes: 16_384 };
const count = 3;

type Step =
  | readonly ["write", stream: number, bytes: number, isLast: boolean]
  | readonly ["write now", stream: number, bytes: number]
  | readonly ["widen", stream: number, bytes: number]
  | readonly ["settings", windowBytes: number]
  | readonly ["reset", stream: number]
  | readonly ["cancel", stream: number]
  | readonly ["turn"]
  | readonly ["read"];

const stream = fc.nat(count - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(fc.constant("write" as const), stream, fc.nat(40_000), fc.boolean()),
  fc.tuple(fc.constant("write" as const), stream, fc.nat(100), fc.constant(false)),
  fc.tuple(fc.constant("write now" as const), stream, fc.oneof(fc.nat(100), fc.nat(20_000))),
  fc.tuple(
    fc.constant("widen" as const),
    fc.integer({ min: -1, max: count - 1 }),
    fc.integer({ min: 1, max: 50_000 }),
  ),
  fc.tuple(fc.constant("settings" as const), fc.oneof(fc.nat(100), fc.nat(100_000))),
  fc.tuple(fc.constant("reset" as const), stream),
  fc.tuple(fc.constant("cancel" as const), stream),
  fc.tuple(fc.constant("turn" as const)),
  fc.tuple(fc.constant("read" as const)),
);

/** A request as its server sees it. */
interface Seen {
  /** How much more was allowed than sent, beside what SETTINGS allow each stream at first. */
  window: number;
  bytes: number;
  isEnded: boolean;
  isReset: boolean;
}

const hex = (value: number): string => value.toString(16).padStart(8, "0");
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** What a stream sends: the number of each byte, so that a lost or repeated one is found. */
const body = (from: number, bytes: number): Uint8Array =>
  Uint8Array.from({ length: bytes }, (_, index) => (from + index) % 251);

/** Lets a session send to a server that checks every frame against its windows. */
async function send(steps: readonly Step[], takesAtOnce: boolean): Promise<void> {
  const seen = Array.from({ length: count }, (): Seen => ({
    window: 0,
    bytes: 0,
    isEnded: false,
    isReset: false,
  }));
  let window = 65_535;
  /** The SETTINGS that the client has confirmed, and then those that it has not: until then it may have sent by the former. */
  const initial = [65_535];
  let skipped = 0;
  const check: FrameSink = (type, flags, id, payload) => {
    const request = seen[(id - 1) / 2];
    if (type === frameType.settings && (flags & frameFlag.ack) !== 0) initial.shift();
    if (type === frameType.rstStream && request !== undefined) request.isReset = true;
    if (type !== frameType.data) return;
    assert.ok(request !== undefined && !request.isEnded && !request.isReset, "data on a stream that is over");
    const allowed = Math.min(request.window + Math.max(...initial), window);
    assert.ok(payload.length === 0 || payload.length <= allowed, "more than a window");
    assert.deepEqual(new Uint8Array(payload), body(request.bytes, payload.length));
    request.window -= payload.length;
    window -= payload.length;
    request.bytes += payload.length;
    request.isEnded = (flags & frameFlag.endStream) !== 0;
  };
  const faults: unknown[] = [];
  const reader = new FrameReader((...of) => {
    try {
      check(...of);
    } catch (error) {
      faults.push(error);
    }
  });
  const unread: (() => void)[] = [];
  const socket = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      // What the system does not take at once it reads later, and nobody may change it meanwhile.
      const asWritten = Buffer.from(chunk);
      if (takesAtOnce) return done();
      unread.push(() => {
        if (!asWritten.equals(chunk)) faults.push(new Error("what waits to be sent has changed"));
        done();
      });
    },
  });
  const write = socket.write.bind(socket);
  Object.assign(socket, {
    write(chunk: Uint8Array): boolean {
      const skip = Math.min(chunk.length, preface.length - skipped);
      skipped += skip;
      reader.push(Buffer.from(chunk.subarray(skip)));
      return write(chunk);
    },
  });
  const says = (...frames: readonly Buffer[]): void => session.receive(Buffer.concat(frames));
  const read = async (): Promise<void> => {
    for (let done = unread.shift(); done !== undefined; done = unread.shift()) {
      done();
      await turn();
    }
  };
  const widen = (index: number, bytes: number): void => {
    const request = seen[index];
    if (request === undefined) window += bytes;
    else request.window += bytes;
    says(frame(frameType.windowUpdate, 0, index < 0 ? 0 : 2 * index + 1, hex(bytes)));
  };

  const session = new ClientSession(socket as unknown as Socket, limits, {
    settings() {},
    goaway() {},
    failed: (error) => assert.ifError(error),
  });
  session.begin();
  initial.push(65_535);
  says(frame(frameType.settings, 0, 0));
  const requests = seen.map(() => {
    const quiet = { head() {}, data() {}, trailers() {}, end() {}, drain() {}, closed() {} };
    return { stream: session.request({ ":method": "POST" }, quiet), written: 0, isLast: false };
  });
  for (const each of steps) {
    const request = requests[Number(each[1])];
    if (each[0] === "turn") await turn();
    else if (each[0] === "read") await read();
    else if (each[0] === "widen") widen(each[1], each[2]);
    else if (each[0] === "settings") {
      initial.push(each[1]);
      says(frame(frameType.settings, 0, 0, `0004 ${hex(each[1])}`));
    } else if (each[0] === "reset") {
      await turn();
      const one = seen[each[1]];
      if (one !== undefined) one.isReset = true;
      says(frame(frameType.rstStream, 0, 2 * each[1] + 1, hex(8)));
    } else if (each[0] === "cancel") request?.stream.reset(8);
    else if (each[0] === "write now") {
      if (request === undefined || request.isLast) continue;
      const bytes = body(request.written, each[2]);
      const first = bytes.slice(0, 5);
      const second = bytes.slice(5);
      if (request.stream.writeNow(first, second)) request.written += each[2];
      first.fill(0xff);
      second.fill(0xff);
    } else if (request !== undefined && !request.isLast) {
      request.stream.write([body(request.written, each[2])], each[3]);
      request.written += each[2];
      request.isLast = each[3];
    }
  }
  for (let index = -1; index < count; index++) widen(index, 10_000_000);
  for (let round = 0; round < 3 || unread.length > 0; round++) {
    await turn();
    await read();
  }
  assert.deepEqual(faults, []);
  for (const [index, { stream: sent, written, isLast }] of requests.entries()) {
    if (sent.isClosed) continue;
    assert.equal(seen[index]?.bytes, written);
    assert.equal(seen[index]?.isEnded, isLast);
  }
  socket.destroy();
}

test("what a client sends is whole and in order, and never more than the windows of its server", async () => {
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 30 }), fc.boolean(), send), { numRuns: 200 });
});
