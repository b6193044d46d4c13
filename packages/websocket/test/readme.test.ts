import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { readmeSuite } from "@sluice/testkit/readme-suite";
import { defaultCompression, defaultHeartbeat, defaultLimits } from "../src/index.ts";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");

/** What each example prints. */
const printed = {
  "broadcast.ts": "1: to all\n2: to all\n3: to all\n",
  "echo.ts": "hello\nclosed with 1000\n",
  "large.ts": "a message of 10000000 bytes\n",
  "loop.ts": "ONE\nTWO\n",
  "server.ts": "401 Unauthorized: Please sign in.\nada: hello\nclosed with 1001\n",
  "pipe.ts": "a stream of bytes\n",
};

describe("the README", () => {
  readmeSuite({ tests: new URL("./", import.meta.url), printed });

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
