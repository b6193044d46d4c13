import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { connectWebSocket, defaultLimits } from "../src/index.ts";
import { resolveLimits } from "../src/limits.ts";
import { Journal } from "./support/journal.ts";
import { listen } from "./support/server.ts";

describe("the limits", () => {
  test("have a default each, and are shared by connections of the same options", () => {
    assert.equal(resolveLimits(undefined), defaultLimits);
    const given = { maxMessageBytes: 10 };
    const resolved = resolveLimits(given);
    assert.deepEqual(resolved, { ...defaultLimits, maxMessageBytes: 10 });
    assert.equal(resolveLimits(given), resolved);
    assert.equal(resolveLimits({ maxMessageBytes: Infinity }).maxMessageBytes, Infinity);
  });

  test("are refused by name when they are no positive numbers", async () => {
    for (const name of Object.keys(defaultLimits)) {
      for (const value of [0, -1, NaN, "1", undefined]) {
        assert.throws(() => resolveLimits({ [name]: value }), new RegExp(`limits\\.${name} is`));
      }
    }
    await assert.rejects(connectWebSocket("ws://127.0.0.1:1", { limits: { highWaterMark: 0 } }), RangeError);
  });

  test("move the mark from which send() answers false", async (context) => {
    const server = await listen(context, { handlers: {}, limits: { highWaterMark: 300_000 } });
    await connectWebSocket(server.url, { handlers: new Journal() });
    const connection = server.connections[0]!;
    assert.equal(connection.send(Buffer.alloc(100_000)), true);
    assert.equal(connection.send(Buffer.alloc(100_000)), true);
    assert.equal(connection.send(Buffer.alloc(100_000)), false);
  });
});
