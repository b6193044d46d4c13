import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create, createFileRegistry, type DescMessage, type FileRegistry } from "@bufbuild/protobuf";
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";
import { createCompiledCodec } from "../../src/codec/compiled/compiled-codec.ts";
import type { JsonObject, MessageCodec } from "../../src/codec/message-codec.ts";
import { hostileNames } from "./random-schema.ts";

const { STRING, ENUM, MESSAGE } = FieldDescriptorProto_Type;
const { OPTIONAL, REPEATED } = FieldDescriptorProto_Label;

/**
 * Types in which a name is that of everything that has one: messages, fields, an enum value and an extension.
 * protobuf-es refuses such names where it links a file, but for those in JSON, so the others are put in afterwards.
 */
function hostileTypes(name: string): { registry: FileRegistry; desc: DescMessage } {
  const field = { label: OPTIONAL, type: STRING };
  const registry = createFileRegistry(
    create(FileDescriptorSetSchema, {
      file: [
        create(FileDescriptorProtoSchema, {
          name: "hostile.proto",
          syntax: "proto2",
          messageType: [
            {
              name: "M",
              field: [
                { ...field, name: "a", jsonName: name, number: 1 },
                { ...field, name: "b", jsonName: `${name}2`, number: 2 },
                { ...field, name: "c", jsonName: `${name}3`, number: 3, type: ENUM, typeName: ".E" },
                { ...field, name: "d", jsonName: `${name}4`, number: 4, type: MESSAGE, typeName: ".N" },
                { ...field, name: "e", jsonName: `${name}5`, number: 5, label: REPEATED },
              ],
              extensionRange: [{ start: 100, end: 200 }],
            },
            { name: "N", field: [{ ...field, name: "f", jsonName: name, number: 1 }] },
          ],
          enumType: [
            {
              name: "E",
              value: [
                { name: "G", number: 0 },
                { name: "H", number: 1 },
              ],
            },
          ],
          extension: [{ ...field, name: "i", number: 100, extendee: ".M" }],
        }),
      ],
    }),
  );
  const desc = registry.getMessage("M") as DescMessage;
  for (const message of [desc, registry.getMessage("N") as DescMessage]) {
    for (const each of message.fields) Object.assign(each, { name: `${name} ${each.name}` });
    Object.assign(message, { name, typeName: `${name}.${message.name}` });
  }
  for (const value of registry.getEnum("E")?.values ?? [])
    Object.assign(value, { name, jsonName: `${name}${value.number}` });
  Object.assign(registry.getExtension("i") ?? {}, { typeName: name, jsonName: `[${name}]` });
  return { registry, desc };
}

const hacks = [
  '"]; globalThis.hacked = true; o["',
  "`+(globalThis.hacked=true)+`",
  "${globalThis.hacked = true}",
  "\u2028globalThis.hacked = true\u2029",
  "*/ globalThis.hacked = true /*",
  "\n globalThis.hacked = true //",
  '\\"]; globalThis.hacked = true; //',
  "');globalThis.hacked = true;('",
  "\ud800",
];

describe("a name in a descriptor is only a name", () => {
  for (const name of [...hostileNames, ...hacks]) {
    test(JSON.stringify(name), () => {
      const { registry, desc } = hostileTypes(name);
      const json: JsonObject = Object.fromEntries([
        [name, "a"],
        [`${name}2`, "b"],
        [`${name}3`, `${name}1`],
        [`${name}4`, Object.fromEntries([[name, "c"]])],
        [`${name}5`, ["d", "e"]],
        [`[${name}]`, "f"],
      ]);
      const codec = createCompiledCodec(desc, { registry, strict: true });
      const bytes = codec.bytesFromJson(json);
      assert.equal(
        Buffer.from(bytes).toString("latin1"),
        "\x0a\x01a\x12\x01b\x18\x01\x22\x03\x0a\x01c\x2a\x01d\x2a\x01e\xa2\x06\x01f",
      );
      assert.deepEqual(JSON.parse(codec.jsonFromBytes(bytes)), json);
      const byProtoName = createCompiledCodec(desc, { registry, protoFieldNames: true });
      const shown = JSON.parse(byProtoName.jsonFromBytes(bytes)) as JsonObject;
      assert.equal(shown[`${name} a`], "a");
      assert.deepEqual(byProtoName.bytesFromJson(shown), bytes);
      assert.equal(codec.bytesFromJson({}).length, 0);
      assert.throws(() => codec.bytesFromJson({ [`${name}2`]: 1 }), { code: "json_invalid" });
      assert.throws(() => codec.jsonFromBytes(Uint8Array.of(8)), { code: "protobuf_invalid" });
      assert.equal("hacked" in globalThis, false);
    });
  }

  test("what every object inherits is not taken for a field", () => {
    for (const name of ["constructor", "toString", "__proto__", "hasOwnProperty", "valueOf"]) {
      const { registry, desc } = hostileTypes(name);
      assert.equal(createCompiledCodec(desc, { registry }).bytesFromJson({ x: 1 }).length, 0);
    }
  });

  test("a JSON object with the name __proto__ changes no prototype", () => {
    const { registry, desc } = hostileTypes("a");
    const json = JSON.parse(
      '{"__proto__":{"a":"polluted"},"constructor":{"prototype":{"a":"polluted"}}}',
    ) as JsonObject;
    assert.equal(createCompiledCodec(desc, { registry }).bytesFromJson(json).length, 0);
    assert.equal("a" in {}, false);
  });

  test("a type that only calls itself well-known has the JSON of its fields, or is read as the real one", () => {
    const registry = createFileRegistry(
      create(FileDescriptorSetSchema, {
        file: [
          create(FileDescriptorProtoSchema, {
            name: "fake.proto",
            package: "google.protobuf",
            syntax: "proto3",
            messageType: [
              { name: "Int32Value" },
              {
                name: "BoolValue",
                field: [
                  {
                    name: "m",
                    jsonName: "m",
                    number: 1,
                    label: OPTIONAL,
                    type: MESSAGE,
                    typeName: ".google.protobuf.BoolValue",
                  },
                ],
              },
              {
                name: "StringValue",
                field: [{ name: "l", jsonName: "l", number: 1, label: REPEATED, type: STRING }],
              },
              {
                name: "Timestamp",
                field: [{ name: "s", jsonName: "s", number: 1, label: OPTIONAL, type: STRING }],
              },
              { name: "Any" },
            ],
          }),
        ],
      }),
    );
    const codecOf = (name: string): MessageCodec =>
      createCompiledCodec(registry.getMessage(`google.protobuf.${name}`) as DescMessage, { registry });
    assert.equal(codecOf("Int32Value").jsonFromBytes(codecOf("Int32Value").bytesFromJson({})), "{}");
    assert.equal(
      codecOf("BoolValue").jsonFromBytes(codecOf("BoolValue").bytesFromJson({ m: {} })),
      '{"m":{}}',
    );
    assert.equal(
      codecOf("StringValue").jsonFromBytes(codecOf("StringValue").bytesFromJson({ l: ["a"] })),
      '{"l":["a"]}',
    );
    assert.equal(codecOf("Timestamp").jsonFromBytes(Uint8Array.of(0x0a, 1, 0x61)), '"1970-01-01T00:00:00Z"');
    assert.equal(codecOf("Any").jsonFromBytes(new Uint8Array()), "{}");
  });
});
