import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { frameFlag, frameType } from "../../src/http2/frame.ts";
import { FrameReader } from "../../src/http2/frame-reader.ts";

interface SeenFrame {
  readonly type: number;
  readonly flags: number;
  readonly id: number;
  readonly payload: string;
}

/** SETTINGS; DATA of 4 bytes that ends stream 1; padded DATA on stream 3; PING. RFC 9113, section 6. */
const wire = Buffer.from(
  [
    "000000 04 00 00000000",
    "000004 00 01 00000001 61626364",
    "000004 00 08 00000003 01656600",
    "000008 06 00 00000000 0102030405060708",
  ]
    .join("")
    .replaceAll(" ", ""),
  "hex",
);

function framesOf(...chunks: readonly Buffer[]): readonly SeenFrame[] {
  const seen: SeenFrame[] = [];
  const reader = new FrameReader((type, flags, id, payload) =>
    seen.push({ type, flags, id, payload: payload.toString("latin1") }),
  );
  for (const chunk of chunks) reader.push(chunk);
  return seen;
}

/** Frames of DATA one after another on a stream as one, as they mean the same. */
function joined(frames: readonly SeenFrame[]): readonly SeenFrame[] {
  const whole: SeenFrame[] = [];
  for (const frame of frames) {
    const before = whole.at(-1);
    if (frame.type === frameType.data && before?.type === frame.type && before.id === frame.id) {
      assert.equal(before.flags & frameFlag.endStream, 0, "the stream has ended already");
      whole[whole.length - 1] = { ...frame, payload: before.payload + frame.payload };
    } else {
      whole.push(frame);
    }
  }
  return whole;
}

describe("the frames of an HTTP/2 connection", () => {
  const expected = framesOf(wire);

  test("are whole where they come so", () => {
    assert.deepEqual(
      expected.map(({ type, payload }) => [type, payload.length]),
      [
        [frameType.settings, 0],
        [frameType.data, 4],
        [frameType.data, 4],
        [frameType.ping, 8],
      ],
    );
  });

  test("are the same wherever the bytes are split, DATA in parts of which the last ends the stream", () => {
    for (let first = 0; first <= wire.length; first++) {
      for (let second = first; second <= wire.length; second++) {
        const chunks = [wire.subarray(0, first), wire.subarray(first, second), wire.subarray(second)];
        assert.deepEqual(joined(framesOf(...chunks)), expected, `split at ${first} and ${second}`);
      }
    }
  });

  test("are passed on as DATA before they are whole", () => {
    const part = framesOf(wire.subarray(0, 9 + 9 + 2)).at(-1);
    assert.deepEqual(part, { type: frameType.data, flags: 0, id: 1, payload: "ab" });
  });
});
