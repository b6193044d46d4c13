import assert from "node:assert/strict";
import { test } from "node:test";
import { acceptedCoding } from "../src/engine/http/accepted-coding.ts";

const table: readonly [field: string | undefined, coding: string | undefined][] = [
  [undefined, undefined],
  ["", undefined],
  ["identity", undefined],
  ["gzip", "gzip"],
  ["deflate, GZIP", "deflate"],
  ["gzip, br, deflate", "gzip"],
  ["gzip;q=0.5, br ; q=0.8", "br"],
  ["gzip;q=0", undefined],
  ["gzip;q=nothing", undefined],
  ["*", "br"],
  ["*, br;q=0", "gzip"],
  ["*;q=0.1, deflate", "deflate"],
];

for (const [field, coding] of table) {
  test(`who accepts ${JSON.stringify(field)} is sent ${coding ?? "what is not compressed"}`, () => {
    assert.equal(acceptedCoding(field, ["br", "gzip", "deflate"]), coding);
  });
}
