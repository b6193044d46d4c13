import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create, createRegistry, toBinary } from "@bufbuild/protobuf";
import {
  AnySchema,
  anyPack,
  ApiSchema,
  DurationSchema,
  StructSchema,
  TimestampSchema,
} from "@bufbuild/protobuf/wkt";
import { createCodec } from "../../src/codec/create-codec.ts";
import { createFieldReader } from "../../src/codec/field-reader.ts";
import { parseJson } from "../../src/codec/json-text.ts";
import type { JsonObject } from "../../src/codec/message-codec.ts";
import { RpcError } from "../../src/error.ts";

describe("a codec", () => {
  test("reads and writes a message", () => {
    const codec = createCodec(ApiSchema);
    const json = { name: "orders", methods: [{ name: "Get" }], version: "v1" };
    assert.deepEqual(JSON.parse(codec.jsonFromBytes(codec.bytesFromJson(json))), json);
  });

  test("makes no bytes of no body", () => {
    assert.equal(createCodec(ApiSchema).bytesFromJson(undefined).length, 0);
  });

  test("shows an Any of unknown type as it is, also inside an Any", () => {
    const opaque = create(AnySchema, { typeUrl: "example.com/shop.Secret", value: Uint8Array.of(1, 2, 3) });
    const shown = { "@type": "example.com/shop.Secret", value: "AQID" };
    const registry = createRegistry(AnySchema, DurationSchema);
    const codec = createCodec(AnySchema, { registry });
    assert.deepEqual(JSON.parse(codec.jsonFromBytes(toBinary(AnySchema, opaque))), shown);
    assert.deepEqual(JSON.parse(codec.jsonFromBytes(toBinary(AnySchema, anyPack(AnySchema, opaque)))), {
      "@type": "type.googleapis.com/google.protobuf.Any",
      value: shown,
    });
  });

  test("ignores unknown fields, or refuses them", () => {
    assert.equal(createCodec(ApiSchema).bytesFromJson({ nome: "x" }).length, 0);
    assert.throws(
      () => createCodec(ApiSchema, { strict: true }).bytesFromJson({ nome: "x" }),
      (error) => error instanceof RpcError && error.code === "json_invalid" && /nome/.test(error.message),
    );
  });

  test("refuses bytes that are not a message", () => {
    assert.throws(
      () => createCodec(ApiSchema).jsonFromBytes(Uint8Array.of(0x0a, 5, 1)),
      (error) => error instanceof RpcError && error.code === "protobuf_invalid",
    );
  });
});

function fieldText(json: JsonObject, field: keyof (typeof ApiSchema)["field"]): string {
  return createFieldReader(ApiSchema.field[field])(createCodec(ApiSchema).bytesFromJson(json));
}

describe("a field reader", () => {
  test("gives the text of one field alone", () => {
    assert.equal(fieldText({ name: "a", methods: [{ name: "b" }] }, "methods"), '[{"name":"b"}]');
    assert.equal(fieldText({ name: "a" }, "name"), '"a"');
    assert.equal(fieldText({ sourceContext: { fileName: "f" } }, "sourceContext"), '{"fileName":"f"}');
  });

  test("gives the zero value of what is not there, and null for what has presence", () => {
    assert.equal(fieldText({}, "methods"), "[]");
    assert.equal(fieldText({}, "name"), '""');
    assert.equal(fieldText({}, "sourceContext"), "null");
  });

  test("works inside a type that has a JSON form of its own", () => {
    assert.equal(createFieldReader(TimestampSchema.field.seconds)(Uint8Array.of(8, 1)), '"1"');
    const bytes = createCodec(StructSchema).bytesFromJson({ a: 1 });
    assert.equal(createFieldReader(StructSchema.field.fields)(bytes), '{"a":1}');
  });
});

describe("JSON text", () => {
  test("is parsed", () => {
    assert.deepEqual(parseJson(' {"a": [{"b": "}\\","}, "a", {"b": 1}], "c": {"a": null}} '), {
      a: [{ b: '}",' }, "a", { b: 1 }],
      c: { a: null },
    });
  });

  for (const text of ['{"a":1,"a":1}', '[{"x":{"\\u0061":1,"b":[{}],"a":2}}]', '{"":1,"b":{"":1},"":1}']) {
    test(`with one name twice is refused: ${text}`, () => {
      assert.throws(() => parseJson(text), { code: "json_invalid", message: /twice/ });
    });
  }

  for (const text of ["", "{", '{"a":1}}', "nul", "'a'"]) {
    test(`that is not JSON is refused: ${JSON.stringify(text)}`, () => {
      assert.throws(() => parseJson(text), { code: "json_invalid", message: /^not JSON/ });
    });
  }
});
