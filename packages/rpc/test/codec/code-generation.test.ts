import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { test } from "node:test";

const program = fileURLToPath(new URL("code-generation-peer.ts", import.meta.url));

for (const [flags, generates] of [
  [[], true],
  [["--disallow-code-generation-from-strings"], false],
] as const) {
  test(`createCodec works ${generates ? "with" : "without"} code generation`, () => {
    const args = [...flags, "--import", "tsx", "--conditions=@sluice/source", program];
    const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
    assert.equal(
      stdout,
      `${JSON.stringify({ generates, text: '{"name":"a","methods":[{"name":"b"}]}' })}\n`,
      stderr,
    );
  });
}
