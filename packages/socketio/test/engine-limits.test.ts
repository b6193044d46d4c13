import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, test } from "node:test";
import type { ConnectionError } from "../src/index.ts";
import { connectClient, PollingClient, startEngine } from "./support/engine.ts";

describe("an engine at the limit of its connections", () => {
  test("answers handshakes with 503, and begins sessions again when one has ended", async (context) => {
    const { engine, url, ended } = await startEngine(context, { maxConnections: 2 });
    const first = new PollingClient(url);
    await first.open();
    await connectClient(`${url}?EIO=4&transport=websocket`);
    const refusal = once(engine, "connection_error");
    const refused = await new PollingClient(url).get();
    assert.equal(refused.status, 503);
    const message = "There are as many connections as the server takes.";
    assert.deepEqual(await refused.json(), { code: 3, message });
    const [{ context: why }] = (await refusal) as [ConnectionError];
    assert.deepEqual(why, { name: "TOO_MANY_CONNECTIONS", maxConnections: 2 });
    await assert.rejects(connectClient(`${url}?EIO=4&transport=websocket`), { status: 503 });
    await first.post("1");
    await ended.next();
    await new PollingClient(url).open();
  });

  test("lets those go on that it has", async (context) => {
    const { url } = await startEngine(context, { maxConnections: 1 });
    const client = new PollingClient(url);
    await client.open();
    const { connection, messages } = await connectClient(client.target("websocket"));
    connection.send("2probe");
    assert.equal(await messages.next(), "3probe");
  });

  test("looks again once the application was asked", async (context) => {
    const waiting: (() => void)[] = [];
    const { url } = await startEngine(context, {
      maxConnections: 1,
      allowRequest: (_request, decide) => {
        waiting.push(() => decide(null, true));
        if (waiting.length === 2) for (const go of waiting) go();
      },
    });
    const answers = await Promise.all([new PollingClient(url).get(), new PollingClient(url).get()]);
    assert.deepEqual(
      answers.map(({ status }) => status).toSorted((a, b) => a - b),
      [200, 503],
    );
  });
});

describe("an engine at the limit of an address", () => {
  test("answers its handshakes with 503, until one of its sessions has ended", async (context) => {
    const { url, ended } = await startEngine(context, { maxConnectionsPerAddress: 1 });
    const first = new PollingClient(url);
    await first.open();
    const refused = await new PollingClient(url).get();
    assert.equal(refused.status, 503);
    const message = "There are as many connections of this address as the server takes.";
    assert.deepEqual(await refused.json(), { code: 3, message });
    await first.post("1");
    await ended.next();
    await new PollingClient(url).open();
  });
});
