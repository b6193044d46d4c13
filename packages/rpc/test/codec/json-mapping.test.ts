import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { JsonOptions, JsonValue } from "../../src/codec/message-codec.ts";
import { bytesOf, hex, implementations, Legacy, Types } from "./fixture.ts";

/** A field, its JSON, the bytes, and the JSON that those bytes are if it is another, or `nothing`. */
type Row = [field: string, json: JsonValue, bytes: string, canonical?: JsonValue | undefined];

const nothing = undefined;
const max64 = "ff ff ff ff ff ff ff ff";

/** What is written and read. Source: https://protobuf.dev/programming-guides/json */
const rows: Record<string, Row[]> = {
  integers: [
    ["int32", 1, "08 01"],
    ["int32", -1, `08 ${max64} ff 01`],
    ["int32", "2147483647", "08 ff ff ff ff 07", 2147483647],
    ["int32", -2147483648, "08 80 80 80 80 f8 ff ff ff ff 01"],
    ["int32", 1e2, "08 64"],
    ["int32", "1.0e2", "08 64", 100],
    ["int32", "-5", "08 fb ff ff ff ff ff ff ff ff 01", -5],
    ["uint32", 4294967295, "18 ff ff ff ff 0f"],
    ["sint32", -1, "28 01"],
    ["sint32", -2147483648, "28 ff ff ff ff 0f"],
    ["fixed32", 4294967295, "3d ff ff ff ff"],
    ["sfixed32", -2, "4d fe ff ff ff"],
  ],
  "64-bit integers, which are strings": [
    ["int64", "1", "10 01"],
    ["int64", 1, "10 01", "1"],
    ["int64", "00000000000000000000000000001", "10 01", "1"],
    ["int64", "9223372036854775807", "10 ff ff ff ff ff ff ff ff 7f"],
    ["int64", "-9223372036854775808", "10 80 80 80 80 80 80 80 80 80 01"],
    ["int64", "-1", `10 ${max64} ff 01`],
    ["int64", -9007199254740992, "10 80 80 80 80 80 80 80 f0 ff 01", "-9007199254740992"],
    ["int64", "9007199254740993", "10 81 80 80 80 80 80 80 10"],
    ["int64", "4294967296", "10 80 80 80 80 10"],
    ["uint64", "18446744073709551615", `20 ${max64} ff 01`],
    ["sint64", "-9223372036854775808", `30 ${max64} ff 01`],
    ["sint64", "9223372036854775807", `30 fe ${max64.slice(3)} ff 01`],
    ["fixed64", "18446744073709551615", `41 ${max64}`],
    ["sfixed64", "-2", "51 fe ff ff ff ff ff ff ff"],
  ],
  floats: [
    ["float", 1.5, "5d 00 00 c0 3f"],
    ["float", "NaN", "5d 00 00 c0 7f"],
    ["float", "-Infinity", "5d 00 00 80 ff"],
    ["float", 3.4028234663852886e38, "5d ff ff 7f 7f"],
    ["double", 1.5, "61 00 00 00 00 00 00 f8 3f"],
    ["double", "1.5e0", "61 00 00 00 00 00 00 f8 3f", 1.5],
    ["double", "Infinity", "61 00 00 00 00 00 00 f0 7f"],
    ["double", 5e-324, "61 01 00 00 00 00 00 00 00"],
    ["double", 1e300, "61 9c 75 00 88 3c e4 37 7e"],
  ],
  "strings and bytes": [
    ["bool", true, "68 01"],
    ["string", 'é💥\u0000"\\', "72 09 c3 a9 f0 9f 92 a5 00 22 5c"],
    ["string", "a".repeat(200), `72 c8 01 ${"61".repeat(200)}`],
    ["string", `${"a".repeat(126)}é`, `72 80 01 ${"61".repeat(126)} c3 a9`],
    ["bytes", "AQI=", "7a 02 01 02"],
    ["bytes", "-_8", "7a 02 fb ff", "+/8="],
    ["bytes", "+/8=", "7a 02 fb ff"],
  ],
  enums: [
    ["color", "RED", "80 01 01"],
    ["color", 1, "80 01 01", "RED"],
    ["color", "BLUE", `80 01 ${max64} ff 01`],
    ["color", 99, "80 01 63"],
    ["colorList", ["RED", 0, 7], "ba 01 03 01 00 07", ["RED", "COLOR_UNSPECIFIED", 7]],
    ["nullChoice", null, "d8 02 00"],
    ["nullMap", { a: null }, "92 02 05 0a 01 61 10 00"],
  ],
  "what is zero": [
    ["int32", 0, "", nothing],
    ["int64", "-0", "", nothing],
    ["string", "", "", nothing],
    ["bytes", "", "", nothing],
    ["bool", false, "", nothing],
    ["color", "COLOR_UNSPECIFIED", "", nothing],
    ["double", 0, "", nothing],
    ["optionalInt32", 0, "90 03 00"],
    ["optionalString", "", "9a 03 00"],
    ["numberChoice", 0, "c0 02 00"],
    ["stringChoice", "", "ca 02 00"],
    ["child", {}, "92 01 00"],
    ["empty", {}, "9a 04 00"],
  ],
  "null, which is as if it were not there": [
    ["int32", null, "", nothing],
    ["color", null, "", nothing],
    ["child", null, "", nothing],
    ["int32List", null, "", nothing],
    ["stringMap", null, "", nothing],
    ["numberChoice", null, "", nothing],
    ["boolWrapper", null, "", nothing],
    ["timestamp", null, "", nothing],
    ["optionalInt32", null, "", nothing],
  ],
  "lists and maps": [
    ["int32List", [1, 2, 300], "a2 01 04 01 02 ac 02"],
    ["int32List", [], "", nothing],
    ["unpackedList", [1, 2], "a8 01 01 a8 01 02"],
    ["stringList", ["", "a"], "b2 01 00 b2 01 01 61"],
    ["childList", [{}, { int32: 1 }], "c2 01 00 c2 01 02 08 01"],
    ["stringMap", { a: "b", "": "" }, "f2 01 06 0a 01 61 12 01 62 f2 01 04 0a 00 12 00"],
    [
      "int32Map",
      { "-1": 2, "3": 0 },
      `fa 01 04 08 03 10 00 fa 01 0d 08 ${max64} ff 01 10 02`,
      { "3": 0, "-1": 2 },
    ],
    ["boolMap", { true: "RED" }, "82 02 04 08 01 10 01"],
    ["childMap", { "18446744073709551615": { int32: 1 } }, `8a 02 0f 08 ${max64} ff 01 12 02 08 01`],
    ["child", { child: { string: "a".repeat(130) } }, `92 01 89 01 92 01 85 01 72 82 01 ${"61".repeat(130)}`],
  ],
  timestamps: [
    ["timestamp", "1970-01-01T00:00:00Z", "ea 03 00"],
    ["timestamp", "1970-01-01T00:00:01.5Z", "ea 03 08 08 01 10 80 ca b5 ee 01", "1970-01-01T00:00:01.500Z"],
    ["timestamp", "1970-01-01T00:00:00.000001Z", "ea 03 03 10 e8 07"],
    ["timestamp", "1970-01-01T00:00:00.000000001Z", "ea 03 02 10 01"],
    ["timestamp", "1970-01-01T01:00:00+01:00", "ea 03 00", "1970-01-01T00:00:00Z"],
    ["timestamp", "1969-12-31T23:59:59Z", `ea 03 0b 08 ${max64} ff 01`],
    ["timestamp", "0001-01-01T00:00:00Z", "ea 03 0b 08 80 92 b8 c3 98 fe ff ff ff 01"],
    ["timestamp", "9999-12-31T23:59:59Z", "ea 03 07 08 ff 82 d1 ff af 07"],
    ["timestamp", "2024-02-29T12:34:56Z", "ea 03 06 08 f0 f3 81 af 06"],
  ],
  durations: [
    ["duration", "0s", "f2 03 00"],
    ["duration", "1.5s", "f2 03 08 08 01 10 80 ca b5 ee 01", "1.500s"],
    ["duration", "-0.5s", "f2 03 0b 10 80 b6 ca 91 fe ff ff ff ff 01", "-0.500s"],
    ["duration", "315576000000s", "f2 03 07 08 80 bc ae ce 97 09"],
  ],
  "other well-known types": [
    ["fieldMask", "a,fooBar.bazQux", "fa 03 14 0a 01 61 0a 0f 66 6f 6f 5f 62 61 72 2e 62 61 7a 5f 71 75 78"],
    ["fieldMask", "", "fa 03 00"],
    ["struct", { a: 1 }, "82 04 10 0a 0e 0a 01 61 12 09 11 00 00 00 00 00 00 f0 3f"],
    ["value", null, "8a 04 02 08 00"],
    ["value", "a", "8a 04 03 1a 01 61"],
    ["value", [true, {}], "8a 04 0a 32 08 0a 02 20 01 0a 02 2a 00"],
    ["listValue", [], "92 04 00"],
    ["valueList", [null], "ca 01 02 08 00"],
    ["boolWrapper", false, "b2 04 00"],
    ["int64Wrapper", "5", "ba 04 02 08 05"],
    ["stringWrapper", "a", "c2 04 03 0a 01 61"],
    ["bytesWrapper", "AQ==", "ca 04 03 0a 01 01"],
    ["doubleWrapper", "NaN", "d2 04 09 09 00 00 00 00 00 00 f8 7f"],
  ],
  names: [
    ["int32_list", [1], "a2 01 01 01", nothing],
    ["@other name", "a", "a2 03 01 61"],
    ["renamed", "a", "a2 03 01 61", nothing],
  ],
};

