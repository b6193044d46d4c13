import assert from "node:assert/strict";
import { isUtf8 } from "node:buffer";
import { PassThrough } from "node:stream";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { Gather } from "../src/gather.ts";
import { parseExtensions } from "../src/handshake/extension.ts";
import { defaultLimits } from "../src/limits.ts";
import { readMemory } from "../src/mask-simd.ts";
import { applyMask, rotateMask } from "../src/mask.ts";
import { Outbox } from "../src/outbox.ts";
import { Utf8Checker } from "../src/utf8.ts";
import { readFrames, show } from "./support/frames.ts";
import { cutAt, encodeMessages, expectedOf, message, places } from "./support/streams.ts";

const mask = fc.uint8Array({ minLength: 4, maxLength: 4 }).map((data) => Buffer.from(data));
const anyBytes = fc.uint8Array({ maxLength: 400, size: "max" }).map((data) => Buffer.from(data));

describe("for any input", () => {
  test("valid messages come out as they went in, however they are cut", () => {
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 5 }),
        fc.option(mask, { nil: undefined }),
        places,
        (messages, key, at) => {
          const wire = encodeMessages(messages, key);
          const found = readFrames(cutAt(wire, at), { masked: key !== undefined });
          assert.deepEqual(found, expectedOf(messages, show));
        },
      ),
    );
  });

  test("changed bytes never throw, and mean the same however they are cut", () => {
    const change = fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), value: fc.nat(255) });
    const limits = { ...defaultLimits, maxMessageBytes: 500, maxFramingBytes: 60 };
    fc.assert(
      fc.property(
        fc.array(message, { minLength: 1, maxLength: 5 }),
        fc.array(change, { minLength: 1, maxLength: 4 }),
        mask,
        places,
        (messages, changes, key, at) => {
          const wire = encodeMessages(messages, key);
          for (const { at: place, value } of changes) wire[Math.floor(place * (wire.length - 1))] = value;
          const whole = readFrames([wire], { masked: true, limits });
          assert.deepEqual(readFrames(cutAt(wire, at), { masked: true, limits }), whole);
          const failure = whole.findIndex((entry) => entry.startsWith("failed"));
          assert.ok(failure === -1 || failure === whole.length - 1, "nothing follows a failure");
        },
      ),
      { numRuns: 500 },
    );
  });

  test("random bytes never throw", () => {
    fc.assert(
      fc.property(anyBytes, places, fc.boolean(), (wire, at, masked) => {
        assert.deepEqual(readFrames(cutAt(wire, at), { masked }), readFrames([wire], { masked }));
      }),
    );
  });

  test("no message is over the limit", () => {
    const limits = { ...defaultLimits, maxMessageBytes: 100 };
    fc.assert(
      fc.property(fc.array(message, { maxLength: 5 }), places, (messages, at) => {
        const tooBig = messages.findIndex(({ payload }) => payload.length > 100);
        const found = readFrames(cutAt(encodeMessages(messages), at), { limits });
        assert.equal(found.at(-1) === "failed 1009", tooBig !== -1);
        if (tooBig === -1) return;
        const before = expectedOf(messages.slice(0, tooBig), show);
        assert.deepEqual(found.slice(0, before.length), before);
      }),
    );
  });

  test("masking is what section 5.3 says, wherever the bytes lie", () => {
    const data = fc.uint8Array({ maxLength: 5000, size: "max" });
    fc.assert(
      fc.property(
        data,
        fc.nat(9),
        fc.nat(9),
        fc.integer(),
        fc.boolean(),
        (input, before, after, key, isRead) => {
          const size = before + input.length + after;
          // Memory of its own, or that into which sockets are read.
          const buffer = isRead ? readMemory.subarray(77, 77 + size) : Buffer.allocUnsafe(size);
          buffer.fill(0xaa);
          buffer.set(input, before);
          applyMask(buffer, before, before + input.length, key);
          for (let index = 0; index < buffer.length; index++) {
            const inside = index >= before && index < before + input.length;
            const octet = inside
              ? input[index - before]! ^ ((key >>> (((index - before) % 4) << 3)) & 0xff)
              : 0xaa;
            if (buffer[index] !== octet) assert.fail(`byte ${index} of ${buffer.length}`);
          }
          assert.equal(rotateMask(rotateMask(key, 3), 1), key | 0);
        },
      ),
    );
  });

  test("a text in pieces is UTF-8 exactly when the whole is", () => {
    const nearlyText = fc.oneof(
      anyBytes,
      fc.string({ unit: "binary", maxLength: 60 }).map((value) => Buffer.from(value)),
      fc
        .array(fc.constantFrom(0xed, 0xa0, 0x80, 0xf4, 0x90, 0xf0, 0x8f, 0xe0, 0xc2, 0x41, 0xbf), {
          maxLength: 12,
        })
        .map((data) => Buffer.from(data)),
    );
    fc.assert(
      fc.property(nearlyText, places, (data, at) => {
        const checker = new Utf8Checker();
        const valid = cutAt(data, at).every((piece) => checker.push(piece)) && checker.end();
        assert.equal(valid, isUtf8(data));
      }),
      { numRuns: 1000 },
    );
  });

  test("gathered pieces are what was added", () => {
    const piece = fc.nat(70_000).map((length) => Buffer.alloc(length, length));
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), fc.boolean(), (pieces, told) => {
        const whole = Buffer.concat(pieces);
        const gather = new Gather(told ? whole.length : 0);
        for (const each of pieces) gather.add(Buffer.from(each));
        assert.ok(gather.take().equals(whole));
      }),
      { numRuns: 50 },
    );
  });

  test("what an outbox writes is read as what was sent", async () => {
    const sent = fc.oneof(
      fc.string({ unit: "binary", maxLength: 300, size: "max" }),
      anyBytes,
      fc.constantFrom(20_000, 40_000, 70_000).map((length) => Buffer.alloc(length, length)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(sent, { maxLength: 12 }), fc.boolean(), async (items, masked) => {
        const socket = new PassThrough();
        const chunks: Buffer[] = [];
        socket.on("data", (chunk: Buffer) => chunks.push(chunk));
        const outbox = new Outbox(socket, masked, () => {});
        const other = new Outbox(new PassThrough(), masked, () => {});
        for (const item of items) {
          outbox.add(typeof item === "string" ? 0x81 : 0x82, item);
          other.add(0x82, Buffer.from("x"));
        }
        await new Promise((resolve) => {
          setImmediate(resolve);
        });
        const expected = items.map(
          (item) => `${typeof item === "string" ? "text" : "binary"} ${show(Buffer.from(item))}`,
        );
        assert.deepEqual(readFrames(chunks, { masked }), expected);
      }),
    );
  });

  test("a header field never breaks the parser of extensions", () => {
    const parts = fc.constantFrom("a", "permessage-deflate", ";", ",", "=", '"', "\\", " ", "\t", "8", "ä");
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 15 }), (pieces) => {
        const entries = parseExtensions(pieces.join(""));
        assert.ok(entries === undefined || entries.length > 0);
      }),
      { numRuns: 2000 },
    );
  });
});
