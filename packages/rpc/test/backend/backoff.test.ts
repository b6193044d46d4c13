import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { backoffDelay } from "../../src/backend/backoff.ts";

const middle = (): number => 0.5;

describe("the wait between attempts to connect", () => {
  test("grows by 1.6 from 100 ms to 5 s", () => {
    const waits = Array.from({ length: 12 }, (_, index) => Math.round(backoffDelay(index + 1, middle)));
    assert.deepEqual(waits, [100, 160, 256, 410, 655, 1049, 1678, 2684, 4295, 5000, 5000, 5000]);
  });

  test("stays bounded after very many failures", () => {
    assert.equal(backoffDelay(1_000_000, middle), 5_000);
  });

  test("is spread by a fifth in both directions", () => {
    assert.equal(
      backoffDelay(1, () => 0),
      80,
    );
    assert.ok(Math.abs(backoffDelay(1, () => 0.999_999) - 120) < 0.001);
  });

  test("follows its options", () => {
    const options = { initialMs: 10, factor: 3, maxMs: 50, jitter: 0 };
    assert.deepEqual(
      [1, 2, 3].map((failures) => backoffDelay(failures, Math.random, options)),
      [10, 30, 50],
    );
  });
});