/** JSON that does not fit, and what the compiled codec says: first where. Some of it protobuf-es lets pass. */
const refused: [json: JsonValue, says: RegExp, reflective?: "passes"][] = [
  [1, /^test.Types: expected an object, got 1/],
  [[], /^test.Types: expected an object, got an array/],
  [null, /^test.Types: expected an object, got null/],
  [{ int32: 1.5 }, /^int32: expected a 32-bit integer, got 1.5/],
  [{ int32: 2147483648 }, /^int32: /],
  [{ int32: "1 " }, /^int32: /],
  [{ int32: "" }, /^int32: /],
  [{ int32: true }, /^int32: .* got true/],
  [{ uint32: -1 }, /^uint32: /],
  [{ int64: "9223372036854775808" }, /^int64: /],
  [{ int64: "1.5" }, /^int64: /],
  [{ int64: 1.5 }, /^int64: /],
  [{ int64: "9".repeat(1_000_000) }, /^int64: /],
  [{ int64: "-" }, /^int64: /],
  [{ int64: [] }, /^int64: .* got an array/],
  [{ uint64: "-1" }, /^uint64: /],
  [{ uint64: "18446744073709551616" }, /^uint64: /],
  [{ uint64: 18446744073709551616 }, /^uint64: /],
  [{ float: 1e39 }, /^float: /],
  [{ float: "Inf" }, /^float: /],
  [{ double: "1e400" }, /^double: /],
  [{ double: "" }, /^double: /],
  [{ double: JSON.parse("1e400") as number }, /^double: /],
  [{ bool: "true" }, /^bool: expected true or false, got "true"/],
  [{ bool: 1 }, /^bool: /],
  [{ string: 1 }, /^string: expected a string, got 1/],
  [{ string: "\ud800" }, /^string: the string has half of a surrogate pair/],
  [{ string: `${"a".repeat(100)}\udc00` }, /^string: the string has half/],
  [{ stringMap: { "\ud800": "" } }, /^stringMap\["\\ud800"\]: the string has half/],
  [{ bytes: "A" }, /^bytes: expected base64/],
  [{ bytes: "A*==" }, /^bytes: expected base64/],
  [{ bytes: 1 }, /^bytes: /],
  [{ color: "PINK" }, /^color: expected the name of an enum value, got "PINK"/],
  [{ color: 1.5 }, /^color: /],
  [{ color: {} }, /^color: /],
  [{ nothing: 1 }, /^test.Types: there is no field "nothing"/],
  [{ child: { child: { nothing: 1 } } }, /^child.child: there is no field "nothing"/],
  [{ child: [] }, /^child: expected an object, got an array/],
  [{ int32List: 1 }, /^int32List: expected an array, got 1/],
  [{ int32List: [1, null] }, /^int32List\[1\]: null is no value here/],
  [{ int32List: [1, 2, "x"] }, /^int32List\[2\]: expected a 32-bit integer, got "x"/],
  [{ childList: [{}, { childList: [{ int32: "x" }] }] }, /^childList\[1\].childList\[0\].int32: /],
  [{ stringMap: [] }, /^stringMap: expected an object, got an array/],
  [{ stringMap: { a: null } }, /^stringMap\["a"\]: null is no value here/],
  [{ stringMap: { "a b": 1 } }, /^stringMap\["a b"\]: expected a string, got 1/],
  [{ int32Map: { x: 1 } }, /^int32Map\["x"\]: expected an integer as key/],
  [{ int32Map: { " 1": 1 } }, /^int32Map\[" 1"\]: /],
  [{ int32Map: { "2147483648": 1 } }, /^int32Map\["2147483648"\]: /],
  [{ boolMap: { "1": "RED" } }, /^boolMap\["1"\]: expected "true" or "false" as key/],
  [{ childMap: { "1": { int32: "x" } } }, /^childMap\["1"\].int32: /],
  [{ numberChoice: 1, stringChoice: "a" }, /^stringChoice: only one field of a oneof .*"numberChoice"/],
  [{ int32List: [], int32_list: [] }, /^test.Types: "int32List" and "int32_list" are the same field/],
  [{ timestamp: "2026-02-29T00:00:00Z" }, /^timestamp: /, "passes"],
  [{ timestamp: "2026-01-01T24:00:00Z" }, /^timestamp: /, "passes"],
  [{ timestamp: "2026-01-01t00:00:00Z" }, /^timestamp: /],
  [{ timestamp: "2026-01-01T00:00:00" }, /^timestamp: /],
  [{ timestamp: "2026-01-01T00:00:00.Z" }, /^timestamp: /],
  [{ timestamp: "2026-01-01T00:00:00.1234567890Z" }, /^timestamp: /],
  [{ timestamp: "0000-12-31T23:59:59Z" }, /^timestamp: .* years 1 to 9999/],
  [{ timestamp: "9999-12-31T23:59:59-01:00" }, /^timestamp: .* years 1 to 9999/],
  [{ timestamp: 0 }, /^timestamp: /],
  [{ duration: "1" }, /^duration: /],
  [{ duration: "315576000001s" }, /^duration: /],
  [{ duration: 1 }, /^duration: /],
  [{ fieldMask: "foo_bar" }, /^fieldMask: /],
  [{ fieldMask: [] }, /^fieldMask: /],
  [{ struct: [] }, /^struct: expected an object/],
  [{ struct: { a: [1, "\ud800"] } }, /^struct\["a"\]\[1\]: the string has half/, "passes"],
  [{ listValue: {} }, /^listValue: expected an array/],
  [{ boolWrapper: 1 }, /^boolWrapper: /],
  [{ any: { a: 1 } }, /^any: an Any needs its type as "@type"/],
  [{ any: { "@type": "" } }, /^any: the type of an Any is not known: ""/],
  [{ any: { "@type": 1 } }, /^any: the type of an Any is not known: 1/],
  [{ any: { "@type": "x.com/no.Such" } }, /^any: the type of an Any is not known: "x.com\/no.Such"/],
  [{ any: { "@type": "x.com/test.Types", int32: "x" } }, /^any.int32: /],
  [{ any: { "@type": "x.com/google.protobuf.Duration", value: "x" } }, /^any.value: /],
];

