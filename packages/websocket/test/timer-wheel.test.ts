import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FakeClock } from "@sluice/testkit/fake-clock";
import { TimerWheel, WheelEntry } from "../src/timer-wheel.ts";

function wheelOf(tickMs: number): {
  clock: FakeClock;
  called: string[];
  wheel: TimerWheel<string>;
} {
  const clock = new FakeClock();
  const called: string[] = [];
  const wheel = new TimerWheel<string>(tickMs, (name) => called.push(`${name}@${clock.now()}`), clock);
  return { clock, called, wheel };
}

describe("TimerWheel", () => {
  const times: readonly [at: number, called: number][] = [
    [0, 100],
    [1, 100],
    [100, 100],
    [101, 200],
    [25_600, 25_600],
    [25_700, 25_700],
    [1_000_050, 1_000_100],
  ];
  for (const [at, moment] of times) {
    test(`calls at ${moment} ms what is due at ${at} ms, with ticks of 100 ms`, () => {
      const { clock, called, wheel } = wheelOf(100);
      wheel.schedule(new WheelEntry("a"), at);
      clock.advance(moment - 1);
      assert.deepEqual(called, []);
      clock.advance(1);
      assert.deepEqual(called, [`a@${moment}`]);
      clock.advance(100_000);
      assert.equal(called.length, 1);
    });
  }

  test("calls every entry once when the process was held up for many turns", () => {
    const { clock, called, wheel } = wheelOf(10);
    for (let at = 0; at < 5000; at += 7) wheel.schedule(new WheelEntry(`${at}`), at);
    const later = new WheelEntry("later");
    wheel.schedule(later, 1_000_000);
    clock.jump(500_000);
    assert.equal(new Set(called).size, 715);
    assert.equal(called.length, 715);
    assert.equal(wheel.size, 1);
    clock.advance(500_000);
    assert.equal(called.at(-1), "later@1000000");
  });

  test("moves and removes entries, also from inside a call", () => {
    const clock = new FakeClock();
    const called: string[] = [];
    const entries = new Map(["a", "b", "c", "d"].map((name) => [name, new WheelEntry(name)]));
    const wheel = new TimerWheel<string>(
      10,
      (name) => {
        called.push(`${name}@${clock.now()}`);
        if (called.length > 1) return;
        for (const each of entries.keys()) {
          if (each !== name && each !== "a") wheel.cancel(entries.get(each)!);
        }
        wheel.schedule(entries.get(name)!, clock.now() + 50);
      },
      clock,
    );
    for (const entry of entries.values()) wheel.schedule(entry, 10);
    wheel.schedule(entries.get("a")!, 30);
    wheel.cancel(entries.get("a")!);
    wheel.cancel(entries.get("a")!);
    wheel.schedule(entries.get("a")!, 20);
    assert.equal(wheel.size, 4);
    clock.advance(1000);
    assert.deepEqual(called, ["d@10", "a@20", "d@60"]);
    assert.equal(wheel.size, 0);
  });

  test("has one timer for 10,000 entries, and none while nobody waits", () => {
    const { clock, called, wheel } = wheelOf(100);
    assert.equal(clock.size, 0);
    const entries = Array.from({ length: 10_000 }, (_, index) => new WheelEntry(`${index}`));
    for (const entry of entries) wheel.schedule(entry, 60_000);
    assert.equal(clock.size, 1);
    clock.advance(60_000);
    assert.equal(called.length, 10_000);
    assert.equal(clock.size, 0);
    wheel.schedule(entries[0]!, 60_050);
    clock.advance(100);
    assert.equal(called.length, 10_001);
  });

  test("goes on after a call that threw", () => {
    const clock = new FakeClock();
    const called: string[] = [];
    const wheel = new TimerWheel<string>(
      10,
      (name) => {
        called.push(name);
        if (name === "a") throw new Error("deliberate");
      },
      clock,
    );
    wheel.schedule(new WheelEntry("a"), 10);
    wheel.schedule(new WheelEntry("b"), 20);
    assert.throws(() => clock.advance(10), /deliberate/);
    clock.advance(10);
    assert.deepEqual(called, ["a", "b"]);
  });
});
