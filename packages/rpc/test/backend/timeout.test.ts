import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { encodeTimeout } from "../../src/backend/timeout.ts";

describe("grpc-timeout", () => {
  const vectors: readonly [ms: number, text: string][] = [
    [1, "1m"],
    [0.2, "1m"],
    [1.5, "2m"],
    [1000, "1000m"],
    [99_999_999, "99999999m"],
    [100_000_000, "100000S"],
    [100_000_001, "100001S"],
    [99_999_999_000, "99999999S"],
    [99_999_999_001, "1666667M"],
    [99_999_999 * 60_000 + 1, "1666667H"],
    [1e18, "99999999H"],
    [Number.POSITIVE_INFINITY, "99999999H"],
  ];
  for (const [ms, text] of vectors) {
    test(`of ${ms} ms is ${text}`, () => assert.equal(encodeTimeout(ms), text));
  }
});
