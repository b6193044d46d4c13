import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Code, FrameType, type MultiplexLimits, noMetadata } from "../src/index.ts";
import { decodeCredit, encodeEmpty, encodeOpen } from "../src/frame-codec.ts";
import { frames } from "./frames.ts";
import { type Accepted, bytesOf, Pair, Recorder } from "./pair.ts";

/** A pair with one call, which is accepted. */
function open(server: Partial<MultiplexLimits> = {}, client: Partial<MultiplexLimits> = {}) {
  const pair = new Pair({ server, client });
  const record = new Recorder();
  const call = pair.client.open({ method: "a/b" }, record);
  pair.settle();
  return { pair, record, call, accepted: pair.accepted[0]! };
}

describe("credit", () => {
  test("is counted with the headers, and a paused receiver gives none", () => {
    const { pair, call, accepted } = open({ initialCredit: 40_000 });
    accepted.call.pause();
    for (let message = 0; message < 100; message++) call.send(bytesOf(992));
    pair.settle();
    assert.equal(accepted.record.messages.length, 40);
    accepted.call.resume();
    pair.settle();
    assert.equal(accepted.record.messages.length, 100);
  });

  test("bounds empty messages too", () => {
    const { pair, call, accepted } = open({ initialCredit: 16_392 });
    accepted.call.pause();
    for (let message = 0; message < 3000; message++) call.send(new Uint8Array(0));
    pair.settle();
    assert.equal(accepted.record.messages.length, 16_392 / 8);
  });

  test("of one call does not hold up another", () => {
    const { pair, call, accepted } = open();
    accepted.call.pause();
    call.send(bytesOf(1_000_000));
    pair.settle();
    const other = pair.client.open({ method: "a/c" }, new Recorder());
    other.send(bytesOf(500_000));
    pair.settle();
    assert.deepEqual(pair.accepted[1]?.record.messages, [bytesOf(500_000)]);
    assert.equal(accepted.record.messages.length, 0);
  });

  test("is waited for rather than a tiny chunk is cut", () => {
    const { pair, call, accepted } = open({ initialCredit: 16_392 });
    accepted.call.pause();
    const before = pair.up.sent.length;
    call.send(bytesOf(15_500));
    call.send(bytesOf(15_000));
    pair.settle();
    call.send(bytesOf(10));
    accepted.call.resume();
    pair.settle();
    const sizes = frames(...pair.up.sent.slice(before)).map(({ payload }) => payload.length);
    assert.deepEqual(sizes, [15_500, 15_000, 10]);
    assert.equal(accepted.record.messages.length, 3);
  });

  test("is given in portions of half the initial credit", () => {
    const { pair, call } = open({ initialCredit: 100_000 });
    for (let message = 0; message < 100; message++) call.send(bytesOf(992));
    pair.settle();
    const credits = frames(...pair.down.sent).filter(({ type }) => type === FrameType.CREDIT);
    assert.deepEqual(
      credits.map(({ payload }) => decodeCredit(payload)),
      [50_000, 50_000],
    );
  });
});

describe("send", () => {
  test("answers false from 64 KiB on, and drain follows when half of it has left", () => {
    const { pair, call, record, accepted } = open({ initialCredit: 16_392 });
    accepted.call.pause();
    assert.equal(call.send(bytesOf(60_000)), true);
    assert.equal(call.send(bytesOf(10_000)), false);
    pair.settle();
    assert.equal(record.drains, 0);
    accepted.call.resume();
    pair.settle();
    assert.equal(record.drains, 1);
    assert.equal(call.send(bytesOf(1)), true);
  });

  test("may be called by drain", () => {
    const { pair, call, record, accepted } = open();
    const sizes = Array.from({ length: 50 }, () => 70_000);
    record.drain = () => {
      const size = sizes.pop();
      if (size !== undefined) call.send(bytesOf(size));
      else call.halfClose();
    };
    call.send(bytesOf(70_000));
    pair.settle();
    assert.equal(accepted.record.messages.length, 51);
    assert.equal(accepted.record.halfCloses, 1);
  });

  test("after halfClose does nothing", () => {
    const { pair, call, accepted } = open();
    call.halfClose();
    call.halfClose();
    assert.equal(call.send(bytesOf(1)), false);
    pair.settle();
    assert.deepEqual([accepted.record.messages.length, accepted.record.halfCloses], [0, 1]);
  });
});

