import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { frameMessages, MessageParser } from "../../src/wire/length-prefixed-message.ts";
import type { Status } from "@sluice/rpc";

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");

interface Parsed {
  readonly messages: string[];
  readonly status: Status | undefined;
}

function parse(chunks: readonly Uint8Array[], maxBytes = 1024): Parsed {
  const messages: string[] = [];
  const parser = new MessageParser({ subject: "response", mayCompress: false, maxBytes }, (bytes) =>
    messages.push(Buffer.from(bytes).toString("hex")),
  );
  for (const chunk of chunks) {
    const status = parser.push(chunk);
    if (status !== undefined) return { messages, status };
  }
  return { messages, status: parser.finish() };
}

describe("the parser of length-prefixed messages", () => {
  const vectors: readonly [name: string, bytes: string, messages: readonly string[]][] = [
    ["nothing", "", []],
    ["an empty message", "00 00000000", [""]],
    ["one byte", "00 00000001 ff", ["ff"]],
    ["two messages", "00 00000002 0a0b 00 00000001 0c", ["0a0b", "0c"]],
    ["empty messages between others", "00 00000000 00 00000003 010203 00 00000000", ["", "010203", ""]],
    ["a length of two bytes", `00 00000102 ${"ab".repeat(258)}`, ["ab".repeat(258)]],
  ];
  for (const [name, bytes, messages] of vectors) {
    test(`finds ${name}`, () => {
      assert.deepEqual(parse([hex(bytes)]), { messages, status: undefined });
    });

    test(`finds ${name} wherever the bytes are split`, () => {
      const whole = hex(bytes);
      for (let first = 0; first <= whole.length; first++) {
        for (const second of [first, first + 1, first + 5, whole.length]) {
          const chunks = [whole.subarray(0, first), whole.subarray(first, second), whole.subarray(second)];
          assert.deepEqual(parse(chunks), { messages, status: undefined }, `split at ${first} and ${second}`);
        }
      }
      const single = [...whole].map((byte) => Buffer.from([byte]));
      assert.deepEqual(parse(single), { messages, status: undefined }, "one byte at a time");
    });
  }

  test("puts a message together that is larger than its first memory", () => {
    const body = Buffer.alloc(1_000_000, "sluice");
    const framed = Buffer.concat(frameMessages([body]));
    const chunks = [];
    for (let at = 0; at < framed.length; at += 16_384) chunks.push(framed.subarray(at, at + 16_384));
    assert.deepEqual(parse(chunks, 1_000_000), { messages: [body.toString("hex")], status: undefined });
  });

  test("takes a message of exactly the maximum", () => {
    assert.deepEqual(parse([hex("00 00000003 010203")], 3).messages, ["010203"]);
  });

  const broken: readonly [name: string, bytes: string, code: number, text: RegExp][] = [
    ["a message over the maximum", "00 00000004 01", 8, /4 bytes, more than the maximum of 3/],
    ["the largest length there is", "00 ffffffff", 8, /4294967295 bytes/],
    ["a compressed message", "01 00000001 00", 13, /compressed.*no compression was agreed/],
    ["an unknown flag", "02 00000001 00", 13, /not length-prefixed messages: one begins with the byte 2/],
    ["text instead of a message", "3c68746d6c3e", 13, /begins with the byte 60/],
    ["an end inside the length", "00 0000", 13, /inside the length/],
    ["an end before the first byte of a message", "00 00000002", 13, /after 0 of 2 bytes/],
    ["an end inside a message", "00 00000002 01", 13, /after 1 of 2 bytes/],
  ];
  for (const [name, bytes, code, text] of broken) {
    test(`refuses ${name}, wherever the bytes are split`, () => {
      const whole = hex(bytes);
      for (let first = 0; first <= whole.length; first++) {
        const { messages, status } = parse([whole.subarray(0, first), whole.subarray(first)], 3);
        assert.deepEqual(messages, []);
        assert.equal(status?.code, code);
        assert.match(status.message, text);
      }
    });
  }

  test("keeps nothing of chunks whose memory is used again", () => {
    const messages: Uint8Array[] = [];
    const parser = new MessageParser(
      { subject: "response", mayCompress: false, maxBytes: 1024, memory: "reused" },
      (bytes) => messages.push(bytes),
    );
    for (const text of ["00 00000002 0a0b 00 00", "000003 0c0d", "0e 00 00000001 0f"]) {
      const chunk = hex(text);
      parser.push(chunk);
      chunk.fill(0xee);
    }
    assert.deepEqual(
      messages.map((bytes) => Buffer.from(bytes).toString("hex")),
      ["0a0b", "0c0d0e", "0f"],
    );
  });

  test("lends messages that are gone when they have been told, and uses their memory again", () => {
    const texts: string[] = [];
    const memories = new Set<ArrayBufferLike>();
    const parsers = Array.from(
      { length: 2 },
      () =>
        new MessageParser(
          { subject: "response", mayCompress: false, maxBytes: 1_000_000, memory: "lent" },
          (bytes) => {
            texts.push(`${bytes.length} ${new Set(bytes).size} ${bytes[0]}`);
            if (bytes.length < 70_000) memories.add(bytes.buffer);
          },
        ),
    );
    // Each in two chunks, so that it needs memory; both parsers are in the middle of one at once.
    for (let round = 0; round < 5; round++) {
      const bodies = [20_000, 30_000, 70_000].map((size, index) => Buffer.alloc(size, round * 10 + index));
      for (const body of bodies) {
        const framed = Buffer.concat(frameMessages([body]));
        for (const parser of parsers) parser.push(framed.subarray(0, 9_000));
        for (const parser of parsers) parser.push(framed.subarray(9_000));
      }
    }
    const sizes = [20_000, 30_000, 70_000];
    const expected = Array.from({ length: 5 }, (_, round) =>
      sizes.flatMap((size, index) => Array.from({ length: 2 }, () => `${size} 1 ${round * 10 + index}`)),
    );
    assert.deepEqual(texts, expected.flat());
    assert.ok(memories.size <= 8, `${memories.size} pieces of memory for 20 messages`);
  });

  test("takes no memory for a message that is only announced", () => {
    const parsers: MessageParser[] = [];
    const before = process.memoryUsage().arrayBuffers;
    for (let index = 0; index < 100; index++) {
      const parser = new MessageParser(
        { subject: "response", mayCompress: false, maxBytes: 4 * 1024 * 1024 },
        () => assert.fail("no message has arrived"),
      );
      parser.push(hex("00 00400000 01"));
      parsers.push(parser);
    }
    const each = (process.memoryUsage().arrayBuffers - before) / parsers.length;
    assert.ok(each < 100_000, `${each} bytes for a message of which one byte has arrived`);
  });
});

describe("framing", () => {
  test("joins small messages into one chunk", () => {
    const chunks = frameMessages([hex("0a0b"), hex(""), hex("0c")]);
    assert.deepEqual(
      chunks.map((chunk) => Buffer.from(chunk).toString("hex")),
      ["00000000020a0b000000000000000000010c"],
    );
  });

  test("does not copy large messages, and keeps the order", () => {
    const large = Buffer.alloc(20_000, 1);
    const chunks = frameMessages([hex("0a"), large, hex("0b"), large, large]);
    assert.equal(chunks.filter((chunk) => chunk === large).length, 3);
    assert.deepEqual(parse([Buffer.concat(chunks)], 20_000).messages, [
      "0a",
      large.toString("hex"),
      "0b",
      large.toString("hex"),
      large.toString("hex"),
    ]);
  });

  test("makes nothing of nothing", () => assert.deepEqual(frameMessages([]), []));
});
