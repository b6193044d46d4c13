import assert from "node:assert/strict";
import { test } from "node:test";
import { AddressCounts } from "../src/engine/http/address-counts.ts";

test("addresses are counted each for itself", () => {
  const counts = new AddressCounts();
  counts.add("a");
  counts.add("a");
  counts.add("b");
  assert.deepEqual([counts.of("a"), counts.of("b"), counts.of("c")], [2, 1, 0]);
  counts.remove("a");
  counts.remove("b");
  assert.deepEqual([counts.of("a"), counts.of("b")], [1, 0]);
});
