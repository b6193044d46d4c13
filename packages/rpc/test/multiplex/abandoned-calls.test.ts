import assert from "node:assert/strict";
import { test } from "node:test";
import { AbandonedCalls } from "../../src/multiplex/abandoned-calls.ts";

test("calls are abandoned too often when more than those of a second are over the steady rate", () => {
  const calls = new AbandonedCalls(100);
  const start = 5_000;
  for (let each = 0; each < 100; each++) calls.add(start);
  assert.equal(calls.isOver(start), false);
  calls.add(start);
  assert.equal(calls.isOver(start), true);
  assert.equal(calls.isOver(start + 10), false, "one runs out in 10 ms");
  for (let each = 0; each < 50; each++) calls.add(start + 10);
  assert.equal(calls.isOver(start + 500), true);
  assert.equal(calls.isOver(start + 520), false);
});

test("a steady rate goes on without end, and a pause gives no more than one second", () => {
  const calls = new AbandonedCalls(100);
  let now = 0;
  for (let each = 0; each < 1_000; each++) {
    calls.add((now += 10));
    assert.equal(calls.isOver(now), false);
  }
  now += 3_600_000;
  for (let each = 0; each < 101; each++) calls.add(now);
  assert.equal(calls.isOver(now), true);
});

test("no rate is no limit", () => {
  const calls = new AbandonedCalls(Infinity);
  for (let each = 0; each < 10_000; each++) calls.add(0);
  assert.equal(calls.isOver(0), false);
  assert.equal(calls.isOver(1), false);
});
