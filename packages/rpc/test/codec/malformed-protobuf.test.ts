import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fromBinary, toJson } from "@bufbuild/protobuf";
import * as fc from "fast-check";
import { maximumDepth, type JsonValue } from "../../src/codec/message-codec.ts";
import { RpcError } from "../../src/error.ts";
import { bytesOf, hex, implementations, Legacy, registry, Types } from "./fixture.ts";

/** What a codec refuses, and what the compiled one says. */
const refused: Record<string, [bytes: string, says: RegExp]> = {
  "a tag without its value": ["08", /ends inside a field \(byte 1\)/],
  "a varint that goes on": ["08 ff", /ends inside/],
  "a varint of eleven bytes": ["08 ff ff ff ff ff ff ff ff ff ff 01", /more than ten bytes/],
  "an unknown varint of eleven bytes": ["c0 3e ff ff ff ff ff ff ff ff ff ff 01", /more than ten bytes/],
  "a tag of six bytes": ["88 80 80 80 80 00 01", /no such field/],
  "a tag beyond 32 bits": ["88 80 80 80 10 01", /no such field/],
  "field 0": ["00 01", /no such field/],
  "wire type 6": ["0e 01", /no such field or wire type/],
  "wire type 7": ["0f 01", /no such field or wire type/],
  "a string longer than the message": ["72 05 61", /ends inside/],
  "a length of 4 GiB": ["72 ff ff ff ff 0f 61", /ends inside/],
  "a length of 2 GiB": ["92 01 80 80 80 80 08", /ends inside/],
  "half a double": ["61 00 00", /ends inside/],
  "half a float": ["5d 00 00", /ends inside/],
  "half a fixed64": ["41 00 00", /ends inside/],
  "half an unknown fixed32": ["c5 3e 00", /ends inside/],
  "half an unknown fixed64": ["c1 3e 00", /ends inside/],
  "an unknown string longer than the message": ["c2 3e 05 61", /ends inside/],
  "a packed list that ends inside a varint": ["a2 01 01 ff", /ends inside/],
  "a message that ends inside a field": ["92 01 01 08", /ends inside/],
  "a field that is longer than its message": ["92 01 03 72 05 61 62 63 64 65", /ends inside/],
  "a map entry that ends inside a field": ["f2 01 02 0a 05", /ends inside/],
  "an end without a group": ["0c", /group ends/],
  "an unknown group without an end": ["c3 3e 08 01", /ends inside/],
  "an unknown group with another's end": ["c3 3e cc 3e", /group ends/],
  "a string that is not UTF-8": ["72 02 c3 28", /not UTF-8/],
  "a lone surrogate in UTF-8": ["72 03 ed a0 80", /not UTF-8/],
  "an overlong slash in UTF-8": ["72 02 c0 af", /not UTF-8/],
  "a map key that is not UTF-8": ["f2 01 03 0a 01 ff", /not UTF-8/],
  "a string in a list that is not UTF-8": ["b2 01 01 ff", /not UTF-8/],
  "a timestamp in the year 10000": ["ea 03 07 08 80 83 d1 ff af 07", /Timestamp/],
  "a timestamp with negative nanos": [`ea 03 0b 10 ${"ff ".repeat(9)}01`, /Timestamp/],
  "a duration with two signs": [`f2 03 0d 08 01 10 ${"ff ".repeat(9)}01`, /Duration/],
  "a field mask without lowerCamelCase": ["fa 03 05 0a 03 61 5f 31", /FieldMask/],
  "a value without a value": ["8a 04 00", /Value/],
  "a value that is not a number": ["8a 04 09 11 00 00 00 00 00 00 f8 7f", /Value/],
  "a struct with a value without a value": ["82 04 05 0a 03 0a 01 61", /Value/],
};

/** What protobuf-es lets pass. */
const lenient = [
  "an unknown varint of eleven bytes",
  "a field that is longer than its message",
  "a struct with a value without a value",
];

