import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { FakeClock } from "@sluice/testkit/fake-clock";
import type { ServerOptions } from "../src/index.ts";
import { Inbox } from "./support/inbox.ts";
import { type Ends, eventsOf, IoServer, next } from "./support/io-server.ts";

async function start(context: TestContext, options: Partial<ServerOptions> = {}): Promise<IoServer> {
  const server = await IoServer.start({ connectionStateRecovery: {}, ...options });
  context.after(() => server.close());
  return server;
}

/** Cuts a client's connection; it comes back by itself. Resolves when the server knows. */
async function cut({ client, server }: Ends): Promise<void> {
  const lost = next(server, "disconnect");
  client.io.engine.close();
  await lost;
}

async function returned(server: IoServer, client: Ends["client"]): Promise<Ends> {
  await next(client, "connect");
  return { client, server: server.otherEnd(client) };
}

/** Event names without their offsets. */
async function names(inbox: ReturnType<typeof eventsOf>, count: number): Promise<unknown[]> {
  const events: unknown[] = [];
  while (events.length < count) events.push((await inbox.next())[0]);
  return events;
}

describe("a client whose connection is lost", () => {
  test("is recovered before it had an event, and whenever it is lost again", async (context) => {
    const server = await start(context);
    let ends = await server.connect();
    const { id } = ends.server;
    const inbox = eventsOf(ends.client);
    ends.server.data.name = "ann";
    await ends.server.join("tea");
    for (let time = 0; time < 3; time++) {
      const back = next(ends.client, "connect");
      await cut(ends);
      server.io.to("tea").emit(`missed ${time}`, Buffer.from([time]));
      await back;
      ends = { client: ends.client, server: server.otherEnd(ends.client) };
      assert.equal(ends.client.recovered, true);
      assert.equal(ends.server.recovered, true);
      assert.equal(ends.client.id, id);
      assert.deepEqual(ends.server.data, { name: "ann" });
      assert.deepEqual(ends.server.rooms, new Set([id, "tea"]));
      assert.deepEqual((await inbox.next()).slice(0, 2), [`missed ${time}`, Buffer.from([time])]);
    }
    assert.equal(server.io.counts.recovered, 3);
  });

  test("has what was emitted to it alone", async (context) => {
    const server = await start(context);
    const ends = await server.connect();
    const inbox = eventsOf(ends.client);
    ends.server.emit("one");
    await cut(ends);
    server.io.to(ends.server.id).emit("two");
    await returned(server, ends.client);
    server.io.emit("three");
    assert.deepEqual(await names(inbox, 3), ["one", "two", "three"]);
  });

  test("is recovered behind a text that may be lost, which is not taken for an offset", async (context) => {
    const server = await start(context);
    const ends = await server.connect();
    const inbox = eventsOf(ends.client);
    server.io.emit("kept");
    assert.deepEqual(await names(inbox, 1), ["kept"]);
    server.io.volatile.emit("volatile to all", "text");
    assert.deepEqual(await names(inbox, 1), ["volatile to all"]);
    ends.server.volatile.emit("volatile to one", "text");
    assert.deepEqual(await names(inbox, 1), ["volatile to one"]);
    await cut(ends);
    server.io.emit("missed");
    const back = await returned(server, ends.client);
    assert.equal(back.server.recovered, true);
    assert.deepEqual(await names(inbox, 1), ["missed"]);
  });

  test("is recovered where the server does not know of the loss yet", async (context) => {
    const server = await start(context);
    const first = await server.connect();
    first.server.emit("one");
    const [, offset] = await next(first.client, "one").then((args) => ["one", ...args]);
    const { _pid: pid } = first.server;
    const gone = next(first.server, "disconnect");
    const second = await server.connect("/", { auth: { pid, offset } });
    assert.deepEqual(await gone, ["forced close", undefined]);
    assert.equal(second.server.recovered, true);
    assert.equal(second.server.id, first.server.id);
    first.client.disconnect();
  });

  test("has what was emitted while middlewares took their time", async (context) => {
    const server = await start(context, { connectionStateRecovery: { skipMiddlewares: false } });
    const asked = new Inbox<() => void>();
    server.io.use((_socket, proceed) => asked.add(proceed));
    const client = server.open();
    (await asked.next())();
    const ends = await returned(server, client);
    const inbox = eventsOf(client);
    await cut(ends);
    const proceed = await asked.next();
    server.io.emit("meanwhile");
    proceed();
    const back = await returned(server, client);
    assert.equal(back.server.recovered, true);
    assert.deepEqual(await names(inbox, 1), ["meanwhile"]);
  });

  test("begins anew where what it missed was forgotten while middlewares took their time", async (context) => {
    const connectionStateRecovery = { skipMiddlewares: false, maxPackets: 1 };
    const server = await start(context, { connectionStateRecovery });
    const asked = new Inbox<() => void>();
    server.io.use((_socket, proceed) => asked.add(proceed));
    const client = server.open();
    (await asked.next())();
    const ends = await returned(server, client);
    const inbox = eventsOf(client);
    await cut(ends);
    const proceed = await asked.next();
    server.io.emit("1");
    server.io.emit("2");
    proceed();
    (await asked.next())();
    await next(client, "connect");
    assert.equal(client.recovered, false);
    server.io.emit("3");
    assert.deepEqual(await names(inbox, 1), ["3"]);
  });

  test("passes the middlewares anew only where that is asked for", async (context) => {
    for (const [skipMiddlewares, expected] of [
      [true, 1],
      [false, 2],
    ] as const) {
      const server = await start(context, { connectionStateRecovery: { skipMiddlewares } });
      let passed = 0;
      server.io.use((_socket, proceed) => {
        passed++;
        proceed();
      });
      const ends = await server.connect();
      await cut(ends);
      await returned(server, ends.client);
      assert.equal(passed, expected);
    }
  });

  test("begins anew where its time is over, or some of what it missed is forgotten, and is told", async (context) => {
    const clock = new FakeClock();
    const server = await start(context, {
      clock,
      pingInterval: 1_000_000,
      connectionStateRecovery: { maxDisconnectionDuration: 1000, maxPackets: 1 },
    });
    const ends = await server.connect("/", { reconnection: false });
    await cut(ends);
    clock.advance(1000);
    ends.client.connect();
    const late = await returned(server, ends.client);
    assert.equal(late.client.recovered, false);
    assert.notEqual(late.server.id, ends.server.id);

    await cut(late);
    server.io.emit("1");
    server.io.emit("2");
    late.client.connect();
    const behind = await returned(server, late.client);
    assert.equal(behind.client.recovered, false);
    assert.equal(server.io.counts.recovered, 0);
  });

  test("begins anew where it left by itself, or was put out", async (context) => {
    const server = await start(context);
    const ends = await server.connect();
    const left = next(ends.server, "disconnect");
    ends.client.disconnect();
    await left;
    ends.client.connect();
    const again = await returned(server, ends.client);
    assert.equal(again.server.recovered, false);
    const out = next(again.client, "disconnect");
    again.server.disconnect();
    await out;
    again.client.connect();
    const last = await returned(server, ends.client);
    assert.equal(last.server.recovered, false);
  });

  test("begins anew with a secret or an offset that is none", async (context) => {
    const server = await start(context);
    const auths = [
      { pid: "unknown" },
      { pid: "unknown", offset: "unknown" },
      { pid: 1, offset: {} },
      { pid: "" },
      { pid: { toString: 1 }, offset: [] },
    ];
    for (const auth of auths) {
      const ends = await server.connect("/", { auth });
      assert.equal(ends.server.recovered, false);
    }
    const ends = await server.connect();
    await ends.server.join("tea");
    const { _pid: pid } = ends.server;
    const stranger = await server.connect("/", { auth: { pid: `${ends.server.id}.guess` } });
    assert.equal(stranger.server.recovered, false);
    assert.equal(ends.server.connected, true);
    const lost = next(ends.server, "disconnect");
    ends.client.io.reconnection(false);
    ends.client.io.engine.close();
    await lost;
    const wrong = await server.connect("/", { auth: { pid, offset: "0" } });
    assert.equal(wrong.server.recovered, false);
  });

  test("is recovered in each namespace that it was in", async (context) => {
    const server = await start(context);
    server.io.of("/chat");
    const main = await server.connect();
    const chat = main.client.io.socket("/chat", {});
    await next(chat, "connect");
    const [id, inbox] = [chat.id, eventsOf(chat)];
    const back = next(chat, "connect");
    await cut(main);
    server.io.of("/chat").emit("missed");
    await back;
    assert.equal(chat.recovered, true);
    assert.equal(chat.id, id);
    assert.deepEqual(await names(inbox, 1), ["missed"]);
    chat.disconnect();
  });

  test("is not let in for longer than it was before, and is asked again who it is then", async (context) => {
    const server = await start(context, { connectionStateRecovery: { skipMiddlewares: true } });
    let asked = 0;
    const hour = Date.now() + 3_600_000;
    server.io.use((socket, pass) => {
      if (asked++ === 0) socket.expiresAt = hour;
      pass();
    });
    let ends = await server.connect();
    const { id } = ends.server;
    await cut(ends);
    ends = await returned(server, ends.client);
    assert.deepEqual([ends.server.recovered, ends.server.expiresAt, asked], [true, hour, 1]);
    // While it is away.
    ends.server.on("disconnecting", () => (ends.server.expiresAt = Date.now()));
    await cut(ends);
    ends = await returned(server, ends.client);
    assert.deepEqual([ends.server.recovered, ends.client.recovered, asked], [false, false, 2]);
    assert.notEqual(ends.server.id, id);
    // While it is here.
    const lost = next(ends.server, "disconnect");
    ends.server.expiresAt = Date.now();
    await lost;
    ends = await returned(server, ends.client);
    assert.deepEqual([ends.server.recovered, ends.client.recovered, asked], [false, false, 3]);
  });
});
