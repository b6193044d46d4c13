import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createPolicy, type Candidate, type PolicyName } from "../../src/balancer/policy.ts";

/** Numbers from 0 to 1 that are the same in each run. Source: the generator of Park and Miller. */
function seeded(seed = 1): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 0x7fff_ffff) / 0x7fff_ffff;
}

function candidates(...openCalls: readonly number[]): readonly Candidate[] {
  return openCalls.map((each) => ({ openCalls: each }));
}

/** How often each of the candidates is picked. */
function share(name: PolicyName, among: readonly Candidate[], picks: number, avoid?: Candidate): number[] {
  const policy = createPolicy(name, seeded());
  const counts = among.map(() => 0);
  for (let i = 0; i < picks; i++) {
    const index = among.indexOf(policy.pick(among, avoid));
    counts[index] = (counts[index] ?? 0) + 1;
  }
  return counts;
}

for (const name of ["round_robin", "least_requests"] as const) {
  describe(`the policy ${name}`, () => {
    test("picks the only candidate, also when it is to be avoided", () => {
      const [only] = candidates(7);
      assert.ok(only);
      assert.equal(createPolicy(name, seeded()).pick([only]), only);
      assert.equal(createPolicy(name, seeded()).pick([only], only), only);
    });

    test("gives candidates that are alike the same, by and large", () => {
      const counts = share(name, candidates(0, 0, 0, 0), 4_000);
      for (const count of counts) assert.ok(Math.abs(count - 1_000) < 100, counts.join());
    });

    test("picks another than the one to avoid", () => {
      const among = candidates(0, 5, 5);
      const counts = share(name, among, 300, among[0]);
      assert.equal(counts[0], 0);
      for (const count of counts.slice(1)) assert.ok(count > 100, counts.join());
    });

    test("takes an avoided candidate that is not among them for none", () => {
      const [gone] = candidates(0);
      const counts = share(name, candidates(0, 0), 100, gone);
      for (const count of counts) assert.ok(count > 25, counts.join());
    });

    test("goes on with other candidates", () => {
      const policy = createPolicy(name, seeded());
      const many = candidates(0, 0, 0, 0, 0);
      for (let i = 0; i < 9; i++) policy.pick(many);
      const few = many.slice(3);
      for (let i = 0; i < 9; i++) assert.ok(few.includes(policy.pick(few)));
    });

    test("may begin with any of them", () => {
      const among = candidates(0, 0, 0);
      const firsts = new Set<Candidate>();
      const random = seeded();
      for (let i = 0; i < 50; i++) firsts.add(createPolicy(name, random).pick(among));
      assert.equal(firsts.size, 3);
    });
  });
}

test("round_robin takes one after the other, whatever runs on them", () => {
  const among = candidates(9, 0, 3);
  const policy = createPolicy("round_robin", () => 0);
  const order = Array.from({ length: 5 }, () => among.indexOf(policy.pick(among)));
  assert.deepEqual(order, [0, 1, 2, 0, 1]);
});

test("least_requests never takes the busiest of several", () => {
  const counts = share("least_requests", candidates(3, 9, 3), 300);
  assert.equal(counts[1], 0);
});

test("least_requests takes the less busy of two that it drew", () => {
  const counts = share("least_requests", candidates(0, 1, 2, 3), 6_000);
  assert.deepEqual(
    counts.map((count) => Math.round(count / 1_000)),
    [3, 2, 1, 0],
  );
});