for (const [name, create] of Object.entries(implementations)) {
  describe(`malformed protobuf, ${name}`, () => {
    const codec = create(Types);
    for (const [what, [bytes, says]] of Object.entries(refused)) {
      if (name === "reflective" && lenient.includes(what)) continue;
      test(what, () => {
        const message = name === "compiled" ? says : /./;
        assert.throws(() => codec.jsonFromBytes(bytesOf(bytes)), {
          name: "RpcError",
          code: "protobuf_invalid",
          message,
        });
      });
    }

    test("messages may be nested as deep as protobuf allows, and no deeper", () => {
      assert.match(codec.jsonFromBytes(nestedMessages(maximumDepth)), /^(\{"child":){99}\{\}\}*$/);
      for (const depth of [maximumDepth + 1, 3000]) {
        assert.throws(() => codec.jsonFromBytes(nestedMessages(depth)), { code: "protobuf_invalid" });
      }
    });

    test("unknown groups may be nested that deep too, and no deeper", () => {
      assert.equal(codec.jsonFromBytes(nestedGroups(maximumDepth - 1)), "{}");
      for (const depth of [maximumDepth, 100_000]) {
        assert.throws(() => codec.jsonFromBytes(nestedGroups(depth)), { code: "protobuf_invalid" });
      }
    });

    test("JSON 10,000 deep is refused, wherever it is", () => {
      for (const json of [
        nestedJson('{"child":', "}"),
        { value: nestedJson("[", "]") },
        { value: nestedJson('{"a":', "}") },
        { struct: { a: nestedJson("[", "]") } },
        nestedJson('{"any":{"@type":"x.com/test.Types","any":', "}}"),
        nestedJson('{"childList":[', "]}"),
        nestedJson('{"childMap":{"1":', "}}"),
      ]) {
        assert.throws(() => codec.bytesFromJson(json), { name: "RpcError", code: "json_invalid" });
      }
      assert.equal(codec.bytesFromJson({ unknown: nestedJson("[", "]") }).length, 0);
    });
  });
}

