import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { defaultLimits } from "../src/limits.ts";
import { bytes, frame, readFrames } from "./support/frames.ts";

const masked = "00000000";
const small = { ...defaultLimits, maxMessageBytes: 100, maxFramingBytes: 24 };

interface Vector {
  readonly name: string;
  readonly wire: string;
  readonly found: readonly string[];
  /** Frames as a client sends them. */
  readonly masked?: boolean;
  readonly compression?: boolean;
  readonly small?: boolean;
}

const vectors: readonly Vector[] = [
  { name: "an unmasked text, from RFC 6455 section 5.7", wire: '81 05 "Hello"', found: ["text 48656c6c6f"] },
  {
    name: "a masked text, from RFC 6455 section 5.7",
    wire: "81 85 37 fa 21 3d 7f 9f 4d 51 58",
    masked: true,
    found: ["text 48656c6c6f"],
  },
  {
    name: "a fragmented text, from RFC 6455 section 5.7",
    wire: '01 03 "Hel" 80 02 "lo"',
    found: ["text 48656c6c6f"],
  },
  { name: "a ping, from RFC 6455 section 5.7", wire: '89 05 "Hello"', found: ["control 9 48656c6c6f"] },
  {
    name: "a masked pong, from RFC 6455 section 5.7",
    wire: "8a 85 37 fa 21 3d 7f 9f 4d 51 58",
    masked: true,
    found: ["control 10 48656c6c6f"],
  },
  { name: "a 16-bit length", wire: "82 7e 0100 00*256", found: [`binary 256 bytes ${"00".repeat(16)}`] },
  {
    name: "a 64-bit length",
    wire: "82 7f 00*5 01 00 00 61*65536",
    found: [`binary 65536 bytes ${"61".repeat(16)}`],
  },
  { name: "a length of 125", wire: "82 7d 00*125", found: [`binary 125 bytes ${"00".repeat(16)}`] },
  { name: "a length of 126", wire: "82 7e 007e 00*126", found: [`binary 126 bytes ${"00".repeat(16)}`] },
  {
    name: "empty messages",
    wire: "81 00 82 00 01 00 80 00 02 00 00 00 80 00",
    found: ["text ", "binary ", "text ", "binary "],
  },
  {
    name: "an empty masked message",
    wire: `81 80 ${masked} 82 81 01020304 00`,
    masked: true,
    found: ["text ", "binary 01"],
  },
  {
    name: "control frames between fragments",
    wire: '01 01 "a" 89 01 "p" 00 00 8a 00 00 01 "b" 80 01 "c"',
    found: ["control 9 70", "control 10 ", "text 616263"],
  },
  {
    name: "a close frame in the middle of a message",
    wire: '01 01 "a" 88 02 03e8',
    found: ["control 8 03e8"],
  },
  {
    name: "a control frame of 125 bytes",
    wire: "89 7d 00*125",
    found: [`control 9 125 bytes ${"00".repeat(16)}`],
  },
  { name: "a control frame of 126 bytes", wire: "89 7e 007e 00*126", found: ["failed 1002"] },
  { name: "a control frame with a 64-bit length", wire: "88 7f 00*8", found: ["failed 1002"] },
  { name: "a fragmented ping", wire: "09 00", found: ["failed 1002"] },
  { name: "a fragmented close", wire: "08 00", found: ["failed 1002"] },
  { name: "RSV1 without an extension", wire: "c1 00", found: ["failed 1002"] },
  { name: "RSV2", wire: "a1 00", found: ["failed 1002"] },
  { name: "RSV3", wire: "91 00", found: ["failed 1002"] },
  { name: "RSV2 with compression", wire: "a1 00", compression: true, found: ["failed 1002"] },
  { name: "RSV1 and RSV3 with compression", wire: "d1 00", compression: true, found: ["failed 1002"] },
  { name: "RSV1 on a continuation", wire: '01 01 "a" c0 00', compression: true, found: ["failed 1002"] },
  { name: "RSV1 on a ping", wire: "c9 00", compression: true, found: ["failed 1002"] },
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode) => ({
    name: `the reserved opcode ${opcode}`,
    wire: `8${opcode.toString(16)} 00`,
    found: ["failed 1002"],
  })),
  { name: "a continuation of nothing", wire: "80 00", found: ["failed 1002"] },
  { name: "a continuation after a whole message", wire: "81 00 80 00", found: ["text ", "failed 1002"] },
  { name: "a text inside a text", wire: "01 00 81 00", found: ["failed 1002"] },
  { name: "a binary inside a text", wire: "01 00 02 00", found: ["failed 1002"] },
  { name: "an unmasked frame from a client", wire: "81 00", masked: true, found: ["failed 1002"] },
  { name: "a masked frame from a server", wire: `81 80 ${masked}`, found: ["failed 1002"] },
  { name: "a 16-bit length of 125", wire: "82 7e 007d 00*125", found: ["failed 1002"] },
  { name: "a 64-bit length of 65535", wire: "82 7f 00*6 ffff 00", found: ["failed 1002"] },
  { name: "the highest bit of a 64-bit length", wire: "82 7f 80 00*7", found: ["failed 1002"] },
  { name: "a length over 2^53", wire: "82 7f 00 20 00*5 01", found: ["failed 1009"] },
  { name: "a length of 2^63 - 1", wire: "82 7f 7f ff*7", found: ["failed 1009"] },
  { name: "nothing after a failure", wire: '83 00 81 01 "a"', found: ["failed 1002"] },
  {
    name: "a message at the limit",
    wire: "82 64 00*100",
    small: true,
    found: [`binary 100 bytes ${"00".repeat(16)}`],
  },
  { name: "a message over the limit", wire: "82 65", small: true, found: ["failed 1009"] },
  {
    name: "fragments over the limit together",
    wire: "02 32 00*50 00 33",
    small: true,
    found: ["failed 1009"],
  },
  {
    name: "the limit counts each message by itself",
    wire: "02 32 00*50 89 32 00*50 80 32 00*50 82 64 00*100",
    small: true,
    found: [
      `control 9 ${"00".repeat(50)}`,
      `binary 100 bytes ${"00".repeat(16)}`,
      `binary 100 bytes ${"00".repeat(16)}`,
    ],
  },
  {
    name: "frame headers at their limit",
    wire: `02 00 ${"00 00 ".repeat(10)} 80 00`,
    small: true,
    found: ["binary "],
  },
  {
    name: "frame headers over their limit",
    wire: `02 00 ${"00 00 ".repeat(12)}`,
    small: true,
    found: ["failed 1008"],
  },
  { name: "UTF-8 of every length", wire: '81 0a "aß水𝄞"', found: ["text 61c39fe6b0b4f09d849e"] },
  {
    name: "UTF-8 cut inside characters",
    wire: "01 02 61c3 00 02 9fe6 00 01 b0 80 05 b4f09d849e",
    found: ["text 61c39fe6b0b4f09d849e"],
  },
  { name: "a text that ends inside a character", wire: "81 02 61c3", found: ["failed 1007"] },
  {
    name: "a fragmented text that ends inside a character",
    wire: "01 02 61f0 80 02 9d84",
    found: ["failed 1007"],
  },
  { name: "a surrogate", wire: "81 03 eda080", found: ["failed 1007"] },
  { name: "a code point too high, at once", wire: "01 02 f490", found: ["failed 1007"] },
  { name: "an overlong form, at once", wire: "01 01 c0", found: ["failed 1007"] },
  {
    name: "an invalid byte in the middle of a long frame, at once",
    wire: "81 7f 00*5 10 00 00 61*40 ff 61",
    found: ["failed 1007"],
  },
  { name: "invalid UTF-8 in a binary message", wire: "82 02 c0ff", found: ["binary c0ff"] },
];