describe("a limit that is broken ends the call with RESOURCE_EXHAUSTED, and no other call:", () => {
  const exhausted = Code.RESOURCE_EXHAUSTED;

  test("a message that is larger than the server takes is not sent", () => {
    const { pair, call, record, accepted } = open({ maxMessageBytes: 1000 });
    call.send(bytesOf(1000));
    call.send(bytesOf(1001));
    assert.equal(record.ends[0]?.code, exhausted);
    pair.settle();
    assert.equal(accepted.record.ends[0]?.code, Code.CANCELLED);
  });

  test("a message that was sent before the server has said how much it takes", () => {
    const pair = new Pair({ server: { maxMessageBytes: 1000 } });
    const record = new Recorder();
    pair.client.open({ method: "a/b" }, record).send(bytesOf(1001));
    pair.settle();
    assert.equal(record.ends[0]?.code, exhausted);
    assert.deepEqual([pair.client.size, pair.server.size], [0, 0]);
  });

  test("a message that is larger than the client takes becomes a status", () => {
    const { pair, record, accepted } = open({}, { maxMessageBytes: 1000 });
    accepted.call.send(bytesOf(1001));
    pair.settle();
    assert.deepEqual([record.ends[0]?.code, accepted.record.ends[0]?.code], [exhausted, exhausted]);
  });

  test("messages that wait on the connection, but never the first 64 KiB of a call", () => {
    const { pair, call, record } = open({ maxMessageBytes: 60_000 }, { maxWaitingBytes: 200_000 });
    pair.up.capacity = 0;
    for (let message = 0; message < 5; message++) call.send(bytesOf(40_000));
    pair.loop.run();
    const other = new Recorder();
    const second = pair.client.open({ method: "a/b" }, other);
    pair.loop.run();
    assert.equal(second.send(bytesOf(60_000)), true);
    assert.deepEqual([record.ends.length, other.ends.length], [0, 0]);
    assert.equal(second.send(bytesOf(60_000)), false);
    assert.equal(other.ends[0]?.code, exhausted);
    assert.equal(call.send(bytesOf(20_000)), false);
    assert.equal(record.ends[0]?.code, exhausted);
    // What waited is gone with them.
    const third = new Recorder();
    const next = pair.client.open({ method: "a/b" }, third);
    for (let message = 0; message < 5; message++) next.send(bytesOf(40_000));
    assert.equal(third.ends.length, 0);
  });

  test("but not a message that the server takes, whether it has said so or not", () => {
    const pair = new Pair({ server: { maxMessageBytes: 8_000_000 }, client: { maxWaitingBytes: 1000 } });
    for (let call = 0; call < 2; call++) {
      const { length } = pair.accepted;
      pair.client.open({ method: "a/b" }, new Recorder()).send(bytesOf(7_000_000));
      pair.settle();
      assert.equal(pair.accepted[length]?.record.messages.length, 1);
    }
  });

  test("responses that wait become a status without them", () => {
    const { pair, record, accepted } = open({ maxWaitingBytes: 200_000 }, { maxMessageBytes: 60_000 });
    for (let message = 0; message < 5; message++) accepted.call.send(bytesOf(50_000));
    pair.settle();
    assert.equal(record.ends[0]?.code, exhausted);
    assert.equal(pair.server.size, 0);
  });

  test("messages that come in part and take too much memory together", () => {
    const pair = new Pair({ server: { maxMessageBytes: 100_000, maxAssemblyBytes: 150_000 } });
    const records = Array.from({ length: 3 }, () => {
      const record = new Recorder();
      const call = pair.client.open({ method: "a/b" }, record);
      call.send(bytesOf(90_000));
      return record;
    });
    pair.settle();
    const codes = records.map(({ ends }) => ends[0]?.code);
    assert.ok(codes.includes(exhausted));
    assert.ok(codes.includes(undefined));
  });

  test("metadata that is larger than the server takes", () => {
    const { pair, call } = open();
    const record = new Recorder();
    pair.client.open({ method: "a/b", metadata: { a: "x".repeat(17_000) } }, record);
    pair.settle();
    assert.equal(record.ends[0]?.code, exhausted);
    assert.equal(pair.accepted.length, 1);
    call.cancel();
  });

  test("headers, trailers and details that are larger than the client takes", () => {
    const a = "x".repeat(17_000);
    const ok = { code: Code.OK, message: "" };
    for (const end of [
      ({ call }: { call: Pair["accepted"][0]["call"] }) => call.headers({ a }),
      ({ call }: { call: Pair["accepted"][0]["call"] }) => call.end(ok, { a }),
      ({ call }: { call: Pair["accepted"][0]["call"] }) => call.end({ ...ok, details: bytesOf(70_000) }),
    ]) {
      const { pair, record, accepted } = open();
      end(accepted);
      pair.settle();
      assert.equal(record.ends[0]?.code, exhausted);
      assert.match(record.ends[0]?.message ?? "", /17012|17004|70008|maximum of 16384/);
    }
  });

  test("a trailer whose very name is too long still ends the call", () => {
    const { pair, record, accepted } = open();
    accepted.call.end({ code: Code.OK, message: "" }, { ["ä".repeat(100_000)]: "" });
    pair.settle();
    assert.equal(record.ends[0]?.code, Code.INTERNAL);
  });
});

