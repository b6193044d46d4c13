import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { bytesFromText, millisecondsFromText, textFromMilliseconds } from "../../src/config/units.ts";

describe("a duration", () => {
  const table: readonly [text: string, ms: number | undefined][] = [
    ["250ms", 250],
    ["10s", 10_000],
    ["1.5m", 90_000],
    ["2h", 7_200_000],
    ["7d", 604_800_000],
    ["0s", 0],
    ["10", undefined],
    ["10 s", undefined],
    ["-1s", undefined],
    ["1e3s", undefined],
    ["s", undefined],
    ["10S", undefined],
    ["1m30s", undefined],
    ["", undefined],
  ];
  for (const [text, ms] of table) {
    test(`${JSON.stringify(text)} is ${ms === undefined ? "none" : `${ms} ms`}`, () =>
      assert.equal(millisecondsFromText(text), ms));
  }
});

describe("a size", () => {
  const table: readonly [text: string, bytes: number | undefined][] = [
    ["65536", 65_536],
    ["64KiB", 65_536],
    ["4MiB", 4_194_304],
    ["1.5KiB", 1_536],
    ["1GiB", 1_073_741_824],
    ["10MB", 10_000_000],
    ["7B", 7],
    ["64kib", undefined],
    ["64K", undefined],
    ["-1", undefined],
    ["1_000", undefined],
    ["", undefined],
  ];
  for (const [text, bytes] of table) {
    test(`${JSON.stringify(text)} is ${bytes === undefined ? "none" : `${bytes} bytes`}`, () =>
      assert.equal(bytesFromText(text), bytes));
  }
});

test("a time is written in the largest unit that needs no fraction", () => {
  const table: readonly [ms: number, text: string][] = [
    [0, "0ms"],
    [1_500, "1500ms"],
    [90_000, "90s"],
    [120_000, "2m"],
    [86_400_000, "1d"],
  ];
  for (const [ms, text] of table) assert.equal(textFromMilliseconds(ms), text);
});
