import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { describe, test } from "node:test";
import { FakeClock } from "@sluice/testkit/fake-clock";
import { type EngineSession, SocketIoError } from "../src/index.ts";
import { connectClient, polled, PollingClient, startEngine, startPolling } from "./support/engine.ts";
import { Inbox } from "./support/inbox.ts";

describe("a session that the server closes", () => {
  test("has its poll answered with what was sent, and the next one with the end", async (context) => {
    const { client, session, ended } = await startPolling(context);
    const poll = client.poll();
    await polled(session);
    session.send("last");
    session.close();
    assert.equal(session.readyState, "closing");
    assert.equal(session.send("never"), false);
    // Stock clients hand on what they got in a later tick: what came with the end they would drop.
    assert.equal(await poll, "4last");
    assert.equal(ended.size, 0);
    assert.equal(await client.poll(), "1");
    assert.equal((await ended.next()).reason, "forced close");
    assert.equal(session.readyState, "closed");
    assert.equal((await client.get()).status, 400);
  });

  test("waits for the next poll where none waits, but not for ever", async (context) => {
    const clock = new FakeClock();
    const { url, opened, ended } = await startEngine(context, { clock, pingInterval: 1e6 });
    const [one, other] = [new PollingClient(url), new PollingClient(url)];
    for (const client of [one, other]) {
      await client.open();
      const session = await opened.next();
      session.send("last");
      session.close();
    }
    assert.equal(await one.poll(), "4last");
    assert.equal(await one.poll(), "1");
    assert.equal((await ended.next()).reason, "forced close");
    clock.advance(29_999);
    assert.equal(ended.size, 0);
    clock.advance(1);
    const { session, reason } = await ended.next();
    assert.deepEqual([session.id, reason], [other.sid, "forced close"]);
  });

  test("ends when its client closes it meanwhile", async (context) => {
    const { client, session, ended } = await startPolling(context);
    session.close();
    assert.equal(await (await client.post("1")).text(), "ok");
    assert.equal((await ended.next()).reason, "transport close");
  });

  test("ends at once where what was sent does not matter", async (context) => {
    const { session, ended, engine } = await startPolling(context);
    session.send("lost");
    session.close(true);
    assert.equal((await ended.next()).reason, "forced close");
    assert.equal(engine.clientsCount, 0);
  });

  test("is closed with all others by the engine", async (context) => {
    const { client, session, ended, engine, url } = await startPolling(context);
    const poll = client.poll();
    await polled(session);
    const socket = await connectClient(`${url}?EIO=4&transport=websocket`);
    engine.close();
    assert.deepEqual(
      [(await ended.next()).reason, (await ended.next()).reason],
      ["forced close", "forced close"],
    );
    assert.equal(await poll, "1");
    await socket.closed.next();
  });
});

describe("a client that reads too slowly", () => {
  const text = "a".repeat(40_000);

  test("is closed at maxBufferedBytes, with the reason", async (context) => {
    const { url, opened, ended } = await startEngine(context, { maxBufferedBytes: 100_000 });
    await new PollingClient(url).open();
    const session = await opened.next();
    assert.equal(session.send(text), true);
    assert.equal(session.send(text), false);
    assert.equal(session.bufferedBytes, 80_128);
    assert.equal(session.send(text), false);
    assert.equal(session.readyState, "open");
    assert.equal(session.send(text), false);
    const { reason, cause } = await ended.next();
    assert.equal(reason, "transport error");
    assert.ok(cause instanceof SocketIoError);
    assert.equal(cause.code, "buffer_overflow");
    assert.match(cause.message, /100000 bytes wait for it \(maxBufferedBytes\)/);
    assert.equal(session.bufferedBytes, 0);
  });

  test("has later messages dropped instead where that is wanted, those that belong together all", async (context) => {
    const drained = new Inbox<void>();
    const dropped = new Inbox<EngineSession>();
    const { client, session } = await startPolling(
      context,
      { maxBufferedBytes: 100_000, slow: "drop" },
      { drain: () => drained.add(), drop: (each) => dropped.add(each) },
    );
    for (let index = 0; index < 3; index++) session.send(text);
    assert.equal(session.sendAll(["dropped", Buffer.of(1)]), false);
    assert.deepEqual([await dropped.next(), dropped.size], [session, 0]);
    assert.equal(session.readyState, "open");
    assert.equal((await client.poll()).length, 120_005);
    await drained.next();
    session.send("next");
    assert.equal(await client.poll(), "4next");
    assert.equal(drained.size, 0);
  });

  test("is closed for many empty packets too, its own pings among them", async (context) => {
    const { url, opened, ended } = await startEngine(context, { maxBufferedBytes: 64_000 });
    for (const [query, sent] of [
      ["EIO=4", "4\x1e".repeat(1000)],
      ["EIO=3", "1:2".repeat(1001)],
    ] as const) {
      const client = new PollingClient(url, query);
      await client.open();
      await opened.next();
      await (await client.post(`${sent}${query === "EIO=4" ? "4" : ""}`)).text();
      const { cause } = await ended.next();
      assert.ok(cause instanceof SocketIoError && cause.code === "buffer_overflow", query);
    }
  });

  test("is told of on a WebSocket too, and drained when it reads on", async (context) => {
    const drained = new Inbox<void>();
    const { port, opened, ended, url } = await startEngine(
      context,
      { maxBufferedBytes: 4_000_000 },
      { drain: () => drained.add() },
    );
    const socket = connect(port, "127.0.0.1");
    socket.write(
      "GET /engine.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n" +
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
    );
    await once(socket, "readable");
    const session = await opened.next();
    socket.pause();
    while (session.send(text)) await new Promise(setImmediate);
    assert.equal(session.writable, false);
    assert.ok(session.bufferedBytes > 0);
    socket.resume();
    await drained.next();
    assert.equal(session.writable, true);
    socket.pause();
    while (session.readyState === "open") {
      session.send(text);
      await new Promise(setImmediate);
    }
    const { reason, cause } = await ended.next();
    assert.equal(reason, "transport error");
    assert.ok(cause instanceof SocketIoError && cause.code === "buffer_overflow");
    socket.destroy();
    await new PollingClient(url).open();
  });
});

