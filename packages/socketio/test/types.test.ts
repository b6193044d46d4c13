import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../..", import.meta.url));

// Against this package it is compiled with everything else.
test("what the test of types takes for code of applications compiles against socket.io too", async () => {
  const code = await readFile(new URL("types/application.ts", import.meta.url), "utf8");
  const folder = await mkdtemp(join(root, "node_modules/.types-"));
  try {
    const original = code.replace('"@sluice/socketio"', '"socket.io"');
    assert.notEqual(original, code);
    await writeFile(join(folder, "application.ts"), original);
    const config = {
      extends: "../../tsconfig.base.json",
      compilerOptions: { noEmit: true },
      include: ["*.ts"],
    };
    await writeFile(join(folder, "tsconfig.json"), JSON.stringify(config));
    const { stdout } = await run(process.execPath, [
      join(root, "node_modules/typescript/bin/tsc"),
      "-p",
      folder,
    ]).catch((error: { stdout: string }) => error);
    assert.equal(stdout, "");
  } finally {
    await rm(folder, { recursive: true });
  }
});
