import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

test("the generated client is that of the proto: npm run generate -w @sluice/example-demo", async () => {
  const demo = fileURLToPath(new URL("..", import.meta.url));
  const { scripts } = JSON.parse(await readFile(join(demo, "package.json"), "utf8")) as {
    scripts: Record<string, string>;
  };
  const fresh = await mkdtemp(join(tmpdir(), "sluice-generated-"));
  const command = scripts["generate"]?.replace("page/generated", fresh) ?? "";
  const bin = fileURLToPath(new URL("../../../node_modules/.bin", import.meta.url));
  const env = { ...process.env, PATH: `${bin}:${process.env["PATH"]}` };
  await promisify(execFile)("sh", ["-c", command], { cwd: demo, env });
  assert.deepEqual(await filesUnder(join(demo, "page/generated")), await filesUnder(fresh));
  await rm(fresh, { recursive: true });
});

async function filesUnder(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  const files = paths
    .toSorted()
    .map(async (path) => [path.slice(folder.length), await readFile(path, "utf8")]);
  return Object.fromEntries(await Promise.all(files)) as Record<string, string>;
}
