import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { ClientSession } from "../../src/http2/client-session.ts";
import type { StreamListener } from "../../src/http2/client-stream.ts";
import { HeaderDecoder } from "../../src/http2/header-decoder.ts";
import { Http2Violation } from "../../src/http2/frame.ts";
import { frame } from "./raw-server.ts";

const limits = { streamWindowBytes: 65_535, connectionWindowBytes: 65_535, maxHeaderBytes: 16_384 };
const streams = 3;

/** What a stream was told, in order. */
class Journal implements StreamListener {
  readonly entries: string[] = [];
  body = "";
  closed(code: number): void {
    this.#add(`closed ${code}`);
  }
  head(fields: readonly string[], isLast: boolean): void {
    this.#add(`head ${fields.join()} ${isLast}`);
  }
  data(data: Uint8Array): void {
    assert.ok(!this.isClosed, "data after the end");
    this.body += Buffer.from(data).toString("hex");
  }
  trailers(fields: readonly string[]): void {
    this.#add(`trailers ${fields.join()}`);
  }
  end(): void {
    this.#add("end");
  }
  drain(): void {
    assert.ok(!this.isClosed, "drain after the end");
  }
  get isClosed(): boolean {
    return this.entries.at(-1)?.startsWith("closed") === true;
  }
  #add(entry: string): void {
    assert.ok(!this.isClosed, `${entry} after the end`);
    this.entries.push(entry);
  }
}

interface Result {
  readonly journals: readonly Journal[];
  readonly failures: readonly string[];
}

/** Lets a server say some bytes, in chunks, to a session with open streams; then the connection ends. */
async function converse(chunks: readonly Buffer[], pause: boolean): Promise<Result> {
  const socket = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
  Object.assign(socket, { destroySoon: () => socket.destroy() });
  const failures: string[] = [];
  const session = new ClientSession(socket as unknown as Socket, limits, {
    settings() {},
    goaway() {},
    failed: (error) => failures.push(error.message),
  });
  session.begin();
  const journals = Array.from({ length: streams }, () => new Journal());
  for (const journal of journals) {
    const stream = session.request({ ":method": "POST", ":path": "/a.B/C" }, journal);
    stream.write([Buffer.alloc(10)], true);
    if (pause) stream.pause();
  }
  for (const chunk of chunks) {
    const memory = Buffer.from(chunk);
    session.receive(memory);
    // As the next read would.
    memory.fill(0xee);
  }
  await new Promise(setImmediate);
  await new Promise(setImmediate);
  session.destroy();
  await new Promise(setImmediate);
  socket.destroy();
  return { journals, failures };
}

const streamId = fc.integer({ min: 0, max: 2 * streams + 2 });
const flags = fc.constantFrom(0, 1, 4, 5, 8, 12, 13, 0x2d);
const block = fc.constantFrom(
  "88",
  "88 5f106170706c69636174696f6e2f67727063",
  "88 4001610162 be",
  "000b677270632d7374617475730130",
  "000b677270632d7374617475730135",
  "40856c61bec1e50186 3fe11f 20",
  "bf",
);
const sent: fc.Arbitrary<Buffer> = fc.oneof(
  fc.tuple(flags, streamId, fc.nat(40)).map(([f, id, size]) => frame(0, f & 9, id, "0a".repeat(size))),
  fc.tuple(flags, streamId, block).map(([f, id, hex]) => frame(1, f & 5, id, hex)),
  fc.tuple(flags, streamId, block).map(([f, id, hex]) => frame(9, f & 4, id, hex)),
  fc
    .tuple(flags, streamId, block)
    .map(([f, id, hex]) =>
      Buffer.concat([frame(1, f & 1, id, hex.slice(0, 2)), frame(9, 4, id, hex.slice(2))]),
    ),
  fc
    .tuple(fc.integer({ min: 0, max: 12 }), flags, streamId, fc.uint8Array({ maxLength: 30 }))
    .map(([type, f, id, payload]) => frame(type, f, id, Buffer.from(payload).toString("hex"))),
  fc.tuple(streamId, fc.nat(13)).map(([id, code]) => frame(3, 0, id, code.toString(16).padStart(8, "0"))),
  fc.tuple(streamId, fc.nat(70_000)).map(([id, more]) => frame(8, 0, id, more.toString(16).padStart(8, "0"))),
  fc.nat(8).map((last) => frame(7, 0, 0, `${last.toString(16).padStart(8, "0")}00000000`)),
  fc.constant(frame(6, 0, 0, "00".repeat(8))),
  fc.constant(frame(4, 0, 0, "000300000001 000400000010")),
);
/** Places in it where bytes are changed, and where it is cut. */
const changes = fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(255)), { maxLength: 3 });
const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 8 });

function cutAt(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...places.map((place) => Math.floor(place * bytes.length)), bytes.length].toSorted(
    (a, b) => a - b,
  );
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}

describe("whatever a server sends", () => {
  test("each stream ends once, and it means the same however it is cut", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(sent, { maxLength: 20 }),
        changes,
        cuts,
        fc.boolean(),
        async (frames, changed, places, pause) => {
          const wire = Buffer.concat([frame(4, 0, 0), ...frames]);
          for (const [place, value] of changed) wire[Math.floor(place * (wire.length - 1))] = value;
          const whole = await converse([wire], pause);
          for (const { isClosed } of whole.journals) assert.ok(isClosed, "a stream did not end");
          assert.ok(whole.failures.length <= 1);
          const cut = await converse(cutAt(wire, places), pause);
          assert.deepEqual(cut, whole);
        },
      ),
      { numRuns: 1000 },
    );
  });

  test("a block of headers is read within its limit or refused", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 5 }), (blocks) => {
        const decoder = new HeaderDecoder(1000);
        try {
          for (const each of blocks) {
            const fields = decoder.decode(Buffer.from(each));
            const size = fields?.reduce((sum, text) => sum + text.length + 16, 0) ?? 0;
            assert.ok(size <= 1000);
          }
        } catch (error) {
          if (!(error instanceof Http2Violation)) throw error;
        }
      }),
      { numRuns: 2000 },
    );
  });
});
