import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FakeClock } from "@sluice/testkit/fake-clock";
import type { EngineSession } from "../src/index.ts";
import { connectClient, PollingClient, startEngine, startPolling } from "./support/engine.ts";
import { Inbox } from "./support/inbox.ts";

/** Handlers that keep what comes. */
function keeping(got: Inbox<string>): { message(session: EngineSession, data: string | Buffer): void } {
  return { message: (_session, data) => got.add(data.toString()) };
}

describe("a session that is paused", () => {
  test("is not read on a WebSocket until all who paused it have resumed", async (context) => {
    const got = new Inbox<string>();
    const { url, opened } = await startEngine(context, {}, keeping(got));
    const { connection } = await connectClient(`${url}?EIO=4&transport=websocket`);
    const other = await connectClient(`${url}?EIO=4&transport=websocket`);
    const session = await opened.next();
    const [one, two] = [{}, {}];
    session.pause(one);
    session.pause(two);
    session.pause(two);
    connection.sendText(Buffer.from("4first"));
    // Another client's message goes round meanwhile.
    other.connection.sendText(Buffer.from("4other"));
    assert.equal(await got.next(), "other");
    session.resume(one);
    session.resume(one);
    other.connection.sendText(Buffer.from("4again"));
    assert.equal(await got.next(), "again");
    session.resume(two);
    assert.equal(await got.next(), "first");
  });

  test("has its POST answered only when it is resumed, and no other taken before", async (context) => {
    const got = new Inbox<string>();
    const { client, session } = await startPolling(context, {}, keeping(got));
    const reason = {};
    session.pause(reason);
    let isAnswered = false;
    const answer = client.post("4first").finally(() => {
      isAnswered = true;
    });
    assert.equal(await got.next(), "first");
    const poll = client.poll();
    session.send("still sent");
    assert.equal(await poll, "4still sent");
    assert.equal(isAnswered, false);
    session.resume(reason);
    assert.equal((await answer).status, 200);
    assert.equal((await client.post("4second")).status, 200);
    assert.equal(await got.next(), "second");
  });

  test("ends as others do, with its POST answered", async (context) => {
    const got = new Inbox<string>();
    const { client, session, ended } = await startPolling(context, {}, keeping(got));
    session.pause({});
    const answer = client.post("4first");
    await got.next();
    session.close(true);
    assert.equal((await answer).status, 400);
    assert.equal((await ended.next()).reason, "forced close");
    session.pause({});
    session.resume({});
  });

  test("closes a WebSocket as it should be", async (context) => {
    const { url, opened } = await startEngine(context);
    const { closed } = await connectClient(`${url}?EIO=4&transport=websocket`);
    const session = await opened.next();
    session.pause({});
    session.close();
    const { code, clean } = await closed.next();
    assert.deepEqual([code, clean], [1000, true]);
  });

  test("is not taken for lost, and is asked again once it is resumed", async (context) => {
    const clock = new FakeClock();
    const { url, opened, ended } = await startEngine(context, {
      clock,
      pingInterval: 1000,
      pingTimeout: 500,
    });
    const sessions: EngineSession[] = [];
    for (const revision of [3, 4]) {
      await connectClient(`${url}?EIO=${revision}&transport=websocket`);
      sessions.push(await opened.next());
    }
    const reason = {};
    for (const session of sessions) session.pause(reason);
    clock.advance(10_000);
    assert.equal(ended.size, 0);
    for (const session of sessions) session.resume(reason);
    clock.advance(1499);
    assert.equal(ended.size, 0);
    clock.advance(1);
    assert.deepEqual(
      [(await ended.next()).reason, (await ended.next()).reason],
      ["ping timeout", "ping timeout"],
    );
  });

  test("stays paused when it moves to a WebSocket", async (context) => {
    const got = new Inbox<string>();
    const { url, opened } = await startEngine(context, {}, keeping(got));
    const client = new PollingClient(url);
    await client.open();
    const session = await opened.next();
    const { connection, messages } = await connectClient(client.target("websocket"));
    connection.sendText(Buffer.from("2probe"));
    assert.equal(await messages.next(), "3probe");
    const reason = {};
    session.pause(reason);
    const upgraded = new Promise((resolve) => {
      session.once("upgrade", resolve);
    });
    connection.sendText(Buffer.from("5"));
    await upgraded;
    connection.sendText(Buffer.from("4on the WebSocket"));
    const other = await connectClient(`${url}?EIO=4&transport=websocket`);
    other.connection.sendText(Buffer.from("4other"));
    assert.equal(await got.next(), "other");
    session.resume(reason);
    assert.equal(await got.next(), "on the WebSocket");
  });
});