function optionsOf(given: JsonOptions, json: JsonValue): string {
  const texts = Object.values(implementations).map((create) => {
    const codec = create(Types, given);
    return codec.jsonFromBytes(codec.bytesFromJson(json));
  });
  assert.equal(texts[0], texts[1]);
  return texts[0] as string;
}

for (const [name, create] of Object.entries(implementations)) {
  describe(`ProtoJSON, ${name}`, () => {
    const codec = create(Types, { strict: true });
    for (const [group, table] of Object.entries(rows)) {
      describe(group, () => {
        for (const row of table) {
          const [field, json, bytes] = row;
          test(`${field}: ${JSON.stringify(json).slice(0, 50)}`, () => {
            assert.equal(hex(codec.bytesFromJson({ [field]: json })), hex(bytesOf(bytes)));
            if (group === "names" && row.length > 3) return;
            const canonical = row.length > 3 ? row[3] : json;
            const expected = canonical === undefined ? {} : { [field]: canonical };
            assert.equal(codec.jsonFromBytes(bytesOf(bytes)), JSON.stringify(expected));
          });
        }
      });
    }

    describe("refuses", () => {
      for (const [json, says, reflective] of refused) {
        if (name === "reflective" && reflective === "passes") continue;
        test(JSON.stringify(json).slice(0, 60), () => {
          const message = name === "compiled" ? says : /./;
          assert.throws(() => codec.bytesFromJson(json), { name: "RpcError", code: "json_invalid", message });
        });
      }
    });

    test("an Any is the message inside, with its type", () => {
      const json = { any: { "@type": "type.googleapis.com/test.Types", int32: 1 } };
      const wrapped = { any: { "@type": "type.googleapis.com/google.protobuf.Duration", value: "1s" } };
      const nested = { any: { "@type": "type.googleapis.com/google.protobuf.Any", value: json.any } };
      const empty = { any: {} };
      for (const each of [json, wrapped, nested, empty]) {
        assert.deepEqual(JSON.parse(codec.jsonFromBytes(codec.bytesFromJson(each))), each);
      }
    });

    test("unknown names of fields and enum values are ignored where strict is not asked for", () => {
      const lenient = create(Types);
      const json = {
        nothing: { x: [1] },
        color: "PINK",
        colorList: ["PINK", "RED"],
        boolMap: { true: "PINK" },
        int32: 1,
      };
      assert.equal(lenient.jsonFromBytes(lenient.bytesFromJson(json)), '{"int32":1,"colorList":["RED"]}');
    });

    test("an error has a bounded length, whatever is in the JSON", () => {
      const long = "x".repeat(100_000);
      for (const json of [
        { [long]: 1 },
        { any: { "@type": long } },
        { stringMap: { [long]: 1 } },
        { string: [long] },
      ]) {
        assert.throws(
          () => codec.bytesFromJson(json),
          (error) => error instanceof Error && error.message.length < 500,
        );
      }
    });

    test("the JSON is not changed", () => {
      const json = Object.freeze({
        int32List: Object.freeze([1]) as unknown as JsonValue,
        any: Object.freeze({}),
      });
      codec.bytesFromJson(json);
      assert.deepEqual(json, { int32List: [1], any: {} });
    });
  });
}

