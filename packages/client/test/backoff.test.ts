import assert from "node:assert/strict";
import { test } from "node:test";
import { backoffDelay, defaultBackoff } from "../src/backoff.ts";

const most = (failures: number): number => backoffDelay(failures, () => 1, defaultBackoff);

test("the longest wait doubles with each failure, up to half a minute", () => {
  assert.deepEqual(
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 100, 10_000].map(most),
    [500, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000, 30_000],
  );
});

test("a wait is anything from nothing to the longest", () => {
  assert.deepEqual(
    [0, 0.25, 0.999].map((chance) => backoffDelay(3, () => chance, defaultBackoff)),
    [0, 500, 1998],
  );
});
