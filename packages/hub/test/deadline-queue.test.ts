import assert from "node:assert/strict";
import { test } from "node:test";
import { DeadlineQueue } from "../src/deadline-queue.ts";
import { FakeClock } from "./support/fake-clock.ts";

test("one that is added while another is due makes nobody wait longer", () => {
  const clock = new FakeClock();
  const due: string[] = [];
  const queue = new DeadlineQueue<string>(100, clock, (owner) => {
    due.push(owner);
    if (owner === "first") queue.add("third");
  });
  queue.add("first");
  clock.advance(50);
  queue.add("second");
  clock.advance(50);
  assert.deepEqual(due, ["first"]);
  clock.advance(50);
  assert.deepEqual(due, ["first", "second"]);
  clock.advance(50);
  assert.deepEqual(due, ["first", "second", "third"]);
});
