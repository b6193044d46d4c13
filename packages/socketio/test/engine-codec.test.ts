import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { decodeJsonp, encodeJsonp } from "../src/engine/codec/jsonp.ts";
import {
  decodeBinaryPacket,
  decodeTextPacket,
  decodeTextPacketBytes,
  encodeBinaryMessage,
  encodePacketAsText,
} from "../src/engine/codec/packet-codec.ts";
import { nameOfPacketType, type Packet, PacketType, type Revision } from "../src/engine/codec/packet.ts";
import type { PayloadReader } from "../src/engine/codec/payload.ts";
import {
  BinaryPayloadReaderV3,
  encodePayloadV3,
  TextPayloadReaderV3,
} from "../src/engine/codec/payload-v3.ts";
import { encodePayloadV4, PayloadReaderV4 } from "../src/engine/codec/payload-v4.ts";
import { SocketIoError } from "../src/error.ts";

const bytes = Buffer.of(1, 2, 3, 4);
const text = (data: string): Packet => ({ type: PacketType.MESSAGE, data });
const binary = (data: Uint8Array): Packet => ({ type: PacketType.MESSAGE, data });
const invalid = (error: unknown): boolean =>
  error instanceof SocketIoError && error.code === "packet_invalid" && error.message !== "";

function readAll(reader: PayloadReader): Packet[] {
  const packets: Packet[] = [];
  for (let packet = reader.next(); packet !== undefined; packet = reader.next()) packets.push(packet);
  return packets;
}

function readerOf(payload: string | Buffer, revision: Revision): PayloadReader {
  if (typeof payload !== "string") return new BinaryPayloadReaderV3(payload);
  return revision === 4 ? new PayloadReaderV4(payload) : new TextPayloadReaderV3(payload);
}

describe("a packet", () => {
  const vectors: readonly (readonly [Revision, Packet, string])[] = [
    [4, { type: PacketType.OPEN, data: "{}" }, "0{}"],
    [4, { type: PacketType.CLOSE, data: "" }, "1"],
    [4, { type: PacketType.PING, data: "probe" }, "2probe"],
    [4, { type: PacketType.PONG, data: "probe" }, "3probe"],
    [4, text("hello"), "4hello"],
    [4, text(""), "4"],
    [4, { type: PacketType.UPGRADE, data: "" }, "5"],
    [4, { type: PacketType.NOOP, data: "" }, "6"],
    [4, binary(bytes), "bAQIDBA=="],
    [4, binary(Buffer.alloc(0)), "b"],
    [3, text("€"), "4€"],
    [3, binary(bytes), "b4AQIDBA=="],
  ];
  for (const [revision, packet, wire] of vectors) {
    test(`of revision ${revision} is ${wire} as text`, () => {
      assert.equal(encodePacketAsText(packet, revision), wire);
      assert.deepEqual(decodeTextPacket(wire, revision), packet);
      assert.deepEqual(decodeTextPacketBytes(Buffer.from(wire), revision), packet);
    });
  }

  test("is as binary its bytes in revision 4, and behind the byte 4 in revision 3", () => {
    assert.deepEqual(encodeBinaryMessage(bytes, 4), bytes);
    assert.deepEqual(encodeBinaryMessage(bytes, 3), Buffer.of(4, 1, 2, 3, 4));
    assert.deepEqual(decodeBinaryPacket(bytes, 4), binary(bytes));
    assert.deepEqual(decodeBinaryPacket(Buffer.of(4, 1, 2, 3, 4), 3), binary(bytes));
  });

  for (const [revision, wire] of [
    [4, ""],
    [4, "7"],
    [4, "abc"],
    [4, "-1"],
    [4, "\u{1f600}"],
    [4, "b!!!!"],
    [4, "bA"],
    [4, "bAQ=DBA=="],
    [3, ""],
    [3, "9x"],
    [3, "b"],
    [3, "b2AQ=="],
    [3, "bAQIDBA=="],
  ] as const) {
    test(`of revision ${revision} cannot be ${JSON.stringify(wire)}`, () => {
      assert.throws(() => decodeTextPacket(wire, revision), invalid);
      assert.throws(() => decodeTextPacketBytes(Buffer.from(wire), revision), invalid);
    });
  }

  test("of revision 3 that is binary can only be a message", () => {
    for (const wire of [[], [0], [3, 1], [5], [52, 1]]) {
      assert.throws(() => decodeBinaryPacket(Buffer.from(wire), 3), invalid);
    }
  });

  test("has the names that users of Socket.IO know", () => {
    assert.deepEqual(
      [0, 1, 2, 3, 4, 5, 6].map((type) => nameOfPacketType(type as PacketType)),
      ["open", "close", "ping", "pong", "message", "upgrade", "noop"],
    );
  });
});

