import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { FrameParser } from "../src/frame-parser.ts";
import { defaultLimits } from "../src/limits.ts";
import { giveBack } from "../src/message-memory.ts";
import { frame } from "./support/frames.ts";

/** The messages that a parser finds in these frames, one after another, and what `done` does with each. */
function read(sizes: readonly number[], done: (message: Buffer) => void = () => {}): Buffer[] {
  const found: Buffer[] = [];
  const parser = new FrameParser(
    {
      message(_opcode, _compressed, payload) {
        found.push(payload);
        done(payload);
      },
      start: () => assert.fail("a message came in pieces"),
      piece: () => {},
      end: () => {},
      control: () => {},
      failed: (error) => assert.ifError(error),
    },
    { masked: false, compression: false, limits: defaultLimits },
  );
  sizes.forEach((size, index) => parser.push(frame(0x82, Buffer.alloc(size, index + 1))));
  return found;
}

// What the tests before have given back is forgotten for memory that is of no use to the next.
beforeEach(() => giveBack(Buffer.allocUnsafeSlow(4_096)));

describe("a message that was given back", () => {
  test("has its memory used for the next one of its size", () => {
    const [first, second] = read([16_000, 16_000], giveBack);
    assert.equal(first?.buffer, second?.buffer);
    assert.deepEqual(second, Buffer.alloc(16_000, 2));
  });

  test("also for a smaller one, though not for one that would keep much more than it has", () => {
    const [first, smaller] = read([16_000, 8_000], giveBack);
    assert.equal(first?.buffer, smaller?.buffer);
    assert.deepEqual(smaller, Buffer.alloc(8_000, 2));
    const [, tiny, larger] = read([16_000, 7_999, 16_001], giveBack);
    assert.equal(tiny?.buffer.byteLength, 7_999);
    assert.equal(larger?.buffer.byteLength, 16_001);
  });

  test("gives its memory to one message, and that is kept as any other", () => {
    const [given, ...kept] = read([16_000, 16_000, 16_000], (message) => {
      if (message[0] === 1) giveBack(message);
    });
    assert.equal(given?.buffer, kept[0]?.buffer);
    assert.deepEqual(kept, [Buffer.alloc(16_000, 2), Buffer.alloc(16_000, 3)]);
  });

  test("is collected where it is small, large, or part of something", () => {
    for (const size of [10, 1_000, 65_537]) {
      const [first, second] = read([size, size], giveBack);
      const isPooled = size < 4_096;
      assert.ok(isPooled || first?.buffer !== second?.buffer, `${size} bytes`);
      assert.deepEqual([first, second], [Buffer.alloc(size, 1), Buffer.alloc(size, 2)]);
    }
    const whole = Buffer.alloc(32_000);
    giveBack(whole.subarray(0, 16_000));
    const [next] = read([16_000]);
    assert.notEqual(next?.buffer, whole.buffer);
  });
});

test("messages that nobody gives back are not touched", () => {
  const found = read([16_000, 16_000, 100, 16_000]);
  assert.deepEqual(
    found,
    [16_000, 16_000, 100, 16_000].map((size, index) => Buffer.alloc(size, index + 1)),
  );
});
