import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema, type FileDescriptorSet } from "@bufbuild/protobuf/wkt";
import { fileURLToPath } from "node:url";
import { RpcError } from "../error.ts";

/** google/api, google/rpc and grpc/reflection as this package has them. */
export const ownProtoFolder: string = fileURLToPath(new URL("../../proto", import.meta.url));

/** What came of a run of the compiler: descriptors, or what it wrote to stderr. */
export type ProtocResult =
  | { readonly ok: true; readonly set: FileDescriptorSet }
  | { readonly ok: false; readonly stderr: string };

/** The folder of the npm package `protoc`; its `include` has the google.protobuf files. */
export function protocFolder(): string {
  try {
    return dirname(createRequire(import.meta.url).resolve("protoc/package.json"));
  } catch (cause) {
    throw new RpcError(
      "proto_unreadable",
      "The compiler for .proto files is not installed: npm install protoc",
      cause,
    );
  }
}

function run(args: readonly string[]): Promise<{ failed: Error | undefined; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, args, { maxBuffer: 64 * 1024 * 1024 }, (error, _stdout, stderr) =>
      resolve({ failed: error ?? undefined, stderr }),
    );
  });
}

/**
 * Compiles files to their descriptors and those of all that they import, with comments.
 * Each file has to be below one of the import paths, which are absolute and searched in order.
 */
export async function runProtoc(
  files: readonly string[],
  importPaths: readonly string[],
): Promise<ProtocResult> {
  const compiler = join(protocFolder(), "protoc.cjs");
  // A file, because protoc cannot open its standard output where that is a socket.
  const folder = await mkdtemp(join(tmpdir(), "sluice-protoc-"));
  const output = join(folder, "set.binpb");
  try {
    const { failed, stderr } = await run([
      compiler,
      ...importPaths.map((path) => `--proto_path=${path}`),
      "--include_imports",
      "--include_source_info",
      `--descriptor_set_out=${output}`,
      ...files,
    ]);
    if (failed !== undefined) return { ok: false, stderr: stderr === "" ? failed.message : stderr };
    return { ok: true, set: fromBinary(FileDescriptorSetSchema, await readFile(output)) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