describe("the compiled codec", () => {
  const compiled = implementations["compiled"];
  assert.ok(compiled !== undefined);
  const codec = compiled(Types);
  const legacy = compiled(Legacy);

  const full = {
    int32: -1,
    fixed64: "1",
    double: 1.5,
    string: "é",
    child: { int32: 300, childList: [{ string: "a" }] },
    int32List: [1, 300],
    childMap: { 1: { int32: 1 } },
    childChoice: { bytes: "AQ==" },
    any: { "@type": "x.com/test.Types", int32: 1 },
    timestamp: "2026-01-01T00:00:00.5Z",
    struct: { a: [1, { b: null }] },
    int64Wrapper: "5",
  };

  test("refuses a message cut anywhere but between two of its fields", () => {
    const bytes = codec.bytesFromJson(full);
    for (let end = 0; end < bytes.length; end++) {
      const cut = bytes.subarray(0, end);
      const expected = attempt(() => toJson(Types, fromBinary(Types, cut), { registry }));
      const actual = attempt(() => JSON.parse(codec.jsonFromBytes(cut)) as unknown);
      assert.deepEqual(actual, expected, `at byte ${end} of ${hex(bytes)}`);
    }
  });

  test("takes a field of another wire type for an unknown field", () => {
    assert.equal(
      codec.jsonFromBytes(bytesOf("0d 01 00 00 00 10 05 72 01 61 73 08 01 74")),
      '{"int64":"5","string":"a"}',
    );
    assert.equal(codec.jsonFromBytes(bytesOf("f5 03 01 00 00 00 90 01 01")), "{}");
    assert.equal(legacy.jsonFromBytes(bytesOf("08 01 2a 01 61 28 07")), '{"id":1}');
  });

  test("reads lists both packed and unpacked, and mixed", () => {
    assert.equal(codec.jsonFromBytes(bytesOf("a0 01 01 a2 01 02 02 03 a0 01 04")), '{"int32List":[1,2,3,4]}');
    assert.equal(codec.jsonFromBytes(bytesOf("aa 01 02 01 02 a8 01 03")), '{"unpackedList":[1,2,3]}');
  });

  test("takes the last of what is there more than once, and merges messages", () => {
    assert.equal(codec.jsonFromBytes(bytesOf("08 01 08 02")), '{"int32":2}');
    assert.equal(codec.jsonFromBytes(bytesOf("08 01 08 00")), "{}");
    assert.equal(codec.jsonFromBytes(bytesOf("c0 02 01 ca 02 01 61")), '{"stringChoice":"a"}');
    assert.equal(
      codec.jsonFromBytes(bytesOf("92 01 02 08 01 92 01 00 92 01 02 10 02")),
      '{"child":{"int32":1,"int64":"2"}}',
    );
    assert.equal(
      codec.jsonFromBytes(bytesOf("d2 02 02 08 01 d2 02 02 10 02")),
      '{"childChoice":{"int32":1,"int64":"2"}}',
    );
    assert.equal(
      codec.jsonFromBytes(bytesOf("d2 02 02 08 01 c0 02 01 d2 02 02 10 02")),
      '{"childChoice":{"int64":"2"}}',
    );
    assert.equal(
      codec.jsonFromBytes(bytesOf("fa 01 04 08 01 10 01 fa 01 04 10 05 08 01 fa 01 00")),
      '{"int32Map":{"1":5,"0":0}}',
    );
    assert.equal(
      codec.jsonFromBytes(bytesOf("8a 02 08 12 02 08 01 12 02 10 02")),
      '{"childMap":{"0":{"int32":1,"int64":"2"}}}',
    );
    assert.equal(
      codec.jsonFromBytes(bytesOf("ea 03 02 08 01 ea 03 02 10 01")),
      '{"timestamp":"1970-01-01T00:00:01.000000001Z"}',
    );
  });

  test("has no work that grows faster than the message", () => {
    // Each level has its child twice, so reading each place once and both merged would double the work per level.
    let bytes = Buffer.alloc(0);
    for (let level = 0; level < 99; level++) {
      bytes = Buffer.concat([bytesOf("92 01"), varint(bytes.length), bytes, bytesOf("92 01 00")]);
    }
    assert.match(codec.jsonFromBytes(bytes), /^(\{"child":){99}/);
    const many = Buffer.concat(Array.from({ length: 50_000 }, () => bytesOf("92 01 02 08 01")));
    assert.equal(codec.jsonFromBytes(many), '{"child":{"int32":1}}');
  });

  test("shows an Any with malformed content as an error, and one of unknown type as it is", () => {
    assert.throws(() => codec.jsonFromBytes(any("x.com/test.Types", "08")), { code: "protobuf_invalid" });
    assert.equal(codec.jsonFromBytes(any("no.Such", "08")), '{"any":{"@type":"no.Such","value":"CA=="}}');
    assert.equal(codec.jsonFromBytes(any("x.com/", "")), '{"any":{"@type":"x.com/","value":""}}');
    assert.equal(
      codec.jsonFromBytes(any("x.com/test.Types", "08 01")),
      '{"any":{"@type":"x.com/test.Types","int32":1}}',
    );
  });

  test("answers any bytes with JSON or an RpcError", () => {
    const bytes = codec.bytesFromJson(full);
    const mutated = fc
      .array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 })
      .map((changes) => {
        const copy = Uint8Array.from(bytes);
        for (const [at, byte] of changes) copy[at] = byte;
        return copy;
      });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 64 }), mutated), (input) => {
        for (const each of [codec, legacy]) {
          try {
            JSON.parse(each.jsonFromBytes(input));
          } catch (error) {
            assert.ok(error instanceof RpcError && error.code === "protobuf_invalid", String(error));
          }
        }
      }),
      { numRuns: 3000 },
    );
  });

  test("answers any JSON with bytes or an RpcError", () => {
    const names = fc.constantFrom(...Types.fields.map((field) => field.jsonName));
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), fc.dictionary(names, fc.jsonValue())), (json) => {
        let bytes: Uint8Array;
        try {
          bytes = codec.bytesFromJson(json as JsonValue);
        } catch (error) {
          assert.ok(error instanceof RpcError && error.code === "json_invalid", String(error));
          return;
        }
        fromBinary(Types, bytes);
      }),
      { numRuns: 3000 },
    );
  });
});

function attempt(make: () => unknown): unknown {
  try {
    return make();
  } catch {
    return "refused";
  }
}

function varint(value: number): Uint8Array {
  const bytes = [];
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(Math.floor(value / 128 ** bytes.length));
  return Uint8Array.from(bytes);
}

/** Types in Types, so many messages deep. */
function nestedMessages(depth: number): Uint8Array {
  let bytes = Buffer.alloc(0);
  for (let level = 1; level < depth; level++) {
    bytes = Buffer.concat([bytesOf("92 01"), varint(bytes.length), bytes]);
  }
  return bytes;
}

function nestedGroups(depth: number): Uint8Array {
  return bytesOf("c3 3e".repeat(depth) + "c4 3e".repeat(depth));
}

function nestedJson(open: string, close: string): JsonValue {
  return JSON.parse(open.repeat(10_000) + "1" + close.repeat(10_000)) as JsonValue;
}

/** A field with a length: its tag, that, and its bytes. */
function block(tag: string, bytes: Uint8Array): Uint8Array {
  return Buffer.concat([bytesOf(tag), varint(bytes.length), bytes]);
}

/** Types with an Any of this type and content. */
function any(url: string, content: string): Uint8Array {
  return block("e2 03", Buffer.concat([block("0a", Buffer.from(url)), block("12", bytesOf(content))]));
}
