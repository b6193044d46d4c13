import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { PollingClient } from "./support/engine.ts";
import { converse, joinRoot, startWireServer } from "./support/wire-server.ts";
import { WireClient } from "./support/wire-client.ts";

const piece = fc.constantFrom(
  ...Array.from('0123456-,/[]{}"\\:? '),
  "/custom",
  "/dyn-1,",
  "/denied",
  '["echo",',
  '["ask"]',
  '{"_placeholder":true,"num":0}',
  '"connect"',
  "null",
  "1e999",
  "\u{1F600}",
  "\0",
);

const whole = fc.constantFrom(
  "40",
  "40/custom,",
  "40/dyn-1",
  "40/denied,{}",
  "41",
  "41/custom,",
  '42["echo",1]',
  '420["ask",{}]',
  '42/custom,["echo"]',
  '42["ask me"]',
  "430[]",
  "43/custom,0[1]",
  '451-["echo",{"_placeholder":true,"num":0}]',
  '461-0[{"_placeholder":true,"num":0}]',
);

/** What clients might say, about half of it right. */
const conversation = fc.array(
  fc.oneof(
    { arbitrary: whole, weight: 4 },
    { arbitrary: fc.uint8Array({ maxLength: 8 }).map((data) => Buffer.from(data)), weight: 1 },
    { arbitrary: fc.array(piece, { maxLength: 8 }).map((parts) => `4${parts.join("")}`), weight: 1 },
  ),
  { minLength: 1, maxLength: 12 },
);

describe("No conversation, of whatever packets, costs more than its connection", () => {
  for (const revision of [3, 4] as const) {
    test(`by WebSocket, of revision ${revision}`, async (context) => {
      const { io, port } = await startWireServer(context);
      const bystander = await joinRoot(context, port, 4);
      for (const said of fc.sample(conversation, { numRuns: 200, seed: revision })) {
        const client = await WireClient.connect(context, port, revision);
        client.send(...said);
        client.close();
        await client.end();
      }
      await converse(bystander, ['> 42["echo"]', '< 42["echo"]']);
      while (io.engine.clientsCount > 1) await new Promise(setImmediate);
      assert.equal(io.counts.sockets, 1);
      for (const name of ["/", "/custom", "/denied", "/dyn-1"]) {
        const count = name === "/" ? 1 : 0;
        const { adapter, sockets } = io.of(name);
        assert.deepEqual([sockets.size, adapter.sids.size, adapter.rooms.size], [count, count, count]);
      }
    });

    test(`by polling, of revision ${revision}`, async (context) => {
      const { io, url, port } = await startWireServer(context);
      const bystander = await joinRoot(context, port, 4);
      for (const said of fc.sample(conversation, { numRuns: 100, seed: revision })) {
        const client = new PollingClient(url, `EIO=${revision}`);
        await client.open();
        const packets = said.map((each) => {
          if (revision === 3) {
            const packet = typeof each === "string" ? each : `b4${each.toString("base64")}`;
            return `${packet.length}:${packet}`;
          }
          return typeof each === "string" ? each : `b${each.toString("base64")}`;
        });
        const response = await client.post(packets.join(revision === 3 ? "" : "\x1e"));
        await response.text();
        // Some have gone already.
        await (await client.post(revision === 3 ? "1:1" : "1")).text();
      }
      await converse(bystander, ['> 42["echo"]', '< 42["echo"]']);
      assert.equal(io.engine.clientsCount, 1);
      assert.equal(io.counts.sockets, 1);
    });
  }
});
