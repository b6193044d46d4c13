import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Code } from "@sluice/protocol";
import { createStatus, noMetadata, okStatus, type Metadata, type RetryOptions } from "@sluice/rpc";
import { RetryBudget } from "../../src/balancer/retry-budget.ts";
import { RetryPolicy, withPreviousAttempts } from "../../src/balancer/retry-policy.ts";
import { repeat, say } from "../backend/harness.ts";

const unavailable = createStatus(Code.UNAVAILABLE, "not now");
const middle = (): number => 0.5;

function policy(options: RetryOptions | undefined = {}): RetryPolicy {
  return new RetryPolicy(options, middle);
}

function pushback(value: string | readonly string[]): Metadata {
  return { "grpc-retry-pushback-ms": value };
}

describe("the next attempt", () => {
  test("comes after a pause that grows, as long as there are attempts left", () => {
    const retry = policy({ maxAttempts: 5, maxMs: 80 });
    const delays = [1, 2, 3, 4, 5].map((attempts) =>
      retry.delay(attempts, unavailable, noMetadata, Infinity),
    );
    assert.deepEqual(delays, [25, 50, 80, 80, undefined]);
    assert.equal(retry.retries, 4);
  });

  test("comes after a pause that is half random", () => {
    const delays = [0, 0.999_999].map((random) =>
      Math.round(new RetryPolicy({}, () => random).delay(1, unavailable, noMetadata, Infinity) ?? NaN),
    );
    assert.deepEqual(delays, [13, 37]);
  });

  test("is by default the third at most", () => {
    assert.equal(policy().delay(2, unavailable, noMetadata, Infinity), 50);
    assert.equal(policy().delay(3, unavailable, noMetadata, Infinity), undefined);
  });

  test("is never made without options, nor with one attempt", () => {
    assert.equal(new RetryPolicy(undefined, middle).delay(1, unavailable, noMetadata, Infinity), undefined);
    assert.equal(new RetryPolicy(undefined, middle).covers(say), false);
    assert.equal(policy({ maxAttempts: 1 }).covers(say), false);
  });

  test("is made for the methods that are named", () => {
    const retry = policy({ when: ({ name }) => name === "Say" });
    assert.deepEqual([retry.covers(say), retry.covers(repeat)], [true, false]);
    assert.equal(policy().covers(repeat), true);
  });

  for (const code of Object.values(Code).filter((each) => each !== Code.UNAVAILABLE)) {
    test(`is not made after the status ${code}`, () => {
      assert.equal(policy().delay(1, { code, message: "" }, noMetadata, Infinity), undefined);
    });
  }

  test("is not made when the deadline comes first", () => {
    assert.equal(policy().delay(1, unavailable, noMetadata, 25), undefined);
    assert.equal(policy().delay(1, unavailable, noMetadata, 26), 25);
  });

  const pushbacks: readonly [value: string | readonly string[], delay: number | undefined][] = [
    ["0", 0],
    ["700", 700],
    ["10000", 10_000],
    ["10001", undefined],
    ["-1", undefined],
    ["soon", undefined],
    ["", undefined],
    ["99999999999999999999", undefined],
    [["1", "2"], undefined],
  ];
  for (const [value, delay] of pushbacks) {
    const what = delay === undefined ? "is not made" : `comes after ${delay} ms`;
    test(`${what} when the server says grpc-retry-pushback-ms ${JSON.stringify(value)}`, () => {
      assert.equal(policy().delay(1, unavailable, pushback(value), Infinity), delay);
    });
  }

  test("tells the server how many there were before, those of the client among them", () => {
    assert.deepEqual(withPreviousAttempts({ a: "1" }, 1), { a: "1", "grpc-previous-rpc-attempts": "1" });
    assert.deepEqual(withPreviousAttempts({ "grpc-previous-rpc-attempts": "2" }, 1), {
      "grpc-previous-rpc-attempts": "3",
    });
    assert.deepEqual(withPreviousAttempts({ "grpc-previous-rpc-attempts": "x" }, 1), {
      "grpc-previous-rpc-attempts": "1",
    });
  });

  test("is not made when the budget is spent, which is counted", () => {
    const retry = policy({ budgetTokens: 4, budgetRatio: 0.5 });
    const fail = (): number | undefined => {
      retry.account(unavailable);
      return retry.delay(1, unavailable, noMetadata, Infinity);
    };
    assert.deepEqual([fail(), fail(), fail()], [25, undefined, undefined]);
    assert.deepEqual([retry.retries, retry.refused], [1, 2]);
    for (let i = 0; i < 5; i++) retry.account(okStatus);
    assert.equal(fail(), 25);
  });

  test("costs no budget when the call failed for another reason", () => {
    const retry = policy({ budgetTokens: 2 });
    for (let i = 0; i < 9; i++) retry.account(createStatus(Code.INTERNAL, ""));
    assert.equal(retry.delay(1, unavailable, noMetadata, Infinity), 25);
  });
});

describe("the retry budget", () => {
  test("allows half of itself at once, and never has more than its maximum or less than nothing", () => {
    const budget = new RetryBudget(10, 1);
    for (let i = 0; i < 9; i++) budget.succeeded();
    let allowed = 0;
    for (let i = 0; i < 20; i++) {
      budget.failed();
      if (budget.allowsRetry) allowed++;
    }
    assert.equal(allowed, 4);
    for (let i = 0; i < 5; i++) budget.succeeded();
    assert.equal(budget.allowsRetry, false);
    budget.succeeded();
    assert.equal(budget.allowsRetry, true);
  });
});
