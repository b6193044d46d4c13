import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import * as fc from "fast-check";
import { ConfigError } from "../../src/config/config-error.ts";
import { ConfigFolder } from "./support.ts";

const folder = new ConfigFolder();
const page = readFileSync(new URL("../../../../docs/configuration.md", import.meta.url), "utf8");
const examples = [...page.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, yaml = ""]) => yaml);

/** What a person or a program might put into a file by mistake. */
const pieces = fc.oneof(
  fc.string({ maxLength: 8 }),
  fc.constantFrom(
    "\t",
    "\n",
    "\r\n",
    "{",
    "}",
    "[",
    "]",
    ": ",
    "- ",
    "&a ",
    "*a",
    "<<: *a",
    "!x ",
    "${",
    "${X}",
    "$${",
    "---\n",
  ),
  fc.constantFrom(
    "null",
    "~",
    "true",
    "-1",
    "1e9",
    ".inf",
    "0x10",
    "'",
    '"',
    "|",
    ">",
    "#",
    "%YAML 1.1\n",
    "\u0000",
    "\ufeff",
  ),
);

/** An example with something put in the place of a part of it. */
const damaged = fc
  .tuple(fc.constantFrom(...examples), fc.nat(), fc.nat(12), pieces)
  .map(([yaml, at, length, piece]) => {
    const begin = at % (yaml.length + 1);
    return yaml.slice(0, begin) + piece + yaml.slice(begin + length);
  });

/** Whatever YAML can say, at the keys that there are. */
const strange = fc
  .dictionary(
    fc.constantFrom(
      "listen",
      "tls",
      "limits",
      "backends",
      "faces",
      "rooms",
      "identity",
      "push",
      "callbacks",
      "x",
    ),
    fc.jsonValue({ maxDepth: 4 }),
  )
  .map((value) => JSON.stringify(value));

test("any file is read, or refused with sentences and places", () => {
  const environment = {
    X: "x",
    PUSH_TOKEN: "hush-hush-0123456789",
    JWT_SECRET: "hush-hush-0123456789",
  };
  fc.assert(
    fc.property(fc.oneof(damaged, strange), (text) => {
      try {
        folder.load(text, { environment });
      } catch (error) {
        assert.ok(error instanceof ConfigError, String(error));
        assert.ok(error.problems.length > 0);
        for (const { place, message } of error.problems) {
          assert.doesNotMatch(message, /undefined|\[object|Invalid (?:input|string)|Too (?:big|small)/);
          assert.ok(typeof place !== "object" || place.line > 0);
        }
        assert.doesNotMatch(error.message, /hush-hush/);
      }
    }),
    { numRuns: 1_000 },
  );
});
