import assert from "node:assert/strict";
import { test } from "node:test";
import { outage } from "./outage.ts";
import { soak } from "./soak.ts";

const seed = Number(process.env["SOAK_SEED"] ?? Date.now() % 1_000_000);

test("drops, slow readers and a backend that is killed: nothing is lost, doubled, out of order or left over", async (context) => {
  const { counts, problems } = await soak({
    seed,
    members: 150,
    rooms: 8,
    cycles: 2,
    seconds: 3,
    events: 150,
    log: (line) => context.diagnostic(line),
  });
  context.diagnostic(JSON.stringify(counts));
  assert.deepEqual(problems, [], `with SOAK_SEED=${seed}`);
  assert.ok(counts.kills > 0 && counts.resumes > 0, JSON.stringify(counts));
});

test("a backend that is killed and comes back: no session ends, and each message is answered or refused", async () => {
  const { counts, sentMeanwhile, connections, members, problems } = await outage(2_000);
  assert.deepEqual(problems, []);
  assert.equal(connections, members);
  assert.equal(counts.unknown, 0);
  assert.ok(sentMeanwhile > members, `${sentMeanwhile} were sent while it was away`);
});
