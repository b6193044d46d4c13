import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import {
  Decoder,
  defaultMaxAttachments,
  Encoder,
  type Packet,
  PacketType,
  reservedEvents,
  SocketIoError,
} from "../src/index.ts";

const encoder = new Encoder();
const bytes = Buffer.of(1, 2, 3);
const { CONNECT, DISCONNECT, EVENT, ACK, CONNECT_ERROR } = PacketType;
const placeholder = (num: unknown): string => JSON.stringify({ _placeholder: true, num });
const invalid = (error: unknown): boolean =>
  error instanceof SocketIoError && error.code === "packet_invalid" && error.message !== "";

const withAttachments = (count: number): string => `5${count}-["e"]`;

function decode(messages: readonly (string | Uint8Array)[], decoder = new Decoder()): Packet | undefined {
  let packet: Packet | undefined;
  for (const message of messages) {
    assert.equal(packet, undefined);
    packet = decoder.add(typeof message === "string" ? message : Buffer.from(message));
  }
  return packet;
}

describe("a packet of Socket.IO", () => {
  const vectors: readonly (readonly [Packet, ...(string | Uint8Array)[]])[] = [
    [{ type: CONNECT, nsp: "/" }, "0"],
    [{ type: CONNECT, nsp: "/custom", data: { token: "t" } }, '0/custom,{"token":"t"}'],
    [{ type: CONNECT, nsp: "/", data: { sid: "x" } }, '0{"sid":"x"}'],
    [{ type: DISCONNECT, nsp: "/custom" }, "1/custom,"],
    [{ type: DISCONNECT, nsp: "/" }, "1"],
    [{ type: EVENT, nsp: "/", data: ["echo", "a"], id: 0 }, '20["echo","a"]'],
    [{ type: EVENT, nsp: "/a,b".slice(0, 2), data: ["e"], id: 12 }, '2/a,12["e"]'],
    [{ type: EVENT, nsp: "/", data: [7, null] }, "2[7,null]"],
    [{ type: ACK, nsp: "/", data: [], id: 3 }, "33[]"],
    [{ type: CONNECT_ERROR, nsp: "/denied", data: { message: "no" } }, '4/denied,{"message":"no"}'],
    [{ type: CONNECT_ERROR, nsp: "/", data: "no" }, '4"no"'],
    [{ type: EVENT, nsp: "/", data: ["e", bytes], id: 0 }, `51-0["e",${placeholder(0)}]`, bytes],
    [
      { type: EVENT, nsp: "/a", data: ["e", { x: [bytes], y: Buffer.of(9) }] },
      `52-/a,["e",{"x":[${placeholder(0)}],"y":${placeholder(1)}}]`,
      bytes,
      Buffer.of(9),
    ],
    [{ type: ACK, nsp: "/", data: [bytes], id: 0 }, `61-0[${placeholder(0)}]`, bytes],
  ];
  for (const [packet, ...messages] of vectors) {
    test(`is ${String(messages[0])}`, () => {
      assert.deepEqual(encoder.encode(packet), messages);
      const expected = { type: packet.type, nsp: packet.nsp, id: packet.id, data: packet.data };
      assert.deepEqual(decode(messages), expected);
    });
  }

  test("needs no comma behind a namespace that says nothing more", () => {
    assert.equal(decode(["0/custom"])?.nsp, "/custom");
    assert.equal(decode(["1/custom"])?.nsp, "/custom");
    assert.equal(decode(["0/custom?token=a"])?.nsp, "/custom?token=a");
  });

  test("keeps a key of any name to itself", () => {
    const packet = decode([`51-["e",{"__proto__":{"polluted":true},"b":${placeholder(0)}}]`, bytes]);
    assert.ok(packet !== undefined);
    const [, argument] = packet.data as [string, object];
    assert.equal((argument as { polluted?: unknown }).polluted, undefined);
    assert.deepEqual(Object.keys(argument), ["__proto__", "b"]);
    const encoded = encoder.encode({ type: EVENT, nsp: "/", data: ["e", argument] });
    assert.equal(encoded[0], `51-["e",{"__proto__":{"polluted":true},"b":${placeholder(0)}}]`);
  });

  test("takes bytes in any form", () => {
    const { buffer } = new Uint8Array([1, 2, 3, 4]);
    for (const value of [
      buffer,
      new DataView(buffer, 0, 4),
      new Uint16Array(buffer),
      new Uint8Array(buffer),
    ]) {
      const [text, attachment] = encoder.encode({ type: EVENT, nsp: "/", data: ["e", value] });
      assert.equal(text, `51-["e",${placeholder(0)}]`);
      assert.deepEqual(Buffer.from(attachment ?? []), Buffer.of(1, 2, 3, 4));
    }
  });

  test("asks objects what they say of themselves, also beside and above bytes", () => {
    const date = new Date(0);
    const data = ["e", { toJSON: () => ({ inner: bytes, date }) }, date];
    const [text, ...attachments] = encoder.encode({ type: EVENT, nsp: "/", data });
    assert.equal(
      text,
      `51-["e",{"inner":${placeholder(0)},"date":"1970-01-01T00:00:00.000Z"},"1970-01-01T00:00:00.000Z"]`,
    );
    assert.deepEqual(attachments, [bytes]);
  });

  test("does not change what it is made of", () => {
    const data = ["e", { b: bytes }];
    encoder.encode({ type: EVENT, nsp: "/", data });
    assert.deepEqual(data, ["e", { b: bytes }]);
  });

  test("cannot have a cycle, and says so", () => {
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    assert.throws(() => encoder.encode({ type: EVENT, nsp: "/", data: ["e", cycle] }), /circular/);
  });

  for (const text of [
    "",
    "7",
    "a",
    "-1",
    "0[]",
    "0null",
    '0"x"',
    "01.5",
    "0/custom,[]",
    "1{}",
    "1/custom,1[]",
    "2",
    "2[]",
    "2{}",
    '2"e"',
    "2[{}]",
    "2[null]",
    '2[["e"]]',
    '2["e"',
    '2a["e"]',
    '2-1["e"]',
    '21.5["e"]',
    `2${"9".repeat(16)}["e"]`,
    '2/a["e"]',
    '3["no id"]',
    "31",
    "31{}",
    "4",
    "4[]",
    '5["e"]',
    '5-["e"]',
    '50-["e"]',
    '5-1-["e"]',
    '51.5-["e"]',
    '51e1-["e"]',
    '5 1-["e"]',
    '51["e"]',
    "61-",
    `5${"9".repeat(30)}-["e"]`,
    ...[...reservedEvents].map((name) => `2["${name}"]`),
    '51-["connect"]',
  ]) {
    test(`cannot be ${JSON.stringify(text)}`, () => {
      assert.throws(() => decode([text]), invalid);
    });
  }

  test("has at most ten attachments, or as many as its decoder takes", () => {
    assert.equal(new Decoder().add(withAttachments(defaultMaxAttachments)), undefined);
    assert.throws(() => new Decoder().add(withAttachments(11)), /at most 10 attachments/);
    assert.equal(new Decoder({ maxAttachments: 11 }).add(withAttachments(11)), undefined);
  });

  test("cannot be a text while attachments are to come, nor an attachment of nothing", () => {
    const decoder = new Decoder();
    assert.throws(() => decoder.add(Buffer.of(1)), invalid);
    assert.equal(decoder.add('52-["e"]'), undefined);
    assert.equal(decoder.add(Buffer.of(1)), undefined);
    assert.throws(() => decoder.add('2["e"]'), invalid);
    decoder.destroy();
    assert.deepEqual(decoder.add('2["e"]')?.data, ["e"]);
  });

  for (const num of [1, -1, 0.5, "0", "length", "splice", "__proto__", null, {}, 1e9]) {
    test(`cannot have ${JSON.stringify(num)} as the number of its one attachment`, () => {
      assert.throws(() => decode([`51-["e",${placeholder(num)}]`, bytes]), invalid);
    });
  }

  test("leaves a placeholder alone where there are no attachments", () => {
    assert.deepEqual(decode([`2["e",${placeholder(5)}]`])?.data, ["e", { _placeholder: true, num: 5 }]);
  });

  test("may be nested 1,000 levels deep, and can be sent on then", () => {
    const text = String.raw`"[[\"[[\\"`;
    // The array of the arguments is the first level.
    for (const [open, close] of [
      ["[".repeat(999), "]".repeat(999)],
      ['{"a":['.repeat(499), "]}".repeat(499)],
      ['["]","",'.repeat(999), "0" + "]".repeat(999)],
    ] as const) {
      const packet = decode([`51-["e",${placeholder(0)},${text},${open}${close}]`, bytes]);
      assert.ok(packet);
      assert.equal(encoder.encode(packet).length, 2);
      assert.throws(() => decode([`2["e",${text},[[${open}${close}]]]`]), /deeper than 1000 levels/);
      assert.ok(decode([`2["e",${JSON.stringify(open + open + close)}]`]));
    }
    assert.throws(() => decode([`2["e",${"[".repeat(400_000)}`]), /deeper/);
  });

  test("comes out as it went in", () => {
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        { maxDepth: 4 },
        fc.constant(null),
        fc.boolean(),
        fc.integer(),
        fc.string({ unit: "grapheme" }),
        fc.uint8Array({ maxLength: 5 }).map((data) => Buffer.from(data)),
        fc.array(tie("any"), { maxLength: 3 }),
        fc.dictionary(
          fc.string({ minLength: 1 }).filter((key) => key !== "_placeholder"),
          tie("any"),
          {
            maxKeys: 3,
            noNullPrototype: true,
          },
        ),
      ),
    })).any;
    const name = fc.string().filter((each) => !reservedEvents.has(each));
    const nsp = fc.constantFrom("/", "/a", "/a/b?c=d");
    const id = fc.option(fc.nat(), { nil: undefined });
    fc.assert(
      fc.property(name, fc.array(value, { maxLength: 3 }), nsp, id, (event, rest, namespace, number) => {
        const packet: Packet = { type: EVENT, nsp: namespace, id: number, data: [event, ...rest] };
        const messages = encoder.encode(packet);
        assert.deepEqual(decode(messages, new Decoder({ maxAttachments: 1000 })), packet);
      }),
    );
  });

  test("is refused or read, whatever comes", () => {
    const piece = fc.constantFrom(
      "0",
      "1",
      "2",
      "5",
      "6",
      "-",
      "/",
      ",",
      "[",
      "]",
      '"',
      "{",
      "}",
      "e",
      '["e"]',
    );
    const message = fc.oneof(
      fc.array(piece).map((parts) => parts.join("")),
      fc.string(),
      fc.uint8Array().map((data) => Buffer.from(data)),
    );
    fc.assert(
      fc.property(fc.array(message, { maxLength: 4 }), (messages) => {
        const decoder = new Decoder();
        for (const each of messages) {
          try {
            decoder.add(each);
          } catch (error) {
            assert.ok(invalid(error), String(error));
            return;
          }
        }
      }),
      { numRuns: 2000 },
    );
  });
});