describe("a client that does not read what it causes ends with 4429,", () => {
  const limits = { maxCalls: 2, maxAnswerBytes: 1, maxHeaderBytes: 1024 };

  /** A server whose client reads nothing; it answers each call as told. */
  function deaf(accept: (accepted: Accepted) => void) {
    const pair = new Pair({
      server: limits,
      client: limits,
      accept: (accepted) => {
        accept(accepted);
        return accepted.record;
      },
    });
    pair.settle();
    pair.down.capacity = 0;
    let id = 0;
    const cycle = (): void => {
      id++;
      const metadata = noMetadata;
      pair.server.receive(encodeOpen(id, { method: "a/b", metadata, encoding: "protobuf" }));
      pair.server.receive(encodeEmpty(FrameType.CANCEL, id));
      pair.loop.run();
    };
    return { pair, cycle, closeCode: () => pair.down.closing?.code };
  }

  test("with calls that are answered and cancelled", () => {
    const { pair, cycle, closeCode } = deaf(({ call }) => call.headers({ a: "x".repeat(100) }));
    for (let round = 0; round < 10; round++) cycle();
    assert.equal(closeCode(), undefined);
    for (let round = 0; round < 10; round++) cycle();
    assert.equal(closeCode(), 4429);
    assert.equal(pair.server.size, 0);
  });

  test("with PINGs", () => {
    const { pair, closeCode } = deaf(() => undefined);
    for (let round = 0; round < 30; round++) {
      pair.server.receive(encodeEmpty(FrameType.PING, 0));
      pair.loop.run();
    }
    assert.equal(closeCode(), undefined);
    for (let round = 0; round < 10; round++) pair.server.receive(encodeEmpty(FrameType.PING, 0));
    assert.equal(closeCode(), 4429);
  });

  test("but not with calls that have ended, which leave nothing", () => {
    const { cycle, closeCode } = deaf(({ call }) => call.end({ code: Code.NOT_FOUND, message: "no" }));
    for (let round = 0; round < 1000; round++) cycle();
    assert.equal(closeCode(), undefined);
  });

  test("but not where it reads", () => {
    const { pair, cycle } = deaf(({ call }) => call.headers({ a: "x".repeat(100) }));
    pair.down.capacity = Infinity;
    for (let round = 0; round < 1000; round++) cycle();
    assert.equal(pair.down.closing, undefined);
  });
});

test("a limit out of its range is a RangeError that names it", () => {
  const bad: readonly Partial<MultiplexLimits>[] = [
    { initialCredit: 16_391 },
    { initialCredit: 2 ** 31 },
    { maxCalls: -1 },
    { maxHeaderBytes: 1023 },
    { maxHeaderBytes: 65_529 },
    { maxMessageBytes: 1.5 },
  ];
  for (const limits of bad) {
    assert.throws(
      () => new Pair({ server: limits }),
      new RegExp(`RangeError: limits.${Object.keys(limits)[0]}`),
    );
  }
});
