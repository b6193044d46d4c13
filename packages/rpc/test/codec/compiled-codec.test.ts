import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  fromBinary,
  fromJson,
  toBinary,
  toJson,
  toJsonString,
  type DescMessage,
  type FileRegistry,
  type JsonValue,
} from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import * as fc from "fast-check";
import { createCompiledCodec } from "../../src/codec/compiled/compiled-codec.ts";
import type { JsonOptions } from "../../src/codec/message-codec.ts";
import { Made, randomMessage, randomSchema, type Generate } from "./random-schema.ts";

const optionSets: JsonOptions[] = [
  {},
  { strict: true },
  { emitDefaults: true },
  { enumsAsNumbers: true, protoFieldNames: true },
  { emitDefaults: true, enumsAsNumbers: true },
];

/** A random type with random options, and the bytes of so many messages of it. */
class Case {
  readonly registry: FileRegistry;
  readonly desc: DescMessage;
  readonly options: JsonOptions;
  readonly bytes: Uint8Array;

  constructor(g: Generate, messages: number) {
    this.registry = randomSchema(g);
    this.desc = this.registry.getMessage("test.M0") as DescMessage;
    this.options = g(fc.constantFrom(...optionSets));
    const parts = Array.from({ length: messages }, () => randomMessage(this.desc, this.registry, g));
    this.bytes = Buffer.concat(parts.map((part) => toBinary(this.desc, part)));
  }

  [fc.toStringMethod](): string {
    const file = toJsonString(FileDescriptorProtoSchema, this.desc.file.proto);
    return `${file} with ${JSON.stringify(this.options)} and ${hex(this.bytes)}`;
  }
}

/** The oracle: what protobuf-es writes for the bytes. */
function expectedJson({ registry, desc, options, bytes }: Case): string {
  return JSON.stringify(
    toJson(desc, fromBinary(desc, bytes), {
      registry,
      alwaysEmitImplicit: options.emitDefaults ?? false,
      enumAsInteger: options.enumsAsNumbers ?? false,
      useProtoFieldName: options.protoFieldNames ?? false,
    }),
  );
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/**
 * The same text, but for the order of members: protobuf-es keeps maps in objects, where names like "1" come
 * first, and has the `@type` of an Any last.
 */
function assertSameJson(actual: string, expected: string): void {
  if (actual === expected) return;
  assert.deepEqual(JSON.parse(actual), JSON.parse(expected));
  assert.equal(actual.length, expected.length);
}

describe("the compiled codec does what protobuf-es does", () => {
  const runs = { numRuns: Number(process.env["CODEC_RUNS"] ?? 300), includeErrorInReport: true };

  test("with random messages of random types, both ways", () => {
    fc.assert(
      fc.property(new Made((g) => new Case(g, 1)), (one) => {
        const { desc, registry, options, bytes } = one;
        const expected = expectedJson(one);
        const codec = createCompiledCodec(desc, { ...options, registry });
        assertSameJson(codec.jsonFromBytes(bytes), expected);
        const json = JSON.parse(expected) as JsonValue;
        const again = toBinary(desc, fromJson(desc, json, { registry }));
        assert.equal(hex(codec.bytesFromJson(json)), hex(again));
      }),
      runs,
    );
  });

  test("with the parts of three messages one after the other, which are one merged message", () => {
    fc.assert(
      fc.property(new Made((g) => new Case(g, 3)), (one) => {
        const codec = createCompiledCodec(one.desc, { ...one.options, registry: one.registry });
        let expected: string;
        try {
          expected = expectedJson(one);
        } catch {
          // Merged, a Duration may have two signs, and an Any the type of one message and the value of another.
          return;
        }
        assertSameJson(codec.jsonFromBytes(one.bytes), expected);
      }),
      runs,
    );
  });
});
