import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const folder = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

test("the generated clients are those of their .proto files", async () => {
  const fresh = await mkdtemp(join(tmpdir(), "sluice-generated-"));
  const { scripts } = JSON.parse(await readFile(folder("../package.json"), "utf8")) as {
    readonly scripts: { readonly generate: string };
  };
  const command = scripts.generate.replace("--es_out=test/generated", `--es_out=${fresh}`);
  await promisify(execFile)("npx", ["-c", command], { cwd: folder("..") });
  const names = await readdir(folder("generated"));
  assert.deepEqual(await readdir(fresh), names);
  for (const name of names) {
    const text = await readFile(join(folder("generated"), name), "utf8");
    assert.equal(
      await readFile(join(fresh, name), "utf8"),
      text,
      `${name}: npm run generate -w packages/client`,
    );
  }
  await rm(fresh, { recursive: true });
});
