import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Code } from "@sluice/protocol";
import { FakeClock } from "@sluice/testkit/fake-clock";
import {
  OutlierDetection,
  type OutlierOptions,
  type OutlierRecord,
} from "../../src/balancer/outlier-detection.ts";

class Bench {
  readonly clock = new FakeClock();
  readonly detection: OutlierDetection;
  readonly records: readonly OutlierRecord[];
  changes = 0;

  constructor(count: number, options: OutlierOptions = {}) {
    this.detection = new OutlierDetection(options, this.clock, () => this.changes++);
    this.records = Array.from({ length: count }, () => this.detection.add());
  }

  /** So many calls of one address end. */
  report(index: number, code: number, times = 1, timeout?: number): void {
    for (let i = 0; i < times; i++) this.detection.report(this.#record(index), code, timeout);
  }

  /** The addresses that are out. */
  get ejected(): number[] {
    return [...this.records.keys()].filter((index) => this.#record(index).isEjected);
  }

  #record(index: number): OutlierRecord {
    const record = this.records[index];
    assert.ok(record);
    return record;
  }
}

describe("failures in a row", () => {
  for (const code of [Code.UNAVAILABLE, Code.INTERNAL] as const) {
    test(`take an address out at the fifth, with the status ${code}`, () => {
      const bench = new Bench(2);
      bench.report(0, code, 4);
      assert.deepEqual([bench.ejected, bench.changes], [[], 0]);
      bench.report(0, code);
      assert.deepEqual([bench.ejected, bench.changes], [[0], 1]);
    });
  }

  test("do not count when one call between them went well", () => {
    const bench = new Bench(2);
    for (let i = 0; i < 3; i++) {
      bench.report(0, Code.INTERNAL, 4);
      bench.report(0, Code.OK);
    }
    assert.deepEqual(bench.ejected, []);
  });

  test("are not those that say something about the request", () => {
    const bench = new Bench(2);
    for (const code of [Code.INVALID_ARGUMENT, Code.NOT_FOUND, Code.CANCELLED, Code.UNKNOWN, 4711]) {
      bench.report(0, code, 5);
    }
    assert.deepEqual(bench.ejected, []);
  });

  test("may have cancelled calls between them", () => {
    const bench = new Bench(2);
    bench.report(0, Code.INTERNAL, 4);
    bench.report(0, Code.CANCELLED);
    bench.report(0, Code.INTERNAL);
    assert.deepEqual(bench.ejected, [0]);
  });

  test("are deadlines too, where the call had time enough", () => {
    const bench = new Bench(2);
    bench.report(0, Code.DEADLINE_EXCEEDED, 9, 999);
    bench.report(0, Code.DEADLINE_EXCEEDED, 9);
    assert.deepEqual(bench.ejected, []);
    bench.report(0, Code.DEADLINE_EXCEEDED, 5, 1_000);
    assert.deepEqual(bench.ejected, [0]);
  });

  test("are not looked at with 0", () => {
    const bench = new Bench(2, { consecutiveFailures: 0 });
    bench.report(0, Code.UNAVAILABLE, 49);
    assert.deepEqual(bench.ejected, []);
  });
});

describe("a rate of failures", () => {
  test("takes an address out at the end of an interval", () => {
    const bench = new Bench(2, { failureRate: 0.5, minCalls: 10 });
    for (let i = 0; i < 5; i++) {
      bench.report(0, Code.UNAVAILABLE);
      bench.report(0, Code.OK);
    }
    bench.clock.advance(9_999);
    assert.deepEqual(bench.ejected, []);
    bench.clock.advance(1);
    assert.deepEqual([bench.ejected, bench.changes], [[0], 1]);
  });

  test("says nothing with too few calls, which the next interval does not add to", () => {
    const bench = new Bench(2, { consecutiveFailures: 0, minCalls: 10 });
    for (let i = 0; i < 3; i++) {
      bench.report(0, Code.UNAVAILABLE, 9);
      bench.clock.advance(10_000);
    }
    assert.deepEqual(bench.ejected, []);
  });

  test("says nothing below the threshold", () => {
    const bench = new Bench(2, { consecutiveFailures: 0 });
    bench.report(0, Code.UNAVAILABLE, 84);
    bench.report(0, Code.OK, 16);
    bench.clock.advance(10_000);
    assert.deepEqual(bench.ejected, []);
  });
});

describe("an address that is out", () => {
  test("comes back, stays out longer each time, and no longer than the maximum", () => {
    const bench = new Bench(2, { baseEjectionMs: 1_000, maxEjectionMs: 2_500 });
    for (const time of [1_000, 2_000, 2_500, 2_500]) {
      bench.report(0, Code.UNAVAILABLE, 5);
      bench.clock.advance(time - 1);
      assert.deepEqual(bench.ejected, [0]);
      bench.clock.advance(1);
      assert.deepEqual(bench.ejected, []);
    }
    assert.equal(bench.changes, 8);
  });

  test("is forgiven one ejection for each interval without another", () => {
    const bench = new Bench(2, { baseEjectionMs: 1_000 });
    bench.report(0, Code.UNAVAILABLE, 5);
    bench.clock.advance(1_000);
    bench.report(0, Code.UNAVAILABLE, 5);
    assert.equal(bench.records[0]?.ejections, 2);
    bench.clock.advance(10_000);
    assert.equal(bench.records[0]?.ejections, 1);
    bench.clock.advance(10_000);
    assert.equal(bench.records[0]?.ejections, 0);
  });

  test("leaves no timer behind when all is quiet", () => {
    const bench = new Bench(2);
    bench.report(0, Code.UNAVAILABLE, 5);
    bench.report(1, Code.OK);
    bench.clock.advance(100_000);
    assert.deepEqual(bench.clock.pending, []);
  });
});

describe("how many may be out", () => {
  const shares: readonly [addresses: number, share: number, out: number][] = [
    [1, 1, 0],
    [2, 0.5, 1],
    [3, 0.1, 1],
    [4, 0.5, 2],
    [5, 0.5, 2],
    [4, 1, 4],
  ];
  for (const [addresses, maxEjectedShare, out] of shares) {
    test(`is ${out} of ${addresses} with a share of ${maxEjectedShare}`, () => {
      const bench = new Bench(addresses, { maxEjectedShare });
      for (let index = 0; index < addresses; index++) bench.report(index, Code.UNAVAILABLE, 20);
      assert.equal(bench.ejected.length, out);
    });
  }

  test("grows again when one of them leaves", () => {
    const bench = new Bench(3);
    bench.report(0, Code.UNAVAILABLE, 5);
    bench.report(1, Code.UNAVAILABLE, 5);
    assert.deepEqual(bench.ejected, [0]);
    const [first] = bench.records;
    assert.ok(first);
    bench.detection.remove(first);
    bench.report(1, Code.UNAVAILABLE);
    assert.deepEqual(bench.ejected, [1]);
  });
});

test("stopping leaves no timer, and what ends afterwards is not counted", () => {
  const bench = new Bench(2);
  bench.report(0, Code.UNAVAILABLE, 5);
  bench.detection.stop();
  bench.report(1, Code.UNAVAILABLE, 5);
  assert.deepEqual([bench.clock.pending, bench.ejected], [[], []]);
});
