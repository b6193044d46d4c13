import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Code, FrameType, MAX_CHUNK_BYTES } from "../src/index.ts";
import { bytesOf, Pair, Recorder } from "./pair.ts";
import { frames } from "./frames.ts";

describe("a call", () => {
  test("goes there and back with metadata, messages, status, details and trailers", () => {
    const pair = new Pair();
    const record = new Recorder();
    const call = pair.client.open(
      {
        method: "pkg.Service/Method",
        metadata: { a: "1", "b-bin": ["AQI", "Aw"] },
        timeout: 1500,
        encoding: "json",
      },
      record,
    );
    call.send(bytesOf(5));
    call.halfClose();
    pair.settle();

    const [accepted] = pair.accepted;
    assert.ok(accepted);
    assert.equal(accepted.opening.method, "pkg.Service/Method");
    assert.deepEqual({ ...accepted.opening.metadata }, { a: "1", "b-bin": ["AQI", "Aw"] });
    assert.equal(accepted.opening.timeout, 1500);
    assert.equal(accepted.opening.encoding, "json");
    assert.deepEqual(accepted.record.messages, [bytesOf(5)]);
    assert.equal(accepted.record.halfCloses, 1);

    accepted.call.headers({ c: "2" });
    accepted.call.send(new Uint8Array(0));
    accepted.call.send(bytesOf(40_000));
    accepted.call.end(
      { code: Code.NOT_FOUND, message: "no ö", details: new Uint8Array([8, 5]) },
      { "d-bin": "/w" },
    );
    pair.settle();
    assert.deepEqual({ ...record.headersSeen }, { c: "2" });
    assert.deepEqual(record.messages, [new Uint8Array(0), bytesOf(40_000)]);
    assert.deepEqual(record.ends, [
      { code: Code.NOT_FOUND, message: "no ö", details: new Uint8Array([8, 5]) },
    ]);
    assert.deepEqual({ ...record.trailers }, { "d-bin": "/w" });
    assert.equal(accepted.record.ends.length, 1);
    assert.equal(pair.client.size + pair.server.size, 0);
  });

  test("leaves in one WebSocket message with what is sent in the same tick", () => {
    const pair = new Pair();
    pair.settle();
    const before = pair.up.sent.length;
    for (let index = 0; index < 10; index++) {
      const call = pair.client.open({ method: "a/b" }, new Recorder());
      call.send(bytesOf(100));
      call.halfClose();
    }
    pair.settle();
    assert.equal(pair.up.sent.length, before + 1);
    assert.equal(pair.accepted.length, 10);
  });
});

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