describe("a session", () => {
  test("keeps of its request what was in it", async (context) => {
    const { port, opened } = await startEngine(context);
    const before = Date.now();
    const target = `http://127.0.0.1:${port}/engine.io/?EIO=4&transport=polling&token=a%20b&__proto__=x`;
    await (await fetch(target, { headers: { "X-Name": "ada", Cookie: "a=1; b=2" } })).text();
    const { handshake, remoteAddress } = await opened.next();
    assert.equal(handshake.headers["x-name"], "ada");
    assert.equal(handshake.headers.cookie, "a=1; b=2");
    assert.equal(handshake.query.token, "a b");
    assert.equal(Object.getPrototypeOf(handshake.query), null);
    assert.equal(handshake.query["__proto__"], "x");
    assert.equal(handshake.url, "/engine.io/?EIO=4&transport=polling&token=a%20b&__proto__=x");
    assert.equal(handshake.address, "127.0.0.1");
    assert.equal(remoteAddress, "127.0.0.1");
    assert.equal(handshake.secure, false);
    assert.ok(handshake.issued >= before && handshake.issued <= Date.now());
  });

  test("tells whoever listens of its packets, and no more when asked not to", async (context) => {
    const { client, session } = await startPolling(context);
    const seen: unknown[] = [];
    const onMessage = (data: unknown): void => void seen.push(["message", data]);
    session.on("packet", (packet) => seen.push(["packet", packet]));
    session.on("packetCreate", (packet) => seen.push(["create", packet]));
    session.on("message", onMessage);
    session.once("drain", () => seen.push("drain"));
    session.on("close", (reason) => seen.push(reason));
    await client.post("4a");
    await client.poll();
    session.off("message", onMessage);
    await client.post("6\x1e1");
    assert.deepEqual(seen, [
      ["packet", { type: "message", data: "a" }],
      ["create", { type: "message", data: "a", options: { compress: true } }],
      ["message", "a"],
      "drain",
      ["packet", { type: "noop", data: "" }],
      ["packet", { type: "close", data: "" }],
      "transport close",
    ]);
  });

  test("is writable where a message would leave at once, with nothing before it", async (context) => {
    const { url, opened } = await startEngine(context);
    const { messages } = await connectClient(`${url}?EIO=4&transport=websocket`);
    await messages.next();
    const client = new PollingClient(url);
    await client.open();
    const sessions = [await opened.next(), await opened.next()];
    const poll = client.poll();
    for (const session of sessions) {
      await polled(session);
      session.send("one");
      assert.equal(session.writable, false);
    }
    await Promise.all([messages.next(), poll]);
    assert.deepEqual(
      sessions.map(({ writable }) => writable),
      [true, false],
    );
  });

  test("is told of by the engine, and may be sent to at once", async (context) => {
    const { url, engine } = await startEngine(context);
    engine.on("connection", (session) => void session.send("welcome"));
    const { messages } = await connectClient(`${url}?EIO=4&transport=websocket`);
    await messages.next();
    assert.equal(await messages.next(), "4welcome");
    const client = new PollingClient(url);
    await client.open();
    assert.equal(await client.poll(), "4welcome");
  });

  test("may be closed by the handler of its messages, and hears nothing after", async (context) => {
    const heard: unknown[] = [];
    const { url, ended } = await startEngine(
      context,
      {},
      {
        message: (session, data) => {
          heard.push(data);
          session.close(true);
        },
      },
    );
    const client = new PollingClient(url);
    await client.open();
    assert.equal((await client.post("4a\x1e4b")).status, 200);
    await ended.next();
    assert.deepEqual(heard, ["a"]);
  });
});
