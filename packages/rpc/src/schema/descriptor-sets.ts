import { readFile } from "node:fs/promises";
import { fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema, type FileDescriptorProto } from "@bufbuild/protobuf/wkt";
import { RpcError } from "../error.ts";
import { createSchema, type Schema } from "./schema.ts";

const howTo = "protoc --include_imports --descriptor_set_out=FILE (or buf build -o FILE)";

/**
 * Reads files of serialized google.protobuf.FileDescriptorSet messages to one schema.
 * Throws RpcError: `descriptor_unreadable` where a file is not there or is something else, `descriptor_invalid`
 * where the sets miss an import or contradict each other.
 */
export async function loadDescriptorSets(paths: readonly string[]): Promise<Schema> {
  const sources = await Promise.all(paths.map(async (name) => ({ name, files: await readSet(name) })));
  return createSchema(...sources);
}

async function readSet(path: string): Promise<readonly FileDescriptorProto[]> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new RpcError("descriptor_unreadable", `${path}: the descriptor set cannot be read (${why})`, cause);
  }
  const files = parseSet(bytes);
  if (files !== undefined) return files;
  const what = path.endsWith(".proto") ? "a .proto file, not a descriptor set" : "not a descriptor set";
  throw new RpcError("descriptor_unreadable", `${path}: this is ${what}; make one with ${howTo}`);
}

/** Undefined where the bytes are not a set with at least one file. */
function parseSet(bytes: Uint8Array): readonly FileDescriptorProto[] | undefined {
  try {
    const { file } = fromBinary(FileDescriptorSetSchema, bytes);
    return file.length > 0 && file.every(({ name }) => name !== "") ? file : undefined;
  } catch {
    return undefined;
  }
}