describe("JSON options", () => {
  test("emitDefaults writes what has no presence also where it is zero", () => {
    const json = JSON.parse(optionsOf({ emitDefaults: true }, { child: {}, numberChoice: 0 })) as Record<
      string,
      JsonValue
    >;
    assert.equal(json["int64"], "0");
    assert.equal(json["color"], "COLOR_UNSPECIFIED");
    assert.equal(json["nullValue"], null);
    assert.deepEqual(json["childList"], []);
    assert.deepEqual(json["stringMap"], {});
    assert.equal(json["numberChoice"], 0);
    assert.deepEqual((json["child"] as Record<string, JsonValue>)["bytes"], "");
    for (const absent of ["optionalInt32", "timestamp", "stringChoice", "any", "boolWrapper"]) {
      assert.equal(absent in json, false, absent);
    }
  });

  test("enumsAsNumbers writes numbers, and null for NullValue", () => {
    const json = { color: "RED", colorList: ["BLUE", 9], boolMap: { true: 1 }, nullChoice: null };
    assert.equal(
      optionsOf({ enumsAsNumbers: true }, json),
      '{"color":1,"colorList":[-1,9],"boolMap":{"true":1},"nullChoice":null}',
    );
  });

  test("protoFieldNames writes the names of the .proto file", () => {
    const json = {
      int32List: [1],
      "@other name": "a",
      struct: { camelCase: 1 },
      childMap: { 1: { optionalInt32: 1 } },
    };
    assert.equal(
      optionsOf({ protoFieldNames: true }, json),
      '{"int32_list":[1],"child_map":{"1":{"optional_int32":1}},"renamed":"a","struct":{"camelCase":1}}',
    );
  });
});

