import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { type Flushable, flushAtEndOfTick } from "../src/end-of-tick.ts";

class Counted implements Flushable {
  isDue = true;
  readonly #flushed: Counted[];
  readonly #onFlush: () => void;

  constructor(flushed: Counted[], onFlush: () => void = () => {}) {
    this.#flushed = flushed;
    this.#onFlush = onFlush;
  }

  flush(): void {
    if (!this.isDue) return;
    this.isDue = false;
    this.#flushed.push(this);
    this.#onFlush();
  }
}

describe("the end of a tick", () => {
  for (const count of [1, 15, 16, 17, 100]) {
    test(`flushes ${count} once each, in the order in which they came`, async () => {
      const flushed: Counted[] = [];
      const all = Array.from({ length: count }, () => new Counted(flushed));
      for (const one of all) flushAtEndOfTick(one);
      assert.equal(flushed.length, 0);
      await setImmediate();
      assert.deepEqual(flushed, all);
    });
  }

  test("flushes the one that is still due among many that were flushed before", async () => {
    const flushed: Counted[] = [];
    const all = Array.from({ length: 50 }, () => new Counted(flushed));
    for (const one of all) flushAtEndOfTick(one);
    for (const one of all) if (one !== all[40]) one.isDue = false;
    await setImmediate();
    assert.deepEqual(flushed, [all[40]]);
  });

  test("flushes what a flush makes due, whatever its place", async () => {
    const flushed: Counted[] = [];
    const next = new Counted(flushed);
    const first = new Counted(flushed, () => flushAtEndOfTick(next));
    const rest = Array.from({ length: 20 }, () => new Counted(flushed));
    for (const one of [first, ...rest]) flushAtEndOfTick(one);
    await setImmediate();
    assert.deepEqual(flushed, [first, ...rest, next]);
  });

  test("flushes those behind one that throws, and what it throws is not lost", async (context) => {
    const thrown: string[] = [];
    process.setUncaughtExceptionCaptureCallback(({ message }) => thrown.push(message));
    context.after(() => process.setUncaughtExceptionCaptureCallback(null));
    const flushed: Counted[] = [];
    const all = Array.from({ length: 40 }, (_, index) => {
      const isBroken = index === 3 || index === 15 || index === 39;
      return new Counted(flushed, () => {
        if (isBroken) throw new Error(`${index}`);
      });
    });
    for (const one of all) flushAtEndOfTick(one);
    await setImmediate();
    assert.deepEqual(flushed, all);
    assert.deepEqual(thrown, ["3", "15", "39"]);
  });
});
