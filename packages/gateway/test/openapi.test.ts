import assert from "node:assert/strict";
import { test } from "node:test";
import { startEchoServer } from "@sluice/testkit";
import { runCommand } from "./command.ts";

test("sluice openapi writes the document of a schema, from files and from reflection", async () => {
  const echo = await startEchoServer();
  const files = ["--proto", echo.protoPath, "--proto-path", ...echo.importPaths];
  for (const source of [files, ["--upstream", echo.address]]) {
    const { code, stdout, stderr } = await runCommand(
      "openapi",
      "--title",
      "T",
      "--server",
      "http://x",
      ...source,
    );
    assert.equal(code, 0, stderr);
    const document = JSON.parse(stdout) as { openapi: string; info: { title: string }; paths: object };
    assert.deepEqual([document.openapi, document.info.title], ["3.1.1", "T"]);
    assert.ok("/v1/say/{text}" in document.paths);
  }
  assert.equal((await runCommand("openapi")).code, 2);
  await echo.close();
});
