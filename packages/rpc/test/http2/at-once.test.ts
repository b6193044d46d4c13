import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { describe, test } from "node:test";
import { ClientSession } from "../../src/http2/client-session.ts";
import { frameType, preface } from "../../src/http2/frame.ts";
import { FrameReader } from "../../src/http2/frame-reader.ts";
import type { StreamListener } from "../../src/http2/client-stream.ts";
import { frame } from "./raw-server.ts";

const limits = { streamWindowBytes: 65_535, connectionWindowBytes: 65_535, maxHeaderBytes: 16_384 };
const headers = { ":method": "POST", ":path": "/a.B/C" };
const quiet: StreamListener = { head() {}, data() {}, trailers() {}, end() {}, drain() {}, closed() {} };
const prefix = Buffer.alloc(5, 1);
const message = Buffer.alloc(100, 2);

interface Peer {
  readonly session: ClientSession;
  /** The DATA frames that its socket was given: stream and bytes. */
  readonly sent: [stream: number, payload: Buffer][];
  /** The memory of each write. */
  readonly written: ArrayBufferLike[];
}

/** A session on a socket that takes everything at once. */
function connect(settings = ""): Peer {
  const sent: [number, Buffer][] = [];
  const written: ArrayBufferLike[] = [];
  const reader = new FrameReader((type, _flags, id, payload) => {
    if (type === frameType.data) sent.push([id, payload]);
  });
  let skipped = 0;
  const socket = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      written.push(chunk.buffer);
      const skip = Math.min(chunk.length, preface.length - skipped);
      skipped += skip;
      reader.push(Buffer.from(chunk.subarray(skip)));
      done();
    },
  });
  const session = new ClientSession(socket as unknown as Socket, limits, {
    settings() {},
    goaway() {},
    failed: (error) => assert.ifError(error),
  });
  session.begin();
  session.receive(frame(frameType.settings, 0, 0, settings));
  return { session, sent, written };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("what a stream writes at once", () => {
  test("joins the DATA frame of the stream before it, and leaves at the end of the turn", async () => {
    const { session, sent } = connect();
    const one = session.request(headers, quiet);
    const other = session.request(headers, quiet);
    await turn();
    for (const stream of [one, one, other, one]) assert.ok(stream.writeNow(prefix, message));
    assert.deepEqual(sent, []);
    await turn();
    const both = Buffer.concat([prefix, message]);
    assert.deepEqual(sent, [
      [1, Buffer.concat([both, both])],
      [3, both],
      [1, both],
    ]);
  });

  test("is split where it is more than a frame", async () => {
    const { session, sent } = connect();
    const stream = session.request(headers, quiet);
    await turn();
    const large = Buffer.alloc(16_384, 3);
    assert.ok(stream.writeNow(prefix, large) && stream.writeNow(prefix, message));
    await turn();
    const all = Buffer.concat([prefix, large, prefix, message]);
    assert.deepEqual(sent, [
      [1, all.subarray(0, 16_384)],
      [1, all.subarray(16_384)],
    ]);
  });

  test("is nothing where something waits before it", async () => {
    const { session, sent } = connect();
    const one = session.request(headers, quiet);
    const other = session.request(headers, quiet);
    await turn();
    one.write([message], false);
    assert.ok(!one.writeNow(prefix, message), "its own bytes wait");
    assert.ok(!other.writeNow(prefix, message), "another stream waits for its turn");
    await turn();
    assert.deepEqual(sent, [[1, message]]);
  });

  test("is nothing where a window has no room for all of it", async () => {
    const { session, sent } = connect(`0004 ${(20_000).toString(16).padStart(8, "0")}`);
    const streams = Array.from({ length: 5 }, () => session.request(headers, quiet));
    await turn();
    const large = Buffer.alloc(16_000);
    const [first] = streams;
    assert.equal(first?.writeNow(prefix, large), true);
    assert.equal(first?.writeNow(prefix, large), false, "that of the stream");
    const taken = streams.slice(1).map((stream) => stream.writeNow(prefix, large));
    assert.deepEqual(taken, [true, true, true, false], "that of the connection, of 65,535 bytes");
    await turn();
    assert.deepEqual(
      sent.map(([, payload]) => payload.length),
      [16_005, 16_005, 16_005, 16_005],
    );
  });

  test("is nothing where it is more than its share of a turn, or the request or the stream is over", async () => {
    const { session, sent } = connect();
    const stream = session.request(headers, quiet);
    const ended = session.request(headers, quiet);
    await turn();
    assert.ok(!stream.writeNow(prefix, Buffer.alloc(20_000)));
    ended.write([], true);
    assert.ok(!ended.writeNow(prefix, message));
    stream.reset(8);
    assert.ok(!stream.writeNow(prefix, message));
    await turn();
    assert.deepEqual(sent, [[3, Buffer.alloc(0)]]);
  });

  test("does not wait for the end of the turn where it is very much", async () => {
    const { session, sent } = connect("0004 7fffffff");
    session.receive(frame(frameType.windowUpdate, 0, 0, "7fff0000"));
    const stream = session.request(headers, quiet);
    await turn();
    for (let count = 0; count < 70; count++) assert.ok(stream.writeNow(prefix, Buffer.alloc(16_000)));
    assert.ok(sent.length > 50);
  });

  test("is gathered in memory that the next turn has again, also when the turn was busy", async () => {
    const { session, written } = connect("0004 7fffffff");
    session.receive(frame(frameType.windowUpdate, 0, 0, "7fff0000"));
    const stream = session.request(headers, quiet);
    await turn();
    written.length = 0;
    for (let count = 0; count < 3; count++) {
      for (let sent = 0; sent < 50; sent++) assert.ok(stream.writeNow(prefix, Buffer.alloc(16_384)));
      await turn();
    }
    assert.equal(written.length, 3);
    assert.equal(new Set(written).size, 1);
  });
});
