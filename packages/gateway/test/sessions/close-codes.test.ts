import assert from "node:assert/strict";
import { test } from "node:test";
import { closeCodeOr, fittingReason, isSayableCloseCode } from "../../src/sessions/close-codes.ts";

test("a backend closes with codes that an endpoint may send and that say something", () => {
  for (const code of [0, 1000, 1001, 1008, 1011, 1012, 1013, 3000, 4403, 4999]) {
    assert.equal(isSayableCloseCode(code), true, String(code));
  }
  for (const code of [1, 999, 1002, 1005, 1006, 1007, 1015, 2000, 2999, 5000, 65_536]) {
    assert.equal(isSayableCloseCode(code), false, String(code));
  }
});

test("another code has the default in its place", () => {
  assert.deepEqual(
    [closeCodeOr(0), closeCodeOr(4100), closeCodeOr(1006), closeCodeOr(0, 4403)],
    [1000, 4100, 1000, 4403],
  );
});

test("a reason is cut between characters where it is too long for a close frame", () => {
  const table: readonly (readonly [string, string])[] = [
    ["", ""],
    ["x".repeat(123), "x".repeat(123)],
    ["x".repeat(124), "x".repeat(123)],
    ["é".repeat(62), "é".repeat(61)],
    [`x${"😀".repeat(31)}`, `x${"😀".repeat(30)}`],
  ];
  for (const [reason, expected] of table) assert.equal(fittingReason(reason), expected);
});
