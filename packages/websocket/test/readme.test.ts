import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { defaultCompression, defaultHeartbeat, defaultLimits } from "../src/index.ts";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const examples = new URL("examples/", import.meta.url);

/** What each example prints. */
const printed: Readonly<Record<string, string>> = {
  "broadcast.ts": "1: to all\n2: to all\n3: to all\n",
  "echo.ts": "hello\nclosed with 1000\n",
  "large.ts": "a message of 10000000 bytes\n",
  "loop.ts": "ONE\nTWO\n",
  "server.ts": "401 Unauthorized: Please sign in.\nada: hello\nclosed with 1001\n",
  "pipe.ts": "a stream of bytes\n",
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

  test("names every limit, and every option of compression and heartbeat, with its default", () => {
    const defaults = { ...defaultLimits, ...defaultCompression, ...defaultHeartbeat };
    for (const [name, value] of Object.entries(defaults)) {
      const row = readme.split("\n").find((line) => line.startsWith(`| \`${name}\` |`));
      assert.ok(row !== undefined, `${name} is missing`);
      if (typeof value === "number")
        assert.ok(row.replaceAll(",", "").includes(`| ${value} `), `${name}: ${row}`);
    }
  });
});
