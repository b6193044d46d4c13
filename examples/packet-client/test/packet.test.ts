import assert from "node:assert/strict";
import { test } from "node:test";
import { decodePackets, encodePackets } from "../src/packet.ts";
import { decodeTextMessage, encodeTextMessage } from "../src/text-message.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

test("packets are type, length and who, big-endian, and their content, one behind the other", () => {
  const packets = [
    { type: 7, who: 0, content: Uint8Array.of(0x68, 0x69) },
    { type: 0xffff_ffff, who: 0x8000_0001, content: new Uint8Array() },
  ];
  const bytes = encodePackets(packets);
  assert.equal(hex(bytes), "0000000700000002000000006869ffffffff0000000080000001");
  assert.deepEqual(decodePackets(bytes.buffer), packets);
});

for (const [what, text] of [
  ["in its header", "0000000700000002000000"],
  ["in its content", "00000007000000020000000068"],
] as const) {
  test(`a message that ends within a packet, ${what}, is an error`, () => {
    const bytes = Uint8Array.from(Buffer.from(text, "hex"));
    assert.throws(() => decodePackets(bytes.buffer), RangeError);
  });
}

test("a protobuf message with a text is read as it was written, and nothing else is read", () => {
  assert.equal(hex(encodeTextMessage("hi")), "0a026869");
  for (const text of ["", "hi", "Grüße 👋", "x".repeat(300)])
    assert.equal(decodeTextMessage(encodeTextMessage(text)), text);
  assert.equal(decodeTextMessage(new Uint8Array()), "");
  assert.throws(() => decodeTextMessage(Uint8Array.of(0x12, 1, 0x61)), RangeError);
  assert.throws(() => decodeTextMessage(Uint8Array.of(0x0a, 2, 0x61)), RangeError);
});
