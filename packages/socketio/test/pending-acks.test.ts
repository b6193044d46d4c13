import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SocketIoError } from "../src/index.ts";
import { PendingAcks } from "../src/server/pending-acks.ts";
import { FakeClock } from "@sluice/testkit/fake-clock";

function createAcks(pendingAcks = 2) {
  const clock = new FakeClock();
  const counts = { acksTimedOut: 0 };
  return { clock, counts, acks: new PendingAcks({ clock, counts, limits: { pendingAcks } }) };
}

/** A waiter, and what it was told. */
function createWaiter() {
  const told: unknown[] = [];
  const answered = (...args: unknown[]): void => void told.push(args);
  const failed = (error: Error): void => void told.push(error.message);
  return { told, answered, failed };
}

describe("pending acknowledgements", () => {
  test("tell who waits of the answer, once", () => {
    const { acks } = createAcks();
    const waiter = createWaiter();
    assert.equal(acks.ask(1, waiter, undefined), undefined);
    assert.equal(acks.size, 1);
    acks.answer(1, ["yes", 2], undefined);
    acks.answer(1, ["again"], undefined);
    acks.answer(7, ["nobody asked"], undefined);
    assert.deepEqual(waiter.told, [["yes", 2]]);
    assert.equal(acks.size, 0);
  });

  test("fail after their time, are counted, and are then forgotten", () => {
    const { acks, clock, counts } = createAcks();
    const waiter = createWaiter();
    acks.ask(1, waiter, 100);
    clock.advance(99);
    assert.deepEqual(waiter.told, []);
    clock.advance(1);
    acks.answer(1, ["too late"], undefined);
    assert.deepEqual(waiter.told, ["operation has timed out"]);
    assert.deepEqual([acks.size, counts.acksTimedOut], [0, 1]);
  });

  test("keep no timer once the answer came, or nobody waits", () => {
    const { acks, clock } = createAcks();
    acks.ask(1, createWaiter(), 100);
    acks.ask(2, createWaiter(), 100);
    assert.equal(clock.size, 2);
    acks.answer(1, [], undefined);
    acks.delete(2);
    assert.equal(clock.size, 0);
  });

  test("fail when the client leaves, each in a tick of its own; a plain callback is dropped", async () => {
    const { acks, clock } = createAcks(4);
    const waiters = [createWaiter(), createWaiter()];
    const plain = createWaiter();
    acks.ask(1, waiters[0]!, undefined);
    acks.ask(2, { answered: plain.answered, failed: undefined }, undefined);
    acks.ask(3, waiters[1]!, 100);
    acks.failAll(new Error("gone"));
    assert.deepEqual([acks.size, clock.size, waiters[0]!.told.length], [0, 0, 0]);
    await new Promise(setImmediate);
    assert.deepEqual([waiters[0]!.told, waiters[1]!.told, plain.told], [["gone"], ["gone"], []]);
  });

  test("refuse the one over the limit, and have room again when one was answered", () => {
    const { acks } = createAcks(2);
    acks.ask(1, createWaiter(), undefined);
    acks.ask(2, createWaiter(), undefined);
    const refused = acks.ask(3, createWaiter(), undefined);
    assert.ok(refused instanceof SocketIoError);
    assert.equal(refused.code, "limit_exceeded");
    assert.match(refused.message, /2 acknowledgements .*limits\.pendingAcks/);
    acks.set(4, () => {});
    assert.equal(acks.has(4), false);
    acks.answer(1, [], undefined);
    assert.equal(acks.ask(5, createWaiter(), undefined), undefined);
  });

  test("over the limit wait no more for the oldest part of an answer to a broadcast", () => {
    const { acks } = createAcks(2);
    acks.ask(1, createWaiter(), undefined);
    acks.set(2, () => {});
    acks.set(3, () => {});
    assert.deepEqual([acks.has(1), acks.has(2), acks.has(3)], [true, false, true]);
    assert.equal(acks.ask(4, createWaiter(), undefined), undefined);
    assert.deepEqual([acks.has(1), acks.has(3), acks.size], [true, false, 2]);
  });

  test("are to adapters the map of functions that they know", async () => {
    const { acks } = createAcks();
    const answers: unknown[] = [];
    const answered = (...args: unknown[]): void => void answers.push(args);
    assert.equal(acks.set(5, answered), acks);
    assert.deepEqual([acks.has(5), acks.get(5), acks.size], [true, answered, 1]);
    acks.answer(5, ["one"], undefined);
    assert.deepEqual([answers, acks.has(5), acks.get(5)], [[["one"]], false, undefined]);
    acks.set(6, answered);
    assert.deepEqual([acks.delete(6), acks.delete(6)], [true, false]);
    assert.deepEqual(answers, [["one"]]);
  });
});
