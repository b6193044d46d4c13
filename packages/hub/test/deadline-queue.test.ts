import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FakeClock } from "@sluice/testkit/fake-clock";
import { DeadlineQueue } from "../src/deadline-queue.ts";

function queueOf(milliseconds: number): {
  clock: FakeClock;
  called: string[];
  queue: DeadlineQueue<string>;
} {
  const clock = new FakeClock();
  const called: string[] = [];
  const queue = new DeadlineQueue<string>(milliseconds, clock, (owner) => void called.push(owner));
  return { clock, called, queue };
}

describe("a queue of deadlines", () => {
  test("calls each owner at its time, with one timer for all", () => {
    const { clock, called, queue } = queueOf(100);
    queue.add("a");
    clock.advance(50);
    queue.add("b");
    assert.equal(clock.size, 1);
    clock.advance(49);
    assert.deepEqual(called, []);
    clock.advance(1);
    assert.deepEqual(called, ["a"]);
    assert.equal(clock.size, 1);
    assert.equal(queue.first, "b");
    clock.advance(50);
    assert.deepEqual(called, ["a", "b"]);
    assert.equal(clock.size, 0);
  });

  test("lets an owner wait anew, or no longer", () => {
    const { clock, called, queue } = queueOf(100);
    queue.add("a");
    queue.add("b");
    clock.advance(60);
    queue.add("a");
    assert.equal(queue.has("a"), true);
    queue.delete("b");
    assert.equal(queue.has("b"), false);
    clock.advance(99);
    assert.deepEqual(called, []);
    clock.advance(1);
    assert.deepEqual(called, ["a"]);
    queue.add("c");
    queue.delete("c");
    assert.equal(clock.size, 0);
  });

  test("calls those who are left in their order, wherever others left or wait anew", () => {
    const { clock, called, queue } = queueOf(100);
    for (const owner of ["first", "a", "middle", "b", "c", "last"]) {
      queue.add(owner);
      clock.advance(1);
    }
    queue.delete("middle");
    queue.add("first");
    clock.advance(1);
    queue.delete("last");
    queue.add("b");
    queue.delete("nobody");
    assert.deepEqual([queue.size, queue.first], [4, "a"]);
    clock.advance(98);
    assert.deepEqual(called, ["a", "c"]);
    clock.advance(100);
    assert.deepEqual(called, ["a", "c", "first", "b"]);
    assert.deepEqual([queue.size, queue.first, clock.size], [0, undefined, 0]);
  });

  test("may be added to by those that it calls, and loses nobody to one that throws", () => {
    const clock = new FakeClock();
    const called: string[] = [];
    const queue: DeadlineQueue<string> = new DeadlineQueue(100, clock, (owner) => {
      called.push(owner);
      if (owner === "a") queue.add("again");
      if (owner === "b") throw new Error("b failed");
    });
    queue.add("a");
    clock.advance(10);
    queue.add("b");
    queue.add("c");
    clock.advance(90);
    assert.deepEqual(called, ["a"]);
    assert.throws(() => clock.advance(10), /b failed/);
    clock.advance(0);
    assert.deepEqual(called, ["a", "b", "c"]);
    clock.advance(90);
    assert.deepEqual(called, ["a", "b", "c", "again"]);
    assert.equal(clock.size, 0);
  });

  test("lets who waits forever wait, with the others of its kind", () => {
    const { clock, called, queue } = queueOf(Infinity);
    queue.add("a");
    queue.add("b");
    clock.advance(2 ** 32);
    assert.deepEqual(called, []);
    assert.deepEqual([queue.size, queue.first], [2, "a"]);
    queue.delete("a");
    queue.delete("b");
    assert.equal(clock.size, 0);
  });

  test("waits for longer than a timer can", () => {
    const { clock, called, queue } = queueOf(2 ** 32);
    queue.add("a");
    clock.advance(2 ** 32 - 1);
    assert.deepEqual(called, []);
    clock.advance(1);
    assert.deepEqual(called, ["a"]);
  });
});
