import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { startEchoServer, type EchoServer } from "@sluice/testkit";
import { runCommand } from "./command.ts";

let echo: EchoServer;
let folder: string;
before(async () => {
  echo = await startEchoServer();
  folder = await mkdtemp(join(tmpdir(), "sluice-rules-"));
});
after(async () => {
  await echo.close();
  await rm(folder, { recursive: true });
});

async function methodsWith(rules: string): ReturnType<typeof runCommand> {
  const file = join(folder, "rules.yaml");
  await writeFile(file, rules);
  return runCommand("methods", "--upstream", echo.address, "--http-rules", file);
}

test("HTTP rules in YAML take the place of those in the schema", async () => {
  const { stdout, stderr } = await methodsWith(`
type: google.api.Service
config_version: 3
http:
  rules:
    - selector: sluice.test.v1.Echo.Sleep
      post: /v2/sleep
      body: "*"
`);
  assert.match(
    stdout,
    /^sluice\.test\.v1\.Echo\/Sleep {2}unary\n {2}POST {3}\/v2\/sleep {2}body: \*$/m,
    stderr,
  );
});

test("a file that is wrong: where and why, exit code 2", async () => {
  const broken = await methodsWith("http:\n  rules:\n  - [\n");
  assert.equal(broken.code, 2);
  assert.match(broken.stderr, /rules\.yaml:4:1: /);
  const foreign = await methodsWith("http: { rules: [{ selector: a.B.C, get: /x }] }");
  assert.equal(foreign.code, 2);
  assert.match(foreign.stderr, /"a\.B\.C" is no method of the schema/);
  const missing = await runCommand("methods", "--upstream", echo.address, "--http-rules", "/none.yaml");
  assert.equal(missing.code, 2);
  assert.match(missing.stderr, /cannot read \/none\.yaml/);
});
