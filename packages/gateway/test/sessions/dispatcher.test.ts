import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { Code } from "@sluice/protocol";
import type { Status } from "@sluice/rpc";
import { FakeClock } from "@sluice/testkit/fake-clock";
import { CircuitBreaker } from "../../src/sessions/callbacks/circuit-breaker.ts";
import { DisconnectQueue } from "../../src/sessions/callbacks/disconnect-queue.ts";
import { Dispatcher } from "../../src/sessions/callbacks/dispatcher.ts";
import type { Caller, HookEvent, HookName, Outcome } from "../../src/sessions/callbacks/hook.ts";
import {
  ConnectRequestSchema,
  DisconnectRequestSchema,
  MessageRequestSchema,
  MessageResponseSchema,
  ResumeRequestSchema,
} from "../../src/sessions/generated/sluice/session/v1/session_pb.ts";

const answered: Outcome = { answer: { case: "message", value: create(MessageResponseSchema) } };
const away: Status = { code: Code.UNAVAILABLE, message: "away" };
const untouched: Status = { ...away, isUnprocessed: true };

const events: Readonly<Record<HookName, HookEvent>> = {
  connect: { case: "connect", value: create(ConnectRequestSchema) },
  message: { case: "message", value: create(MessageRequestSchema) },
  disconnect: { case: "disconnect", value: create(DisconnectRequestSchema) },
  resume: { case: "resume", value: create(ResumeRequestSchema) },
};

/** A backend whose answers the test gives, one call after the other. */
class HeldCaller implements Caller {
  readonly open: ((outcome: Outcome) => void)[] = [];
  calls = 0;

  call(_event: HookEvent, _timeoutMs: number, settle: (outcome: Outcome) => void): void {
    this.calls++;
    this.open.push(settle);
  }

  /** Answers the oldest call that is open. */
  answer(outcome: Outcome | Status): void {
    const settle = this.open.shift();
    assert.ok(settle !== undefined, "nobody calls");
    settle("code" in outcome ? { failure: outcome } : outcome);
  }

  close(): void {}
}

function dispatch(options: { readonly concurrency?: number } = {}) {
  const caller = new HeldCaller();
  const clock = new FakeClock();
  const told: string[] = [];
  const dispatcher = new Dispatcher({
    caller,
    clock,
    random: () => 0.5,
    deadlineMs: 1_000,
    concurrency: options.concurrency ?? 10,
    breaker: {},
    breakerChanged: (isAway) => told.push(isAway ? "away" : "back"),
    wake: () => told.push("wake"),
  });
  const run = (hook: HookName, waitMs = 15_000): Outcome[] => {
    const outcomes: Outcome[] = [];
    const settle = (outcome: Outcome): void => void outcomes.push(outcome);
    dispatcher.run({ hook, event: () => events[hook], waitMs, settle });
    return outcomes;
  };
  return { caller, clock, told, dispatcher, run };
}

const codesOf = (outcomes: readonly Outcome[]): number[] =>
  outcomes.map(({ failure }) => failure?.code ?? Code.OK);

function unspeakable(): HookEvent {
  throw new Error("no such message");
}

function queue(options: { readonly perSecond?: number; readonly maxWaiting?: number } = {}) {
  const scene = dispatch({ concurrency: 1_000 });
  const disconnects = new DisconnectQueue(
    scene.dispatcher,
    { perSecond: 10, maxWaiting: 1_000, giveUpMs: 60_000, ...options },
    scene.clock,
  );
  const outcomes: Outcome[] = [];
  const add = (): void =>
    disconnects.add(
      () => events.disconnect,
      (outcome) => void outcomes.push(outcome),
    );
  return { ...scene, disconnects, outcomes, add };
}

