import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FakeClock } from "@sluice/testkit/fake-clock";
import { Code } from "../src/index.ts";
import { Pair, Recorder } from "./pair.ts";

const ok = { code: Code.OK, message: "" };

describe("a server that goes away", () => {
  test("ends what it has taken, and the connection closes with 1000 when that is done", () => {
    const pair = new Pair();
    const record = new Recorder();
    pair.client.open({ method: "a/b" }, record);
    pair.settle();
    pair.server.goAway("deploy");
    pair.server.goAway("again");
    pair.settle();
    assert.deepEqual(pair.goAways, ["deploy"]);
    assert.equal(record.ends.length, 0);
    pair.accepted[0]?.call.end(ok);
    pair.loop.run();
    assert.equal(pair.down.closing?.code, 1000);
    pair.settle();
    assert.deepEqual(record.ends, [ok]);
  });

  test("has not processed calls that crossed its word, and the client knows", () => {
    const pair = new Pair();
    pair.client.open({ method: "a/before" }, new Recorder());
    pair.settle();
    pair.server.goAway();
    const crossing = new Recorder();
    const call = pair.client.open({ method: "a/crossing" }, crossing);
    pair.loop.run();
    call.send(new Uint8Array(3));
    pair.settle();
    assert.deepEqual(
      crossing.ends.map(({ code, unprocessed }) => [code, unprocessed]),
      [[Code.UNAVAILABLE, true]],
    );
    assert.equal(pair.accepted.length, 1);
    const late = new Recorder();
    pair.client.open({ method: "a/late" }, late);
    pair.settle();
    assert.equal(late.ends[0]?.unprocessed, true);
    assert.equal(pair.client.size, 1);
  });

  test("closes at once where no call is left, and calls that waited are unprocessed", () => {
    const pair = new Pair({ server: { maxCalls: 0 } });
    const record = new Recorder();
    pair.client.open({ method: "a/b" }, record);
    pair.settle();
    pair.server.goAway();
    pair.settle();
    assert.equal(record.ends[0]?.unprocessed, true);
    pair.client.open({ method: "a/b" }, record);
    pair.settle();
    assert.equal(record.ends.length, 2);
  });
});

/** A pair whose client asks after 100 ms, and gives up 50 ms later. */
function watch() {
  const clock = new FakeClock();
  const pair = new Pair({ clientOptions: { keepalive: { clock, intervalMs: 100, timeoutMs: 50 } } });
  pair.settle();
  // What came with the handshake was a sign of life, too.
  clock.advance(100);
  return { clock, pair };
}

describe("keep-alive", () => {
  test("asks after the interval, and is content with the answer", () => {
    const { clock, pair } = watch();
    for (let round = 0; round < 10; round++) {
      clock.advance(100);
      pair.settle();
      clock.advance(50);
    }
    assert.equal(pair.up.closing, undefined);
    assert.ok(pair.up.sent.length > 5);
  });

  test("does not ask while anything comes", () => {
    const { clock, pair } = watch();
    const before = pair.up.sent.length;
    for (let round = 0; round < 10; round++) {
      pair.client.receive(new Uint8Array([0x0a, 0, 0, 0, 0, 0, 0, 0]));
      clock.advance(100);
    }
    pair.loop.run();
    assert.equal(pair.up.sent.length, before);
  });

  test("closes with 4408 where nothing comes, ends the calls, and leaves no timer", () => {
    const { clock, pair } = watch();
    const record = new Recorder();
    pair.client.open({ method: "a/b" }, record);
    pair.loop.run();
    clock.advance(149);
    assert.equal(record.ends.length, 0);
    clock.advance(1);
    assert.equal(pair.up.closing?.code, 4408);
    assert.equal(record.ends[0]?.code, Code.UNAVAILABLE);
    assert.equal(clock.size, 0);
  });

  test("ends with the connection", () => {
    const { clock, pair } = watch();
    pair.client.closed(1000, "");
    assert.equal(clock.size, 0);
  });
});
