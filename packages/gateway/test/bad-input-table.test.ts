import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { tables } from "./bad-input/tables.ts";
import { stillOpen } from "./still-open.ts";
import { startTestGateway, type TestGateway } from "./support.ts";

let sluice: TestGateway;
before(async () => {
  sluice = await startTestGateway({ rest: { strict: true }, bodyMs: 1_500, limits: { aliveMs: 500 } });
});
after(() => sluice.close());

for (const [name, rows] of Object.entries(tables)) {
  describe(`a client that sends bad input: ${name}`, { concurrency: 4 }, () => {
    for (const { what, send, said, message } of rows) {
      test(`${what}: ${said}`, async () => {
        const outcome = await send(sluice.port);
        assert.equal(outcome.said, said, outcome.message);
        if (message !== undefined) assert.match(outcome.message, message);
      });
    }
  });
}

test("nothing stays of all that: no call, no request, no connection", async () => {
  await sluice.echo.calls.until(({ open }) => open === 0);
  while (sluice.gateway.counts.connections > 0) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(stillOpen(sluice.gateway.counts), {});
});
