import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

interface Locked {
  readonly resolved?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const lock = JSON.parse(readFileSync(new URL("../package-lock.json", import.meta.url), "utf8")) as {
  readonly packages: Readonly<Record<string, Locked>>;
};

test("the lock file has the packages of every platform, or `npm ci` refuses it", () => {
  for (const { optionalDependencies = {} } of Object.values(lock.packages)) {
    for (const name of Object.keys(optionalDependencies)) {
      assert.ok(
        `node_modules/${name}` in lock.packages,
        `${name} is missing; npm left out what it did not install`,
      );
    }
  }
});

test("the lock file names no registry", () => {
  for (const { resolved = "" } of Object.values(lock.packages)) assert.doesNotMatch(resolved, /:\/\//);
});
