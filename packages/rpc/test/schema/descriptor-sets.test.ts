import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import {
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  type FileDescriptorProto,
} from "@bufbuild/protobuf/wkt";
import { RpcError } from "../../src/error.ts";
import { loadDescriptorSets } from "../../src/schema/descriptor-sets.ts";
import { compileTexts, proto3, writeFiles } from "./protos.ts";

function setOf(file: readonly FileDescriptorProto[]): Uint8Array {
  return toBinary(FileDescriptorSetSchema, create(FileDescriptorSetSchema, { file: [...file] }));
}

const texts = {
  "a.proto": proto3("a", `message M { b.N n = 1; } service S { rpc Do(M) returns (M); }`, ["b.proto"]),
  "b.proto": proto3("b", `message N { google.protobuf.Any any = 1; }`, ["google/protobuf/any.proto"]),
};

describe("descriptor sets", () => {
  test("are read and joined", async (t) => {
    const files = await compileTexts(t, texts);
    const named = (name: string) => files.filter((each) => each.name === name);
    const folder = writeFiles(t, {
      "whole.binpb": setOf(files),
      "a.binpb": setOf(named("a.proto")),
      "b.binpb": setOf(named("b.proto")),
    });
    for (const names of [["whole.binpb"], ["a.binpb", "b.binpb"], ["b.binpb", "whole.binpb"]]) {
      const schema = await loadDescriptorSets(names.map((name) => join(folder, name)));
      assert.deepEqual([...schema.methods.keys()], ["/a.S/Do"]);
    }
  });

  test("that lack an import say which, and what to do", async (t) => {
    const files = await compileTexts(t, texts);
    const folder = writeFiles(t, { "a.binpb": setOf(files.filter(({ name }) => name === "a.proto")) });
    const path = join(folder, "a.binpb");
    await assert.rejects(loadDescriptorSets([path]), (error) => {
      assert.ok(error instanceof RpcError);
      assert.equal(error.code, "descriptor_invalid");
      assert.ok(
        error.message.startsWith(`a.proto (${path}) imports b.proto, which is missing`),
        error.message,
      );
      assert.match(error.message, /protoc --include_imports --descriptor_set_out/);
      return true;
    });
  });

  const unreadable: [string, string, Uint8Array | string | undefined, RegExp][] = [
    ["a file that is not there", "x.binpb", undefined, /x\.binpb: .*ENOENT/],
    ["an empty file", "x.binpb", "", /x\.binpb: .*not a descriptor set/],
    ["some text", "x.binpb", "hello, world", /x\.binpb: .*not a descriptor set/],
    ["a .proto file", "x.proto", texts["b.proto"], /x\.proto: this is a \.proto file/],
    [
      "random bytes",
      "x.binpb",
      new Uint8Array(100).map((_, index) => (index * 73 + 11) & 255),
      /not a descriptor set/,
    ],
    [
      "a descriptor that is not in a set",
      "x.binpb",
      toBinary(
        FileDescriptorProtoSchema,
        create(FileDescriptorProtoSchema, { name: "a.proto", package: "a" }),
      ),
      /not a descriptor set/,
    ],
  ];
  for (const [title, name, content, pattern] of unreadable) {
    test(`are not ${title}`, async (t) => {
      const folder = writeFiles(t, content === undefined ? {} : { [name]: content });
      await assert.rejects(loadDescriptorSets([join(folder, name)]), (error) => {
        assert.ok(error instanceof RpcError);
        assert.equal(error.code, "descriptor_unreadable");
        assert.match(error.message, pattern);
        return true;
      });
    });
  }

  test("are not a folder", async (t) => {
    const folder = writeFiles(t, {});
    await assert.rejects(loadDescriptorSets([folder]), { code: "descriptor_unreadable", message: /EISDIR/ });
  });
});