describe("a circuit breaker", () => {
  test("opens after failures one after another, and lets one call through to see", () => {
    const clock = new FakeClock();
    let changes = 0;
    const breaker = new CircuitBreaker({ failures: 2, openMs: 500 }, clock, () => changes++);
    breaker.begin()(false);
    breaker.begin()(true);
    breaker.begin()(false);
    assert.equal(breaker.state, "closed");
    breaker.begin()(false);
    assert.deepEqual([breaker.state, breaker.allows, changes], ["open", false, 1]);
    clock.advance(499);
    assert.equal(breaker.allows, false);
    clock.advance(1);
    assert.deepEqual([breaker.state, breaker.allows], ["half-open", true]);
    const probe = breaker.begin();
    assert.equal(breaker.allows, false);
    probe(false);
    assert.equal(breaker.state, "open");
    clock.advance(500);
    breaker.begin()(true);
    assert.deepEqual([breaker.state, breaker.allows, breaker.opened], ["closed", true, 1]);
  });

  test("learns nothing of calls that began before it opened", () => {
    const clock = new FakeClock();
    const breaker = new CircuitBreaker({ failures: 1 }, clock, () => undefined);
    const [early, late] = [breaker.begin(), breaker.begin()];
    early(false);
    late(true);
    assert.equal(breaker.state, "open");
    clock.advance(1_000);
    assert.equal(breaker.state, "half-open");
  });

  test("may be told that the backend can be reached again", () => {
    const clock = new FakeClock();
    const breaker = new CircuitBreaker({ failures: 1 }, clock, () => undefined);
    breaker.probe();
    assert.equal(breaker.state, "closed");
    breaker.begin()(false);
    breaker.probe();
    assert.deepEqual([breaker.state, clock.size], ["half-open", 0]);
  });
});

describe("the dispatcher", () => {
  test("has no more events under way than it may, and gives the others their turn", () => {
    const { caller, run, dispatcher } = dispatch({ concurrency: 2 });
    const all = [run("message"), run("connect"), run("message"), run("message")];
    assert.deepEqual([caller.calls, dispatcher.inFlight, dispatcher.waiting], [2, 2, 2]);
    caller.answer(answered);
    assert.deepEqual([caller.calls, dispatcher.waiting], [3, 1]);
    while (caller.open.length > 0) caller.answer(answered);
    assert.deepEqual(all.map(codesOf), [[0], [0], [0], [0]]);
    assert.deepEqual([dispatcher.inFlight, dispatcher.waiting], [0, 0]);
  });

  const table: readonly (readonly [HookName, Status, boolean])[] = [
    ["connect", away, true],
    ["connect", untouched, true],
    ["connect", { code: Code.DEADLINE_EXCEEDED, message: "" }, false],
    ["connect", { code: Code.UNKNOWN, message: "" }, false],
    ["resume", away, true],
    ["message", away, false],
    ["message", untouched, true],
    ["message", { code: Code.DEADLINE_EXCEEDED, message: "" }, false],
    ["message", { code: Code.INTERNAL, message: "", isUnprocessed: true }, false],
    ["disconnect", away, true],
    ["disconnect", { code: Code.DEADLINE_EXCEEDED, message: "" }, true],
    ["disconnect", { code: Code.RESOURCE_EXHAUSTED, message: "" }, true],
    ["disconnect", { code: Code.ABORTED, message: "" }, true],
    ["disconnect", { code: Code.UNKNOWN, message: "" }, false],
    ["disconnect", { code: Code.UNIMPLEMENTED, message: "" }, false],
  ];
  for (const [hook, status, isRepeated] of table) {
    const of = `${hook} that ended with ${status.code}${status.isUnprocessed ? ", unseen," : ""}`;
    test(`${isRepeated ? "repeats" : "does not repeat"} a ${of} after a pause`, () => {
      const { caller, clock, run } = dispatch();
      const outcomes = run(hook);
      caller.answer(status);
      clock.advance(99);
      assert.equal(caller.calls, 1);
      clock.advance(1);
      assert.equal(caller.calls, isRepeated ? 2 : 1);
      if (isRepeated) caller.answer(answered);
      assert.deepEqual(codesOf(outcomes), [isRepeated ? Code.OK : status.code]);
    });
  }

  test("gives up what cannot be had in time, and says whether the backend can have seen it", () => {
    const { caller, clock, run } = dispatch();
    const [seen, unseen] = [run("connect", 250), run("message", 250)];
    caller.answer(away);
    caller.answer(untouched);
    clock.advance(100);
    caller.answer(untouched);
    caller.answer(untouched);
    clock.advance(150);
    assert.deepEqual([seen[0]?.failure, unseen[0]?.failure], [away, untouched]);
    assert.deepEqual([caller.open.length, clock.size], [0, 0]);
  });

  test("keeps events from a backend that is away, and lets all of them go when it is back", () => {
    const { caller, clock, told, run, dispatcher } = dispatch();
    const first = Array.from({ length: 5 }, () => run("message"));
    for (let count = 0; count < 5; count++) caller.answer(away);
    assert.deepEqual(
      first.map(codesOf),
      Array.from({ length: 5 }, () => [Code.UNAVAILABLE]),
    );
    assert.deepEqual([dispatcher.breaker.state, told], ["open", ["away"]]);
    const meanwhile = Array.from({ length: 8 }, () => run("message"));
    assert.deepEqual([caller.calls, dispatcher.waiting], [5, 8]);
    clock.advance(1_000);
    assert.deepEqual([caller.calls, told], [6, ["away", "wake"]]);
    caller.answer(untouched);
    clock.advance(1_000);
    assert.equal(caller.calls, 7);
    caller.answer(answered);
    assert.deepEqual(told, ["away", "wake", "wake", "back"]);
    assert.deepEqual([caller.open.length, dispatcher.waiting], [7, 0]);
    while (caller.open.length > 0) caller.answer(answered);
    assert.deepEqual(
      meanwhile.map(codesOf),
      Array.from({ length: 8 }, () => [Code.OK]),
    );
  });

  test("refuses what has waited for a backend that stays away", () => {
    const { caller, clock, run } = dispatch();
    for (let count = 0; count < 5; count++) run("message");
    for (let count = 0; count < 5; count++) caller.answer(away);
    const waiting = run("message", 500);
    clock.advance(499);
    assert.equal(waiting.length, 0);
    clock.advance(1);
    assert.deepEqual(codesOf(waiting), [Code.UNAVAILABLE]);
    assert.equal(waiting[0]?.failure?.isUnprocessed, true);
  });

  test("fails an event that protobuf cannot hold, and no other", async () => {
    const { caller, dispatcher, run } = dispatch();
    const outcomes: Outcome[] = [];
    dispatcher.run({
      hook: "message",
      event: unspeakable,
      waitMs: 0,
      settle: (outcome) => void outcomes.push(outcome),
    });
    await new Promise((resolve) => process.nextTick(resolve));
    assert.deepEqual([codesOf(outcomes), dispatcher.inFlight], [[Code.INTERNAL], 0]);
    run("message");
    assert.equal(caller.calls, 1);
  });

  test("ends everything with UNAVAILABLE when it is closed", async () => {
    const { dispatcher, run, clock } = dispatch({ concurrency: 1 });
    run("message");
    const waiting = run("message");
    dispatcher.close();
    const late = run("message");
    await new Promise((resolve) => process.nextTick(resolve));
    assert.deepEqual([codesOf(waiting), codesOf(late)], [[Code.UNAVAILABLE], [Code.UNAVAILABLE]]);
    assert.equal(clock.size, 0);
  });
});

