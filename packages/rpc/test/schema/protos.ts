import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import type { FileDescriptorProto } from "@bufbuild/protobuf/wkt";
import { ownProtoFolder, protocFolder, runProtoc } from "../../src/schema/protoc.ts";

/** Writes files into a folder of their own, which goes when the test ends; answers the folder. */
export function writeFiles(context: TestContext, files: Record<string, string | Uint8Array>): string {
  const folder = mkdtempSync(join(tmpdir(), "sluice-test-"));
  context.after(() => rmSync(folder, { recursive: true }));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}

/** Compiles texts to their descriptors and those of all that they import, as protoc orders them. */
export async function compileTexts(
  context: TestContext,
  texts: Record<string, string>,
): Promise<FileDescriptorProto[]> {
  const folder = writeFiles(context, texts);
  const paths = Object.keys(texts).map((name) => join(folder, name));
  const result = await runProtoc(paths, [folder, ownProtoFolder, join(protocFolder(), "include")]);
  if (!result.ok) throw new Error(result.stderr);
  return [...result.set.file];
}

/** The text of a proto3 file. */
export function proto3(scope: string, body: string, imports: readonly string[] = []): string {
  return `syntax = "proto3"; package ${scope};${imports.map((name) => `import "${name}";`).join("")}\n${body}`;
}