function optionsOf(vector: Vector): Parameters<typeof readFrames>[1] {
  return {
    masked: vector.masked ?? false,
    compression: vector.compression ?? false,
    limits: vector.small === true ? small : defaultLimits,
  };
}

describe("the frame parser", () => {
  for (const vector of vectors) {
    const wire = bytes(vector.wire);
    const options = optionsOf(vector);
    test(`reads ${vector.name}`, () => {
      assert.deepEqual(readFrames([wire], options), vector.found, "whole");
      const single = Array.from(wire, (byte) => Buffer.from([byte]));
      assert.deepEqual(readFrames(single, options), vector.found, "byte by byte");
      for (let cut = 1; cut < Math.min(wire.length, 300); cut++) {
        const halves = [wire.subarray(0, cut), wire.subarray(cut)];
        assert.deepEqual(readFrames(halves, options), vector.found, `cut at ${cut}`);
      }
    });
  }

  test("reads every length around the header's three forms, masked and not, cut anywhere near", () => {
    for (const length of [
      0, 1, 2, 3, 63, 64, 65, 124, 125, 126, 127, 128, 129, 65_534, 65_535, 65_536, 65_537,
    ]) {
      const payload = Buffer.alloc(length, "0123456789");
      for (const mask of [undefined, Buffer.from("a1b2c3d4", "hex")]) {
        const wire = frame(0x82, payload, mask);
        const once = readFrames([payload.length === 0 ? wire : wire], { masked: mask !== undefined });
        for (const cut of [1, 2, 3, 4, 6, 8, 10, 13, 14, 15, 17, 18, 100, length - 1, length + 5]) {
          const halves = [wire.subarray(0, cut), wire.subarray(cut)].filter((half) => half.length > 0);
          assert.deepEqual(
            readFrames(halves, { masked: mask !== undefined }),
            once,
            `${length} cut at ${cut}`,
          );
        }
      }
    }
  });

  test("gives nothing for every truncation of a frame", () => {
    const wire = frame(0x82, Buffer.alloc(300, 7), Buffer.from("01020304", "hex"));
    for (let end = 0; end < wire.length; end++) {
      assert.deepEqual(readFrames([wire.subarray(0, end)], { masked: true }), [], `${end} bytes`);
    }
  });
});
