import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { decodePackets, encodePacket, type Packet } from "../../src/faces/packet/packet-codec.ts";
import { isRefusal } from "../../src/faces/refusal.ts";

const limits = { maxPackets: 3, maxContentBytes: 8 };

/** A message written as hex with free spaces. */
function message(hex: string): Buffer {
  return Buffer.from(hex.replaceAll(" ", ""), "hex");
}

/** Packets as text: `type who content`. */
function show(packets: readonly Packet[]): string[] {
  return packets.map(({ type, who, content }) => `${type} ${who} ${Buffer.from(content).toString("hex")}`);
}

describe("the packet codec", () => {
  const whole: [name: string, hex: string, packets: string[]][] = [
    ["one packet", "00000001 00000002 00000003 aabb", ["1 3 aabb"]],
    ["a packet without content", "00000000 00000000 00000000", ["0 0 "]],
    ["the largest numbers", "ffffffff 00000001 ffffffff 00", ["4294967295 4294967295 00"]],
    ["content of the largest size", "00000001 00000008 00000000 0001020304050607", ["1 0 0001020304050607"]],
    [
      "several packets",
      "00000001 00000001 00000000 aa 00000002 00000000 00000007 00000003 00000002 00000000 bbcc",
      ["1 0 aa", "2 7 ", "3 0 bbcc"],
    ],
  ];
  for (const [name, hex, expected] of whole) {
    test(`reads ${name}`, () => {
      const packets = decodePackets(message(hex), limits);
      assert.ok(!isRefusal(packets));
      assert.deepEqual(show(packets), expected);
      assert.equal(Buffer.concat(packets.map(encodePacket)).toString("hex"), message(hex).toString("hex"));
    });
  }

  const broken: [name: string, hex: string, code: number, reason: RegExp][] = [
    ["no packet at all", "", 4400, /packet 1 of the message: 0 bytes where the 12 of a header are due/],
    ["half a header", "00000001 0000", 4400, /packet 1 .*: 6 bytes where the 12/],
    [
      "a header without its last byte",
      "00000001 00000000 000000",
      4400,
      /packet 1 .*: 11 bytes where the 12/,
    ],
    [
      "less content than its length says",
      "00000001 00000002 00000000 aa",
      4400,
      /says 2 bytes, and 1 follow/,
    ],
    [
      "a length that leads far out",
      "00000001 ffffffff 00000000 aa",
      1009,
      /4294967295 bytes of content, over/,
    ],
    ["a byte behind the last packet", "00000001 00000001 00000000 aabb", 4400, /packet 2 .*: 1 bytes where/],
    ["too much content", "00000001 00000009 00000000 000102030405060708", 1009, /9 bytes .* limit of 8/],
    ["too many packets", "00000001 00000000 00000000".repeat(4), 4429, /more than 3 packets in one message/],
    [
      "a wrong packet behind a right one",
      "00000001 00000001 00000000 aa 00000001 00000002 00000000 aa",
      4400,
      /packet 2 .*: its length says 2 bytes, and 1 follow/,
    ],
  ];
  for (const [name, hex, code, reason] of broken) {
    test(`refuses ${name} with ${code}`, () => {
      const refusal = decodePackets(message(hex), limits);
      assert.ok(isRefusal(refusal));
      assert.equal(refusal.code, code);
      assert.match(refusal.reason, reason);
      assert.ok(Buffer.byteLength(refusal.reason) <= 123, "it fits into a close frame");
    });
  }

  test("reads a message that is a view of a larger buffer", () => {
    const larger = message("ffffff 00000001 00000001 00000002 aa ffffff");
    const packets = decodePackets(larger.subarray(3, 16), limits);
    assert.ok(!isRefusal(packets));
    assert.deepEqual(show(packets), ["1 2 aa"]);
  });

  const uint32 = fc.integer({ min: 0, max: 0xff_ff_ff_ff });
  const packet = fc.record({ type: uint32, who: uint32, content: fc.uint8Array({ maxLength: 8 }) });

  test("reads whatever it writes", () => {
    fc.assert(
      fc.property(fc.array(packet, { minLength: 1, maxLength: 3 }), (packets) => {
        const decoded = decodePackets(Buffer.concat(packets.map(encodePacket)), limits);
        assert.ok(!isRefusal(decoded));
        assert.deepEqual(show(decoded), show(packets));
      }),
    );
  });

  test("takes any bytes for packets that make them up again, or refuses them", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const decoded = decodePackets(bytes, limits);
        if (isRefusal(decoded)) assert.ok([1009, 4400, 4429].includes(decoded.code));
        else assert.deepEqual(Buffer.concat(decoded.map(encodePacket)), Buffer.from(bytes));
      }),
    );
  });
});
