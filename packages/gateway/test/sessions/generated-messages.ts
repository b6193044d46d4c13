import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const require = createRequire(import.meta.url);
const ownProtos = fileURLToPath(new URL("../../proto", import.meta.url));
const sharedProtos = join(dirname(require.resolve("@sluice/rpc/package.json")), "proto");

/** Where the generated code is committed. */
export const generatedFolder: string = fileURLToPath(
  new URL("../../src/sessions/generated", import.meta.url),
);

/** What the messages of packages/gateway/proto are made of, beside the google.protobuf ones. */
const imported = [
  "google/api/annotations.proto",
  "google/api/http.proto",
  "google/rpc/error_details.proto",
  "google/rpc/status.proto",
];

/** Generates the code of packages/gateway/proto with protoc-gen-es into a folder. */
export async function generateMessages(folder: string): Promise<void> {
  const own = readdirSync(ownProtos, { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith(".proto"),
  );
  const compiler = join(dirname(require.resolve("protoc/package.json")), "protoc.cjs");
  const plugin = join(dirname(require.resolve("@bufbuild/protoc-gen-es/package.json")), "bin/protoc-gen-es");
  await promisify(execFile)(process.execPath, [
    compiler,
    `--plugin=protoc-gen-es=${plugin}`,
    `--proto_path=${ownProtos}`,
    `--proto_path=${sharedProtos}`,
    `--es_out=${folder}`,
    "--es_opt=target=ts,import_extension=ts",
    ...own.toSorted(),
    ...imported,
  ]);
}

/** The texts of the `.ts` files below a folder, by their names. */
export function textsBelow(folder: string): Map<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith(".ts"),
  );
  return new Map(names.toSorted().map((name) => [name, readFileSync(join(folder, name), "utf8")]));
}
