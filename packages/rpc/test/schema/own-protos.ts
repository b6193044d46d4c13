import { readdirSync } from "node:fs";
import { join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema, type FileDescriptorSet } from "@bufbuild/protobuf/wkt";
import { ownProtoFolder, protocFolder, runProtoc } from "../../src/schema/protoc.ts";

/** The descriptors of all files in packages/rpc/proto, without comments and without the google.protobuf files. */
export async function compileOwnProtos(): Promise<FileDescriptorSet> {
  const files = readdirSync(ownProtoFolder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".proto"))
    .toSorted()
    .map((name) => join(ownProtoFolder, name));
  const result = await runProtoc(files, [ownProtoFolder, join(protocFolder(), "include")]);
  if (!result.ok) throw new Error(result.stderr);
  const file = result.set.file.filter((each) => !each.name.startsWith("google/protobuf/"));
  for (const each of file) delete each.sourceCodeInfo;
  return create(FileDescriptorSetSchema, { file });
}

/** The text of src/schema/generated/descriptors.ts. */
export function generatedModule(set: FileDescriptorSet): string {
  const base64 = Buffer.from(toBinary(FileDescriptorSetSchema, set)).toString("base64");
  const lines = base64.match(/.{1,100}/g) ?? [];
  return `// Made from packages/rpc/proto by scripts/generate-descriptors.ts; do not edit.

/** A google.protobuf.FileDescriptorSet as base64 text. */
export const ownDescriptors: string = [
${lines.map((line) => `  "${line}",`).join("\n")}
].join("");
`;
}
