import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Code, FrameType, MAX_CHUNK_BYTES, MAX_WEB_SOCKET_MESSAGE_BYTES } from "../src/index.ts";
import { frames } from "./frames.ts";
import { bytesOf, Pair, Recorder } from "./pair.ts";

test("a message of 100 MB delays a small one of another call by at most one chunk", () => {
  const big = 100 * 1024 * 1024;
  const pair = new Pair({ server: { maxMessageBytes: big } });
  pair.up.capacity = 1;
  let messages = 0;
  const large = pair.client.open({ method: "a/large" }, new Recorder());
  const small = pair.client.open({ method: "a/small" }, new Recorder());
  pair.settle();
  large.send(new Uint8Array(big));
  for (let round = 0; round < 200; round++) {
    pair.loop.run();
    const before = pair.up.sent.length;
    small.send(bytesOf(10));
    // One message may be on its way already; what matters is what is written after this moment.
    while (pair.accepted[1]?.record.messages.length === messages) {
      pair.loop.run();
      pair.deliver("server");
      pair.deliver("client");
    }
    messages++;
    const after = frames(...pair.up.sent.slice(before));
    const place = after.findIndex((frame) => frame.type === FrameType.DATA && frame.call === 2);
    const ahead = after.slice(0, place).reduce((sum, frame) => sum + frame.payload.length, 0);
    assert.ok(ahead <= MAX_CHUNK_BYTES, `${ahead} bytes went ahead`);
  }
  pair.settle();
  assert.equal(pair.accepted[0]?.record.messages[0]?.length, big);
});

test("calls take turns of one chunk, also with small messages", () => {
  const pair = new Pair();
  const calls = Array.from({ length: 3 }, () => pair.client.open({ method: "a/b" }, new Recorder()));
  pair.settle();
  const before = pair.up.sent.length;
  for (const call of calls) for (let message = 0; message < 60; message++) call.send(bytesOf(992));
  pair.up.capacity = Infinity;
  pair.loop.run();
  const order = frames(...pair.up.sent.slice(before)).map(({ call }) => call);
  const turns = order.filter((call, index) => call !== order[index - 1]);
  assert.deepEqual(turns.slice(0, 6), [1, 2, 3, 1, 2, 3]);
  assert.equal(order.lastIndexOf(1, order.indexOf(2)), 15, "sixteen messages of 1,000 bytes are a turn");
});

test("a listener that throws at the end of its call does not keep another from its own", () => {
  const ends: string[] = [];
  const quiet = { message() {}, halfClose() {}, drain() {} };
  const pair = new Pair({
    accept: ({ opening: { method } }) => ({
      ...quiet,
      end: () => {
        ends.push(method);
        if (method === "a/first") throw new Error("it fails");
      },
    }),
  });
  for (const method of ["a/first", "a/second", "a/third"]) pair.client.open({ method }, new Recorder());
  pair.settle();
  for (const { call } of pair.accepted) call.end({ code: Code.OK, message: "" });
  assert.throws(() => pair.loop.run(), /it fails/);
  pair.settle();
  assert.deepEqual(ends, ["a/first", "a/second", "a/third"]);
  assert.equal(pair.server.size, 0);
});

test("a WebSocket message is about one chunk long, unless one frame is longer", () => {
  const pair = new Pair({ server: { maxHeaderBytes: 65_528 } });
  pair.up.capacity = Infinity;
  pair.settle();
  pair.client.open({ method: "a/b", metadata: { a: "x".repeat(60_000) } }, new Recorder());
  const call = pair.client.open({ method: "a/b" }, new Recorder());
  for (let message = 0; message < 100; message++) call.send(bytesOf(700));
  pair.settle();
  assert.equal(pair.accepted.length, 2);
  assert.equal(pair.accepted[1]?.record.messages.length, 100);
  const sizes = pair.up.sent.map(({ length }) => length);
  assert.ok(Math.max(...sizes) <= MAX_WEB_SOCKET_MESSAGE_BYTES);
  assert.equal(sizes.filter((size) => size > MAX_CHUNK_BYTES + 8).length, 1);
});

test("nothing is sent while the WebSocket has no room, and control frames leave first then", () => {
  const pair = new Pair();
  pair.up.capacity = 1;
  const call = pair.client.open({ method: "a/b" }, new Recorder());
  pair.settle();
  call.send(bytesOf(60_000));
  pair.loop.run();
  const { length } = pair.up.sent;
  pair.client.open({ method: "a/c" }, new Recorder());
  pair.loop.run();
  assert.equal(pair.up.sent.length, length);
  pair.deliver("client");
  assert.deepEqual(
    frames(pair.up.sent[length]!).map(({ type }) => type),
    [FrameType.OPEN],
  );
});

test("many messages that wait on one call leave in order", () => {
  const pair = new Pair({ server: { initialCredit: 16_392 } });
  const call = pair.client.open({ method: "a/b" }, new Recorder());
  pair.up.capacity = 1;
  for (let message = 0; message < 1000; message++) {
    call.send(bytesOf(50, message));
    if (message % 7 === 0) pair.loop.run();
    if (message % 50 === 0) pair.deliver("client");
  }
  pair.settle();
  const received = pair.accepted[0]!.record.messages;
  assert.equal(received.length, 1000);
  received.forEach((message, index) => assert.deepEqual(message, bytesOf(50, index)));
});

