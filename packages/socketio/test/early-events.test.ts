import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { EarlyEvents } from "../src/server/early-events.ts";

describe("events before a listener", () => {
  test("are taken in the order in which they came, each name when it is wanted", () => {
    const early = new EarlyEvents({ earlyEvents: 10, earlyEventBytes: 100 });
    for (const event of [
      ["a", 1],
      ["b", 2],
      ["a", 3],
      ["c", 4],
    ] as [string, number][])
      early.add(event, 1);
    const taken: unknown[] = [];
    const wanted = (...names: string[]): void => {
      for (;;) {
        const event = early.take((name) => names.includes(name));
        if (event === undefined) return;
        taken.push(event[1]);
      }
    };
    wanted("b");
    assert.equal(early.size, 3);
    wanted("c", "a");
    assert.deepEqual(taken, [2, 1, 3, 4]);
    assert.equal(early.size, 0);
  });

  test("are no more than a number of them", () => {
    const early = new EarlyEvents({ earlyEvents: 2, earlyEventBytes: 100 });
    assert.deepEqual(
      [1, 2, 3].map((each) => early.add(["a", each], 1)),
      [true, true, false],
    );
    early.take(() => true);
    assert.equal(early.add(["a", 4], 1), true);
    assert.equal(early.clear(), 2);
    assert.equal(early.size, 0);
  });

  test("are no more than a number of bytes", () => {
    const early = new EarlyEvents({ earlyEvents: 100, earlyEventBytes: 10 });
    assert.deepEqual(
      [6, 4, 1].map((bytes) => early.add(["a"], bytes)),
      [true, true, false],
    );
    early.take(() => true);
    assert.deepEqual(
      [7, 6].map((bytes) => early.add(["a"], bytes)),
      [false, true],
    );
    assert.equal(early.add(["a"], Infinity), false);
    early.clear();
    assert.equal(early.add(["a"], 10), true);
  });
});
