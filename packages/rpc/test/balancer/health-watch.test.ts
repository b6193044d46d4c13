import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { Code } from "@sluice/protocol";
import { createStatus, ServiceBackend, type ServiceCall, type Status } from "@sluice/rpc";
import { FakeClock } from "@sluice/testkit/fake-clock";
import { HealthWatch, type Health, type HealthOptions } from "../../src/balancer/health-watch.ts";

/** A watch of a service that answers what a test says. */
class Watched {
  readonly clock = new FakeClock();
  readonly calls: ServiceCall[] = [];
  readonly requests: string[] = [];
  readonly seen: Health[] = [];
  readonly watch: HealthWatch;
  cancelled = 0;

  constructor(options: HealthOptions = {}) {
    const backend = new ServiceBackend(
      new Map([
        [
          "/grpc.health.v1.Health/Watch",
          (call) => {
            this.calls.push(call);
            return {
              message: (bytes) => void this.requests.push(Buffer.from(bytes).toString("hex")),
              halfClose: () => {},
              cancelled: () => this.cancelled++,
            };
          },
        ],
      ]),
    );
    const changed = (): void => void this.seen.push(this.watch.health);
    this.watch = new HealthWatch(backend, options, this.clock, () => 0.5, changed);
  }

  /** The server answers the last Watch with a status by its number. */
  async answer(status: number): Promise<void> {
    this.calls.at(-1)?.send(Uint8Array.of(0x08, status));
    await turn();
  }

  async end(status?: Status): Promise<void> {
    this.calls.at(-1)?.end(status);
    await turn();
  }

  get kinds(): string[] {
    return this.seen.map(({ kind }) => kind);
  }
}

function started(options?: HealthOptions): Watched {
  const watched = new Watched(options);
  watched.watch.start();
  return watched;
}

const unavailable = createStatus(Code.UNAVAILABLE, "busy");

describe("the health of a server", () => {
  test("is what it answers, each time that it answers something else", async () => {
    const watched = started({ service: "a.B" });
    assert.deepEqual(watched.requests, ["0a03612e42"]);
    assert.equal(watched.watch.health.kind, "unknown");
    for (const status of [1, 1, 2, 1]) await watched.answer(status);
    assert.deepEqual(watched.kinds, ["serving", "not_serving", "serving"]);
  });

  const answers: readonly [status: number, reason: string][] = [
    [0, "its health is UNKNOWN"],
    [2, "its health is NOT_SERVING"],
    [3, "its health is SERVICE_UNKNOWN"],
    [9, "its health is 9"],
  ];
  for (const [status, reason] of answers) {
    test(`is bad when it answers ${status}`, async () => {
      const watched = started();
      await watched.answer(status);
      assert.deepEqual(watched.watch.health, { kind: "not_serving", reason });
    });
  }

  test("is good when it has no such service, which is asked once", async () => {
    const watched = started();
    await watched.end(createStatus(Code.UNIMPLEMENTED, "no"));
    assert.equal(watched.watch.health.kind, "serving");
    assert.deepEqual(watched.clock.pending, []);
  });

  test("is bad when the first question fails, and is asked for with growing pauses", async () => {
    const watched = started();
    const pauses: number[] = [];
    for (let i = 0; i < 4; i++) {
      await watched.end(unavailable);
      const [pause = NaN] = watched.clock.pending;
      pauses.push(Math.round(pause));
      watched.clock.advance(pause);
    }
    assert.deepEqual(watched.watch.health, {
      kind: "not_serving",
      reason: "its health check failed with UNAVAILABLE: busy",
    });
    assert.deepEqual(pauses, [1_000, 1_600, 2_560, 4_096]);
    await watched.answer(1);
    assert.equal(watched.watch.health.kind, "serving");
  });

  test("holds when an answered question ends, but not when the next one fails", async () => {
    const watched = started();
    await watched.answer(1);
    await watched.end();
    assert.equal(watched.watch.health.kind, "serving");
    watched.clock.advance(1_000);
    assert.equal(watched.calls.length, 2);
    assert.equal(watched.watch.health.kind, "serving");
    await watched.end(unavailable);
    assert.equal(watched.watch.health.kind, "not_serving");
  });

  test("is bad when there is no answer in time", async () => {
    const watched = started();
    watched.clock.advance(9_999);
    assert.equal(watched.watch.health.kind, "unknown");
    watched.clock.advance(1);
    assert.deepEqual(watched.watch.health, {
      kind: "not_serving",
      reason: "its health check failed with DEADLINE_EXCEEDED: no answer within 10000 ms",
    });
    assert.equal(watched.cancelled, 1);
  });

  test("may be followed for as long as one likes once it has answered", async () => {
    const watched = started();
    await watched.answer(1);
    watched.clock.advance(1_000_000);
    assert.deepEqual([watched.watch.health.kind, watched.cancelled], ["serving", 0]);
  });

  test("is bad when its answer makes no sense", async () => {
    const watched = started();
    watched.calls[0]?.send(Uint8Array.of(0xff));
    await turn();
    assert.deepEqual(watched.watch.health, {
      kind: "not_serving",
      reason: "its health check failed with INTERNAL: its answer is not a HealthCheckResponse",
    });
    assert.deepEqual(watched.clock.pending, [1_000]);
  });

  test("is not known any more when the connection is gone, and asked for on the next one", async () => {
    const watched = started();
    await watched.answer(1);
    watched.watch.stop();
    assert.deepEqual([watched.watch.health.kind, watched.cancelled], ["unknown", 1]);
    await watched.answer(2);
    watched.watch.start();
    watched.watch.start();
    assert.equal(watched.calls.length, 2);
    await watched.end(unavailable);
    watched.watch.stop();
    assert.deepEqual(watched.clock.pending, []);
  });
});
