import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "@sluice/testkit/fake-clock";
import { AnswerCache } from "../../src/sessions/push/answer-cache.ts";

test("an answer is remembered for 5 minutes", () => {
  const clock = new FakeClock();
  const cache = new AnswerCache<number>(clock);
  cache.keep("a", 1);
  clock.advance(299_999);
  assert.deepEqual([cache.find("a"), cache.find("b")], [1, undefined]);
  clock.advance(1);
  assert.equal(cache.find("a"), undefined);
});

test("the last 10,000 answers are remembered", () => {
  const cache = new AnswerCache<number>(new FakeClock());
  for (let index = 0; index <= 10_000; index++) cache.keep(String(index), index);
  assert.deepEqual([cache.find("0"), cache.find("1"), cache.find("10000")], [undefined, 1, 10_000]);
});
