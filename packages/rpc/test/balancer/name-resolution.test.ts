import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { systemResolver } from "@sluice/rpc";
import { FakeClock } from "@sluice/testkit/fake-clock";
import { NameResolution, type ResolutionOptions } from "../../src/balancer/name-resolution.ts";

/** A resolution whose answers a test gives. */
class Scripted {
  readonly clock = new FakeClock();
  readonly resolution: NameResolution;
  readonly told: string[] = [];
  /** The names that were asked for. */
  readonly asked: string[] = [];
  answer: readonly string[] | Error = ["10.0.0.1"];
  readonly #held: (() => void)[] = [];

  constructor(options: ResolutionOptions = {}, isHeld = false) {
    const resolver = async (host: string): Promise<readonly string[]> => {
      this.asked.push(host);
      if (isHeld) await new Promise<void>((resolve) => this.#held.push(resolve));
      if (this.answer instanceof Error) throw this.answer;
      return this.answer;
    };
    this.resolution = new NameResolution("orders", { resolver, ...options }, this.clock, () => 0.5, {
      resolved: (addresses) => this.told.push(addresses.join()),
      failed: (reason) => this.told.push(reason),
    });
  }

  async advance(ms: number): Promise<void> {
    this.clock.advance(ms);
    await turn();
  }

  /** Lets the question that is open be answered. */
  async release(): Promise<void> {
    this.#held.shift()?.();
    await turn();
  }
}

async function started(options?: ResolutionOptions): Promise<Scripted> {
  const scripted = new Scripted(options);
  scripted.resolution.start();
  await turn();
  return scripted;
}

describe("a name", () => {
  test("is asked for when it is started, and once", async () => {
    const { asked, told, resolution } = await started();
    resolution.start();
    assert.deepEqual([asked, told], [["orders"], ["10.0.0.1"]]);
  });

  test("has each of its addresses once", async () => {
    const scripted = new Scripted();
    scripted.answer = ["10.0.0.1", "::1", "10.0.0.1"];
    scripted.resolution.start();
    await turn();
    assert.deepEqual(scripted.told, ["10.0.0.1,::1"]);
  });

  test("is asked for again after the interval, with jitter", async () => {
    const scripted = await started({ intervalMs: 10_000 });
    assert.deepEqual(scripted.clock.pending, [10_000]);
    scripted.answer = ["10.0.0.2"];
    await scripted.advance(10_000);
    assert.deepEqual(scripted.told, ["10.0.0.1", "10.0.0.2"]);
    const clock = new FakeClock();
    const early = new NameResolution(
      "orders",
      { resolver: async () => ["10.0.0.1"], intervalMs: 10_000 },
      clock,
      () => 0,
      { resolved: () => {}, failed: () => {} },
    );
    early.start();
    await turn();
    assert.deepEqual(clock.pending, [8_000]);
  });

  test("is asked for at once when a connection is lost, but not twice within the pause", async () => {
    const scripted = await started();
    await scripted.advance(5_000);
    scripted.resolution.refresh();
    await scripted.advance(0);
    assert.equal(scripted.asked.length, 2);
    for (let i = 0; i < 3; i++) scripted.resolution.refresh();
    assert.deepEqual(scripted.clock.pending, [5_000]);
    await scripted.advance(5_000);
    assert.equal(scripted.asked.length, 3);
  });

  test("is asked for again when a connection is lost while it is asked for", async () => {
    const scripted = new Scripted({}, true);
    scripted.resolution.start();
    scripted.resolution.refresh();
    await scripted.release();
    assert.deepEqual(scripted.clock.pending, [5_000]);
  });

  test("that cannot be resolved is tried again with growing pauses, up to the interval", async () => {
    const scripted = new Scripted({ minPauseMs: 0, intervalMs: 3_000 });
    scripted.answer = new Error("ENOTFOUND");
    scripted.resolution.start();
    await turn();
    assert.deepEqual(scripted.told, ["the name orders is not resolved: ENOTFOUND"]);
    const pauses: number[] = [];
    for (let i = 0; i < 4; i++) {
      const [pause = Number.NaN] = scripted.clock.pending;
      pauses.push(pause);
      await scripted.advance(pause);
    }
    assert.deepEqual(pauses, [1_000, 1_600, 2_560, 3_000]);
  });

  test("without an address is a failure", async () => {
    const scripted = new Scripted();
    scripted.answer = [];
    scripted.resolution.start();
    await turn();
    assert.deepEqual(scripted.told, ["the name orders is not resolved: it has no address"]);
  });

  test("is not asked for and tells nothing after it was stopped", async () => {
    const scripted = new Scripted({}, true);
    scripted.resolution.start();
    scripted.resolution.stop();
    await scripted.release();
    scripted.resolution.refresh();
    scripted.resolution.start();
    assert.deepEqual([scripted.told, scripted.clock.pending, scripted.asked.length], [[], [], 1]);
  });
});

test("the resolver of the system answers the addresses of localhost", async () => {
  const addresses = await systemResolver("localhost");
  assert.ok(addresses.some((address) => address === "127.0.0.1" || address === "::1"));
});
