import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { defaultEngineLimits } from "../src/index.ts";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const examples = new URL("examples/", import.meta.url);

/** What each example prints. */
const printed: Readonly<Record<string, string>> = {
  "echo.ts": "hello\nwebsocket: transport close\n",
  "packets.ts":
    '51-/chat,12["photo",{"of":"ada","image":{"_placeholder":true,"num":0}}]\n' +
    "/chat 12 [ 'photo', { of: 'ada', image: <Buffer 01 02 03> } ]\n",
};

describe("the README", () => {
  for (const name of readdirSync(examples)) {
    test(`shows ${name} as it is, and it runs`, async () => {
      const file = new URL(name, examples);
      assert.ok(readme.includes(`\`\`\`ts\n${readFileSync(file, "utf8")}\`\`\``), `${name} differs`);
      const flags = ["--import", "tsx", "--conditions=@sluice/source"];
      const { stdout } = await promisify(execFile)(process.execPath, [...flags, fileURLToPath(file)]);
      assert.equal(stdout, printed[name]);
    });
  }

  test("names every limit with its default", () => {
    for (const [name, value] of Object.entries(defaultEngineLimits)) {
      assert.ok(readme.includes(`| \`${name}\` | ${value} |`), name);
    }
  });
});
