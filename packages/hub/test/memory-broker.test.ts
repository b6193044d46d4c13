import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { brokerSuite } from "@sluice/testkit";
import { FakeClock } from "@sluice/testkit/fake-clock";
import { Message, MemoryBroker, type Published } from "../src/index.ts";
import { UnreliableBroker } from "./support/unreliable-broker.ts";

const clock = new FakeClock();
const pass = (milliseconds: number): void => clock.advance(milliseconds);

brokerSuite("the memory broker", { create: () => new MemoryBroker({ clock }), pass });

brokerSuite("a broker that is late, and loses some of what it keeps", {
  create: () => {
    const broker = new UnreliableBroker(new MemoryBroker({ clock }));
    let turns = 0;
    let hasLost = false;
    // One arrives in each turn of the loop; of those that the history has, every third never does.
    const next = (): void => {
      const isKept = broker.waiting[0]?.epoch !== "";
      if (isKept && ++turns % 3 === 0) {
        hasLost = true;
        broker.lose();
      } else broker.deliver();
      if (broker.waiting.length > 0) setImmediate(next);
      else if (hasLost) {
        hasLost = false;
        broker.interrupt();
      }
    };
    broker.whenWaiting = () => {
      if (broker.waiting.length === 1) setImmediate(next);
    };
    return broker;
  },
  pass,
});

describe("the memory broker", () => {
  const message = Message.from("x");

  test("forgets idempotency keys after a while, and the oldest when there are too many", async () => {
    const broker = new MemoryBroker({ clock, idempotencyMs: 1000, idempotencyKeys: 2 });
    const isDuplicate = async (idempotencyKey: string): Promise<boolean> =>
      (await broker.publish({ room: "a", message, idempotencyKey })).duplicate;
    assert.equal(await isDuplicate("1"), false);
    assert.equal(await isDuplicate("2"), false);
    assert.equal(await isDuplicate("1"), true);
    assert.equal(await isDuplicate("3"), false);
    assert.equal(await isDuplicate("1"), false);
    clock.advance(1000);
    assert.equal(await isDuplicate("3"), false);
    await broker.close();
  });

  test("keeps nothing of rooms that are neither kept nor subscribed, and no timer without rooms", async () => {
    const broker = new MemoryBroker({ clock, idempotencyMs: 1000 });
    await broker.publish({ room: "plain", message });
    assert.deepEqual([broker.size, clock.size], [0, 0]);
    await broker.publish({ room: "kept", message, history: { size: 1, ttlMs: 30_000 } });
    await broker.publish({ room: "key", message, idempotencyKey: "1" });
    broker.subscribe("subscribed");
    await broker.history("subscribed", { limit: 0 });
    await broker.history("asked", { limit: 0 });
    assert.equal(broker.size, 3);
    clock.advance(10_000);
    assert.equal(broker.size, 2);
    clock.advance(30_000);
    assert.equal(broker.size, 1);
    await broker.unsubscribe("subscribed");
    assert.deepEqual([broker.size, clock.size], [0, 0]);
  });

  test("historyBytes bounds all histories together, and forgets that of the room that is silent the longest", async () => {
    const each = 1000 + "a".length + 64;
    const broker = new MemoryBroker({ clock, historyBytes: 3 * each });
    const history = { size: 10, ttlMs: 60_000 };
    const large = Message.from("x".repeat(1000));
    const publish = (room: string): Promise<Published> => broker.publish({ room, message: large, history });
    const offsets = async (room: string): Promise<number[]> => {
      const { publications } = await broker.history(room, { limit: 10 });
      return publications.map(({ offset }) => offset);
    };
    broker.subscribe("a");
    const first = await publish("a");
    await publish("b");
    await publish("a");
    assert.deepEqual([broker.bytes, broker.forgotten], [3 * each, 0]);

    await publish("c");
    assert.deepEqual([await offsets("a"), await offsets("b"), await offsets("c")], [[1, 2], [], [1]]);
    await publish("c");
    assert.deepEqual([await offsets("a"), await offsets("c")], [[], [1, 2]]);
    assert.deepEqual([broker.bytes, broker.forgotten], [2 * each, 3]);

    // A room with subscribers goes on where it was, and says that something is missing.
    const next = await publish("a");
    assert.deepEqual([next.epoch, next.offset], [first.epoch, 3]);
    const page = await broker.history("a", { since: first, limit: 10 });
    assert.deepEqual([page.complete, page.offset], [false, 3]);

    await broker.publish({ room: "c", message: Message.from("x".repeat(9000)), history });
    assert.deepEqual([await offsets("a"), await offsets("c")], [[], [3]]);
    clock.advance(80_000);
    assert.equal(broker.bytes, 0);
    await broker.close();
    assert.throws(() => new MemoryBroker({ historyBytes: NaN }), /historyBytes is NaN/);
  });

  test("begins another epoch for a room that it has forgotten", async () => {
    const broker = new MemoryBroker({ clock });
    const history = { size: 1, ttlMs: 1000 };
    const first = await broker.publish({ room: "a", message, history });
    clock.advance(20_000);
    assert.equal(broker.size, 0);
    const second = await broker.publish({ room: "a", message, history });
    assert.notEqual(second.epoch, first.epoch);
    assert.equal(second.offset, 1);
    await broker.close();
    assert.equal(clock.size, 0);
  });
});