describe("the queue of Disconnects", () => {
  test("keeps its pace", () => {
    const { add, caller, clock, outcomes } = queue();
    for (let count = 0; count < 30; count++) add();
    assert.equal(caller.calls, 10);
    while (caller.open.length > 0) caller.answer(answered);
    for (const expected of [11, 12, 13]) {
      clock.advance(100);
      assert.equal(caller.calls, expected);
      caller.answer(answered);
    }
    clock.advance(1_000);
    while (caller.open.length > 0) caller.answer(answered);
    clock.advance(1_000);
    while (caller.open.length > 0) caller.answer(answered);
    assert.equal(outcomes.length, 30);
  });

  test("has at most 32 under way", () => {
    const { add, caller } = queue({ perSecond: 1_000 });
    for (let count = 0; count < 100; count++) add();
    assert.equal(caller.calls, 32);
    caller.answer(answered);
    assert.equal(caller.calls, 33);
  });

  test("goes as fast as the dispatcher when there is no more time", () => {
    const { add, caller, clock, disconnects } = queue({ perSecond: 1 });
    for (let count = 0; count < 100; count++) add();
    assert.equal(caller.calls, 1);
    disconnects.hurry();
    assert.equal(caller.calls, 100);
    for (let count = 0; count < 100; count++) add();
    clock.advance(1);
    assert.equal(caller.calls, 200);
  });

  test("gives up those over its limit, and those whose time is over", async () => {
    const { add, caller, clock, outcomes, disconnects } = queue({ perSecond: 1, maxWaiting: 2 });
    for (let count = 0; count < 4; count++) add();
    await new Promise((resolve) => process.nextTick(resolve));
    assert.match(outcomes[0]?.failure?.message ?? "", /2 Disconnects wait already/);
    assert.equal(disconnects.size, 3);
    for (let second = 0; second < 70; second++) {
      while (caller.open.length > 0) caller.answer(away);
      clock.advance(1_000);
    }
    assert.deepEqual(codesOf(outcomes), [Code.RESOURCE_EXHAUSTED, ...Array(3).fill(Code.UNAVAILABLE)]);
    assert.equal(disconnects.size, 0);
  });
});
