import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FakeClock } from "@sluice/testkit/fake-clock";
import {
  connectClient,
  polled,
  PollingClient,
  startEngine,
  startPolling,
  type WebSocketClient,
} from "./support/engine.ts";

/** A WebSocket for the session of a client that polls, tried with a probe. */
async function probe(client: PollingClient): Promise<WebSocketClient> {
  const socket = await connectClient(client.target("websocket"));
  socket.connection.send("2probe");
  assert.equal(await socket.messages.next(), "3probe");
  return socket;
}

for (const [revision, noop] of [
  [4, "6"],
  [3, "1:6"],
] as const) {
  const query = `EIO=${revision}&b64=1`;
  describe(`an upgrade in revision ${revision}`, () => {
    test("answers the poll that waits at once, and moves the session over", async (context) => {
      const { url, opened } = await startEngine(context);
      const client = new PollingClient(url, query);
      await client.open();
      const session = await opened.next();
      const names: string[] = [];
      session.on("upgrading", ({ name }) => names.push(`upgrading ${name}`));
      session.on("upgrade", ({ name }) => names.push(`upgrade ${name}`));
      const poll = client.poll();
      await polled(session);
      const { connection, messages } = await probe(client);
      assert.equal(await poll, noop);
      assert.equal(session.transport.name, "polling");
      connection.send("5");
      connection.send("4hello");
      assert.equal(await messages.next(), "4hello");
      assert.equal(session.transport.name, "websocket");
      assert.equal(session.upgraded, true);
      assert.deepEqual(names, ["upgrading websocket", "upgrade websocket"]);
    });

    test("answers every poll that comes behind the probe at once", async (context) => {
      const { url } = await startEngine(context);
      const client = new PollingClient(url, query);
      await client.open();
      const { connection, messages } = await probe(client);
      for (let turn = 0; turn < 3; turn++) assert.equal(await client.poll(), noop);
      connection.send("5");
      connection.send("4hello");
      assert.equal(await messages.next(), "4hello");
    });

    test("refuses polls and other WebSockets of the session from then on", async (context) => {
      const { url, opened } = await startEngine(context);
      const client = new PollingClient(url, query);
      await client.open();
      const session = await opened.next();
      const { connection, messages } = await probe(client);
      connection.send("5");
      while (!session.upgraded) await new Promise(setImmediate);
      assert.equal((await client.get()).status, 400);
      assert.equal((await client.post("4a")).status, 400);
      const other = await connectClient(client.target("websocket"));
      await other.closed.next();
      connection.send("4hello");
      assert.equal(await messages.next(), "4hello");
    });
  });
}

describe("an upgrade", () => {
  test("loses nothing of what is sent while it goes on, and keeps the order", async (context) => {
    const { client, session } = await startPolling(context);
    session.send("1");
    const first = client.poll();
    assert.equal(await first, "41");
    const waiting = client.poll();
    await polled(session);
    session.send("2");
    const { connection, messages } = await probe(client);
    session.send("3");
    assert.equal(await waiting, "42");
    assert.equal(await client.poll(), "43");
    session.send("4");
    session.send(Buffer.of(5));
    connection.send("5");
    while (!session.upgraded) await new Promise(setImmediate);
    session.send("6");
    assert.deepEqual(
      [await messages.next(), await messages.next(), await messages.next()],
      ["44", Buffer.of(5), "46"],
    );
  });

  test("that takes too long ends, and the session goes on by polling", async (context) => {
    const clock = new FakeClock();
    const { client, session } = await startPolling(context, {
      clock,
      upgradeTimeout: 1000,
      pingInterval: 1e6,
    });
    const { closed } = await probe(client);
    assert.equal(await client.poll(), "6");
    clock.advance(999);
    assert.equal(closed.size, 0);
    clock.advance(1);
    await closed.next();
    const poll = client.poll();
    await polled(session);
    session.send("hello");
    assert.equal(await poll, "4hello");
    await probe(client);
  });

  for (const sent of ["4hello", "abc", "2", "2other", "3probe", "1"]) {
    test(`ends with anything but a probe, such as ${sent}, and the session goes on`, async (context) => {
      const { url } = await startEngine(context);
      const client = new PollingClient(url);
      await client.open();
      const { connection, closed } = await connectClient(client.target("websocket"));
      connection.send(sent);
      await closed.next();
      await client.post("4still");
      assert.equal(await client.poll(), "4still");
    });
  }

  test("ends when the WebSocket is lost, and another one may be tried", async (context) => {
    const { url } = await startEngine(context);
    const client = new PollingClient(url);
    await client.open();
    const lost = await probe(client);
    lost.connection.terminate();
    await lost.closed.next();
    await client.post("4still");
    assert.equal(await client.poll(), "4still");
    const { connection, messages } = await probe(client);
    connection.send("5");
    connection.send("4hello");
    assert.equal(await messages.next(), "4hello");
  });

  test("is one at a time", async (context) => {
    const { url } = await startEngine(context);
    const client = new PollingClient(url);
    await client.open();
    const first = await probe(client);
    const second = await connectClient(client.target("websocket"));
    await second.closed.next();
    first.connection.send("5");
    first.connection.send("4hello");
    assert.equal(await first.messages.next(), "4hello");
  });

  test("is closed where none is allowed", async (context) => {
    const { url } = await startEngine(context, { allowUpgrades: false });
    const client = new PollingClient(url);
    await client.open();
    const { closed } = await connectClient(client.target("websocket"));
    await closed.next();
  });

  test("ends with its session", async (context) => {
    const { client, session } = await startPolling(context);
    const { closed } = await probe(client);
    session.close(true);
    await closed.next();
  });

  test("of a session that is being closed brings what was sent before", async (context) => {
    const { client, session, ended } = await startPolling(context);
    const { connection, messages, closed } = await probe(client);
    session.send("last");
    session.close();
    assert.equal(session.readyState, "closing");
    connection.send("5");
    assert.equal(await messages.next(), "4last");
    await closed.next();
    assert.equal((await ended.next()).reason, "forced close");
  });
});