describe("a payload", () => {
  const vectors: readonly (readonly [Revision, boolean, readonly Packet[], string | Buffer])[] = [
    [4, true, [text("hello")], "4hello"],
    [4, true, [text("a"), { type: PacketType.PING, data: "" }, binary(bytes)], "4a\x1e2\x1ebAQIDBA=="],
    [3, true, [text("hello"), text("€")], "6:4hello2:4€"],
    [3, true, [text("\u{1f600}")], "3:4\u{1f600}"],
    [3, false, [text("€"), binary(bytes)], "2:4€10:b4AQIDBA=="],
    [3, true, [text("€"), binary(bytes)], Buffer.from("0004ff34e282ac0105ff0401020304", "hex")],
    [3, true, [binary(Buffer.alloc(11))], Buffer.from(`010102ff04${"00".repeat(11)}`, "hex")],
    [3, true, [{ type: PacketType.PONG, data: "" }], "1:3"],
  ];
  for (const [revision, supportsBinary, packets, wire] of vectors) {
    const shown = typeof wire === "string" ? JSON.stringify(wire) : wire.toString("hex");
    test(`of revision ${revision} is ${shown}`, () => {
      const encoded = revision === 4 ? encodePayloadV4(packets) : encodePayloadV3(packets, supportsBinary);
      assert.deepEqual(encoded, wire);
      assert.deepEqual(readAll(readerOf(wire, revision)), packets);
    });
  }

  for (const [revision, wire] of [
    [4, ""],
    [4, "\x1e"],
    [4, "4a\x1e"],
    [4, "\x1e4a"],
    [4, "abc"],
    [3, ""],
    [3, "abc"],
    [3, ":4"],
    [3, "0:"],
    [3, "-1:4"],
    [3, "1e1:4aaaaaaaaa"],
    [3, " 1:4"],
    [3, "3:4a"],
    [3, "1:41"],
    [3, "1:4x:"],
    [3, `${"9".repeat(40)}:4`],
    [3, "9007199254740993:4"],
    [3, Buffer.alloc(0)],
    [3, Buffer.of(2, 1, 255, 52)],
    [3, Buffer.of(0, 255, 52)],
    [3, Buffer.of(0, 10, 255, 52)],
    [3, Buffer.of(0, 2, 255, 52)],
    [3, Buffer.of(0, 1)],
    [3, Buffer.of(0, 0, 255)],
    [3, Buffer.of(1, 1, 255, 52)],
    [3, Buffer.from([0, ...Array.from({ length: 400 }, () => 9), 255])],
  ] as const) {
    const shown =
      typeof wire === "string" ? JSON.stringify(wire) : `${wire.subarray(0, 8).toString("hex")} as bytes`;
    test(`of revision ${revision} cannot be ${shown}`, () => {
      assert.throws(() => readAll(readerOf(wire, revision)), invalid);
    });
  }

  test("of a million packets is read one by one, in time that grows with its length alone", () => {
    for (const [payload, revision] of [
      ["4\x1e".repeat(499_999) + "4", 4],
      ["1:4".repeat(333_333), 3],
      [Buffer.from("0001ff34".repeat(250_000), "hex"), 3],
    ] as const) {
      const reader = readerOf(payload, revision);
      const from = performance.now();
      let count = 0;
      while (reader.next() !== undefined) count++;
      assert.ok(count >= 250_000);
      assert.ok(performance.now() - from < 5000);
    }
  });

  test("comes out as it went in, and random ones are read or refused", () => {
    const type = fc.constantFrom(...Object.values(PacketType));
    const anyText = fc
      .tuple(type, fc.string({ unit: "grapheme" }))
      .map(([of, data]) => ({ type: of, data: data.replaceAll("\x1e", "") }));
    const anyBinary = fc.uint8Array().map((data) => binary(Buffer.from(data)));
    fc.assert(
      fc.property(fc.array(fc.oneof(anyText, anyBinary), { minLength: 1 }), fc.boolean(), (packets, flag) => {
        assert.deepEqual(readAll(new PayloadReaderV4(encodePayloadV4(packets))), packets);
        assert.deepEqual(readAll(readerOf(encodePayloadV3(packets, flag), 3)), packets);
      }),
    );
    const chosen = fc
      .array(fc.constantFrom(0, 1, 2, 4, 5, 9, 30, 49, 52, 58, 98, 255, 200))
      .map((data) => Buffer.from(data));
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array().map((data) => Buffer.from(data)),
          chosen,
        ),
        (noise) => {
          for (const reader of [
            new PayloadReaderV4(noise.toString()),
            new TextPayloadReaderV3(noise.toString("latin1")),
            new BinaryPayloadReaderV3(noise),
          ]) {
            try {
              readAll(reader);
            } catch (error) {
              assert.ok(invalid(error), String(error));
            }
          }
        },
      ),
      { numRuns: 1000 },
    );
  });
});

describe("JSONP", () => {
  test("answers with a call of the client's function, as JavaScript", () => {
    assert.equal(encodeJsonp("7", '4"\u2028\u2029\n'), String.raw`___eio[7]("4\"\u2028\u2029\n");`);
  });

  test("takes only the digits of the index", () => {
    assert.equal(encodeJsonp("1];alert(2)//", "6"), '___eio[12]("6");');
    assert.equal(encodeJsonp("", "6"), '___eio[]("6");');
  });

  test("reads the field d of a form, with its newlines as the client escapes them", () => {
    assert.equal(decodeJsonp(`d=${encodeURIComponent(String.raw`4a\nb`)}`), "4a\nb");
    assert.equal(decodeJsonp(`d=${encodeURIComponent(String.raw`4a\\nb`)}`), String.raw`4a\nb`);
    assert.equal(decodeJsonp("d=6%3A4a+b%E2%82%AC"), "6:4a b€");
    assert.equal(decodeJsonp("d=%zz"), "%zz");
  });

  test("reads nothing where there is no such field", () => {
    for (const body of ["", "x=1", "d", "__proto__=1", "&".repeat(100_000)]) {
      assert.ok([undefined, ""].includes(decodeJsonp(body)), body.slice(0, 20));
    }
  });
});
