import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { headersFromBlock, parseHeaderBlock } from "../../src/grpc-websockets/header-block.ts";

describe("a block of headers", () => {
  for (const [block, expected] of [
    ["", []],
    ["\r\n", []],
    ["a: b\r\n", ["a", "b"]],
    ["a: b", ["a", "b"]],
    ["a: b\nc: d\n\n", ["a", "b", "c", "d"]],
    ["X-Many: 1, 2\r\nx-many: 3\r\n", ["X-Many", "1, 2", "x-many", "3"]],
    ["a:\t b \t\r\n", ["a", "b"]],
    ["a:\r\n", ["a", ""]],
    ["a: b: c\r\n", ["a", "b: c"]],
    ["no colon\r\n", undefined],
    [": no name\r\n", undefined],
    ["a b: c\r\n", undefined],
    [" a: b\r\n", undefined],
    ["a: b\0\r\n", undefined],
    ["a: \u00e9\r\n", undefined],
    [":path: /\r\n", undefined],
  ] as const) {
    test(`${JSON.stringify(block)} is ${expected === undefined ? "none" : JSON.stringify(expected)}`, () => {
      assert.deepEqual(parseHeaderBlock(Buffer.from(block, "latin1")), expected);
    });
  }

  test("is read in a time that grows with its length alone", () => {
    const begun = performance.now();
    assert.deepEqual(parseHeaderBlock(Buffer.from(`a:${" ".repeat(65_000)}b`)), ["a", "b"]);
    assert.ok(performance.now() - begun < 1000);
  });

  test("is found by names in lower case, with all values", () => {
    const headers = headersFromBlock(["A", "1", "b", "2", "a", "3", "__proto__", "4"]);
    assert.deepEqual(Object.entries(headers), [
      ["a", ["1", "3"]],
      ["b", "2"],
      ["__proto__", "4"],
    ]);
  });
});
