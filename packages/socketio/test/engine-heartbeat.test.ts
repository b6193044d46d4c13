import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FakeClock } from "@sluice/testkit/fake-clock";
import { connectClient, polled, PollingClient, startEngine, startPolling } from "./support/engine.ts";

const times = { pingInterval: 300, pingTimeout: 200 };

describe("the heartbeat of revision 4", () => {
  test("pings on a WebSocket as long as it is answered", async (context) => {
    const clock = new FakeClock();
    const { url, opened } = await startEngine(context, { ...times, clock });
    const { connection, messages } = await connectClient(`${url}?EIO=4&transport=websocket`);
    await messages.next();
    const session = await opened.next();
    for (let turn = 0; turn < 3; turn++) {
      clock.advance(299);
      assert.equal(messages.size, 0);
      clock.advance(1);
      assert.equal(await messages.next(), "2");
      clock.advance(100);
      const heard = new Promise<void>((resolve) => {
        session.once("heartbeat", resolve);
      });
      connection.send("3");
      await heard;
    }
  });

  test("pings by polling too", async (context) => {
    const clock = new FakeClock();
    const { client, session } = await startPolling(context, { ...times, clock });
    for (let turn = 0; turn < 3; turn++) {
      const poll = client.poll();
      await polled(session);
      clock.advance(300);
      assert.equal(await poll, "2");
      assert.equal((await client.post("3")).status, 200);
    }
  });

  for (const transport of ["polling", "websocket"]) {
    test(`ends a session by ${transport} that does not answer`, async (context) => {
      const clock = new FakeClock();
      const { url, opened, ended } = await startEngine(context, { ...times, clock });
      const client = new PollingClient(url);
      if (transport === "polling") await client.open();
      else await connectClient(`${url}?EIO=4&transport=websocket`);
      await opened.next();
      clock.advance(499);
      assert.equal(ended.size, 0);
      clock.advance(1);
      assert.equal((await ended.next()).reason, "ping timeout");
      if (transport === "polling") assert.equal((await client.get()).status, 400);
    });
  }

  test("waits once longer for a client of whom something else comes", async (context) => {
    const clock = new FakeClock();
    const { url, opened, ended } = await startEngine(context, { ...times, clock });
    const { connection, messages } = await connectClient(`${url}?EIO=4&transport=websocket`);
    await messages.next();
    await opened.next();
    clock.advance(300);
    assert.equal(await messages.next(), "2");
    for (const wait of [150, 199]) {
      clock.advance(wait);
      connection.send("4a");
      assert.equal(await messages.next(), "4a");
    }
    assert.equal(ended.size, 0);
    clock.advance(1);
    assert.equal((await ended.next()).reason, "ping timeout");
  });
});

describe("the heartbeat of revision 3", () => {
  test("answers the client's pings, and ends without them", async (context) => {
    const clock = new FakeClock();
    const { url, opened, ended } = await startEngine(context, { ...times, clock });
    const { connection, messages } = await connectClient(`${url}?EIO=3&transport=websocket`);
    await messages.next();
    await opened.next();
    for (let turn = 0; turn < 3; turn++) {
      clock.advance(499);
      connection.send("2");
      assert.equal(await messages.next(), "3");
    }
    connection.send("4no ping");
    await messages.next();
    clock.advance(499);
    assert.equal(ended.size, 0);
    clock.advance(1);
    assert.equal((await ended.next()).reason, "ping timeout");
  });

  test("works by polling too", async (context) => {
    const clock = new FakeClock();
    const { url, ended } = await startEngine(context, { ...times, clock });
    const client = new PollingClient(url, "EIO=3");
    await client.open();
    for (let turn = 0; turn < 2; turn++) {
      clock.advance(499);
      await client.post("1:2");
      assert.equal(await client.poll(), "1:3");
    }
    clock.advance(500);
    assert.equal((await ended.next()).reason, "ping timeout");
  });
});

test("all sessions together have as many timers as there are kinds of them, and none when they are gone", async (context) => {
  const clock = new FakeClock();
  const { url, ended, engine } = await startEngine(context, { ...times, clock });
  const clients = await Promise.all(
    ["EIO=4", "EIO=4", "EIO=4", "EIO=3", "EIO=3"].map(async (query) => {
      const client = new PollingClient(url, query);
      await client.open();
      return client;
    }),
  );
  assert.equal(clients.length, 5);
  assert.equal(clock.size, 2);
  engine.close();
  for (const _ of clients) assert.equal((await ended.next()).reason, "forced close");
  assert.equal(clock.size, 0);
});