describe("proto2", () => {
  for (const [name, create] of Object.entries(implementations)) {
    const codec = create(Legacy);

    test(`groups, closed enums, packed lists and extensions, ${name}`, () => {
      const json = {
        id: 0,
        size: "SMALL",
        unpacked: [1, 2],
        packed: [1, 2],
        part: { name: "a" },
        piece: [{ name: "b" }, {}],
        sizes: ["LARGE"],
        "[test.legacy.level]": 7,
        "[test.legacy.tags]": ["x"],
        "[test.legacy.other]": { id: 1, "[test.legacy.level]": 8 },
      };
      const bytes = codec.bytesFromJson(json);
      assert.equal(
        hex(bytes),
        hex(
          bytesOf(
            "08 00 10 01 18 01 18 02 22 02 01 02 2b 0a 01 61 2c 33 0a 01 62 34 33 34 38 02" +
              " a0 06 07 aa 06 01 78 b2 06 05 08 01 a0 06 08",
          ),
        ),
      );
      assert.equal(codec.jsonFromBytes(bytes), JSON.stringify(json));
    });

    test(`a required field is required, both ways, ${name}`, () => {
      assert.throws(() => codec.bytesFromJson({}), { code: "json_invalid", message: /id/ });
      assert.throws(() => codec.bytesFromJson({ id: 1, child: {} }), { code: "json_invalid", message: /id/ });
      assert.throws(() => codec.jsonFromBytes(new Uint8Array()), { code: "protobuf_invalid", message: /id/ });
    });

    test(`a closed enum has no other numbers, ${name}`, () => {
      assert.throws(() => codec.bytesFromJson({ id: 1, size: 9 }), { code: "json_invalid" });
      assert.equal(codec.jsonFromBytes(bytesOf("08 01 10 02 10 09")), '{"id":1,"size":"LARGE"}');
    });

    test(`a string that proto2 does not check becomes text, ${name}`, () => {
      assert.equal(codec.jsonFromBytes(bytesOf("08 01 42 03 61 ff 62")), '{"id":1,"unchecked":"a\ufffdb"}');
    });
  }
});

test("the sign of zero is kept by the compiled codec", () => {
  const codec = implementations["compiled"]?.(Types);
  const bytes = bytesOf("5d 00 00 00 80 61 00 00 00 00 00 00 00 80");
  assert.equal(codec?.jsonFromBytes(bytes), '{"float":-0,"double":-0}');
  assert.deepEqual(codec?.bytesFromJson(JSON.parse('{"float":-0,"double":-0}') as JsonValue), bytes);
});