test("the status comes behind the messages before it", () => {
  const pair = new Pair();
  const record = new Recorder();
  const call = pair.client.open({ method: "a/b" }, record);
  pair.settle();
  call.pause();
  const { call: accepted, record: other } = pair.accepted[0]!;
  for (let message = 0; message < 30; message++) accepted.send(bytesOf(10_000, message));
  accepted.end({ code: Code.ABORTED, message: "" }, { a: "1" });
  pair.settle();
  assert.equal(record.ends.length + other.ends.length, 0);
  // What the client still sends is not for anyone.
  call.send(bytesOf(1));
  call.halfClose();
  pair.settle();
  assert.deepEqual([other.messages.length, other.halfCloses], [0, 0]);
  call.resume();
  pair.settle();
  assert.equal(record.messages.length, 30);
  assert.deepEqual([record.ends.length, other.ends.length], [1, 1]);
});

test("calls that end while they wait for their turn leave it to the others", () => {
  for (const ended of [0, 1, 2]) {
    const pair = new Pair();
    const calls = Array.from({ length: 3 }, () => pair.client.open({ method: "a/b" }, new Recorder()));
    pair.settle();
    pair.up.capacity = 0;
    for (const call of calls) call.send(bytesOf(50_000));
    pair.loop.run();
    calls[ended]?.cancel();
    const late = pair.client.open({ method: "a/b" }, new Recorder());
    late.send(bytesOf(10));
    pair.up.capacity = Infinity;
    pair.settle();
    const counts = pair.accepted.map(({ record }) => record.messages.length);
    assert.deepEqual(
      counts,
      [0, 1, 2, 3].map((call) => (call === ended ? 0 : 1)),
    );
  }
});

/** Calls that the server has accepted, and the frames of DATA that have been sent since. */
function serve(calls: number, options: ConstructorParameters<typeof Pair>[0] = {}) {
  const pair = new Pair(options);
  const records = Array.from({ length: calls }, () => new Recorder());
  for (const record of records) pair.client.open({ method: "a/b" }, record);
  pair.settle();
  for (const { call } of pair.accepted) call.headers({});
  pair.settle();
  pair.down.capacity = Infinity;
  const before = pair.down.sent.length;
  const sent = (): [call: number, bytes: number][] =>
    frames(...pair.down.sent.slice(before)).map(({ call, payload }) => [call, payload.length]);
  return { pair, servers: pair.accepted.map(({ call }) => call), records, sent };
}

describe("a view of a server", () => {
  test("leaves with the others at the end of the turn, and its memory is used again before that", () => {
    const { pair, servers, sent } = serve(2);
    const memory = new Uint8Array(10);
    for (const call of servers) {
      memory.fill(servers.indexOf(call) + 1);
      assert.ok(call.sendView(memory));
    }
    memory.fill(0xee);
    assert.deepEqual(sent(), []);
    pair.loop.run();
    assert.equal(pair.down.waiting.length, 1, "one WebSocket message");
    const [first, second] = frames(pair.down.waiting[0]!);
    assert.deepEqual(
      [first?.payload, second?.payload],
      [new Uint8Array(10).fill(1), new Uint8Array(10).fill(2)],
    );
  });

  test("leaves at once with a batch that is full, and waits for the end of the turn behind a chunk of its own call", () => {
    const { pair, servers, sent } = serve(3);
    const chunk = bytesOf(MAX_CHUNK_BYTES);
    const [one, other, third] = servers;
    one?.sendView(chunk);
    assert.deepEqual(sent(), [[1, MAX_CHUNK_BYTES]]);
    other?.sendView(chunk);
    assert.equal(sent().length, 2);
    other?.sendView(chunk);
    third?.sendView(bytesOf(10));
    one?.sendView(bytesOf(20));
    assert.equal(sent().length, 2);
    pair.loop.run();
    const lengths = [MAX_CHUNK_BYTES, MAX_CHUNK_BYTES, MAX_CHUNK_BYTES, 10, 20];
    assert.deepEqual(
      sent(),
      [1, 2, 2, 3, 1].map((call, index) => [call, lengths[index]]),
    );
  });

  test("waits for credit, for room in the WebSocket, and behind what waits", () => {
    const { pair, servers, records, sent } = serve(1, { client: { initialCredit: 16_392 } });
    const [call] = servers;
    const messages = [bytesOf(16_000), bytesOf(500, 1), bytesOf(20_000, 2), bytesOf(5, 3)];
    for (const message of messages) {
      const view = message.slice();
      call?.sendView(view);
      view.fill(0xee);
    }
    pair.loop.run();
    assert.deepEqual(sent(), [[1, 16_000]]);
    pair.down.capacity = 1;
    pair.loop.run();
    pair.deliver("server");
    pair.loop.run();
    const { messages: received } = records[0]!;
    while (received.length < messages.length) {
      pair.loop.run();
      pair.deliver("client");
      pair.deliver("server");
    }
    assert.deepEqual(received, messages);
  });

  test("is dropped with its connection, and leaves nothing to the next one", () => {
    const { servers, pair, sent } = serve(1);
    servers[0]?.sendView(bytesOf(100));
    pair.server.closed(1006, "");
    pair.loop.run();
    assert.deepEqual(sent(), []);
    const next = serve(1);
    next.servers[0]?.sendView(bytesOf(3));
    next.pair.loop.run();
    assert.deepEqual(next.sent(), [[1, 3]]);
  });

  test("does not need memory for each of many connections", () => {
    const many = Array.from({ length: 100 }, () => serve(1));
    for (const { servers } of many)
      for (let message = 0; message < 3; message++) servers[0]?.sendView(bytesOf(9));
    for (const { pair, sent } of many) {
      pair.loop.run();
      assert.deepEqual(sent(), [
        [1, 9],
        [1, 9],
        [1, 9],
      ]);
    }
  });
});
