import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { type ServerOptions, SocketIoError } from "../src/index.ts";
import { Inbox } from "./support/inbox.ts";
import { type Ends, eventsOf, IoServer, next } from "./support/io-server.ts";

async function start(
  context: TestContext,
  options: Partial<ServerOptions> = {},
): Promise<Ends & { io: IoServer }> {
  const io = await IoServer.start(options);
  context.after(() => io.close());
  return { ...(await io.connect()), io };
}

describe("an event of a client", () => {
  test("is its listeners', in order, with its arguments and the socket as `this`", async (context) => {
    const { client, server } = await start(context);
    const heard = new Inbox<unknown[]>();
    server.on("event", function (this: unknown, ...args) {
      heard.add([this === server, ...args]);
    });
    server.prependListener("event", (...args) => heard.add(["first", ...args]));
    client.emit("event", 1, "two", { three: [Buffer.from([3])] });
    const args = [1, "two", { three: [Buffer.from([3])] }];
    assert.deepEqual(await heard.next(), ["first", ...args]);
    assert.deepEqual(await heard.next(), [true, ...args]);
  });

  test("can have a number for a name", async (context) => {
    const { client, server } = await start(context);
    const heard = next(server, "7");
    client.io.engine.write('2[7,"seven"]');
    assert.deepEqual(await heard, ["seven"]);
  });

  test("comes before the listeners to those who listen to all", async (context) => {
    const { client, server } = await start(context);
    const heard = new Inbox<unknown[]>();
    const second = (...args: unknown[]): void => heard.add(["second", ...args]);
    server.onAny(second);
    server.prependAny((...args) => heard.add(["first", ...args]));
    server.on("event", (...args) => heard.add(["listener", ...args]));
    client.emit("event", 1);
    assert.deepEqual(await heard.next(), ["first", "event", 1]);
    assert.deepEqual(await heard.next(), ["second", "event", 1]);
    assert.deepEqual(await heard.next(), ["listener", 1]);
    assert.equal(server.listenersAny().length, 2);
    assert.equal(server.offAny(second), server);
    assert.equal(server.listenersAny().length, 1);
    client.emit("event", 2);
    assert.deepEqual(await heard.next(), ["first", "event", 2]);
    assert.deepEqual(await heard.next(), ["listener", 2]);
    server.offAny(second).offAny();
    client.emit("event", 3);
    assert.deepEqual(await heard.next(), ["listener", 3]);
  });

  test("passes the middlewares in turn, which may change it, take their time, or keep it", async (context) => {
    const { client, server } = await start(context);
    const errors = new Inbox<unknown>();
    server.on("error", (error) => errors.add(error.message));
    server.use((event, pass) => {
      event.push("changed");
      setImmediate(pass);
    });
    server.use(([, what], pass) => {
      pass(what === "refused" ? new Error("no") : undefined);
      pass();
    });
    server.use(([, what], pass) => {
      if (what !== "kept") pass();
    });
    const heard = new Inbox<unknown[]>();
    server.on("event", (...args) => heard.add(args));
    client.emit("event", "kept");
    client.emit("event", "refused");
    client.emit("event", "good");
    assert.deepEqual(await heard.next(), ["good", "changed"]);
    assert.equal(await errors.next(), "no");
    assert.deepEqual([heard.size, errors.size], [0, 0]);
  });

  test("that a middleware refuses ends nothing where nobody listens to `error`", async (context) => {
    const { client, server } = await start(context);
    server.use(([name], pass) => pass(name === "bad" ? new Error("no") : undefined));
    client.emit("bad");
    client.emit("good");
    await next(server, "good");
    assert.equal(server.connected, true);
  });

  test("reaches nobody behind a middleware that was slower than the client's leaving", async (context) => {
    const { client, server } = await start(context);
    let proceed: (() => void) | undefined;
    server.use((_event, pass) => {
      proceed = pass;
    });
    server.on("event", () => assert.fail("the client has left"));
    client.emit("event");
    client.disconnect();
    await next(server, "disconnect");
    proceed?.();
  });
});

describe("what is sent", () => {
  test("is told to those who listen to all of it, with broadcasts and without answers", async (context) => {
    const { client, server, io } = await start(context);
    const told: unknown[][] = [];
    const second = (...args: unknown[]): void => void told.push(["second", ...args]);
    server.onAnyOutgoing(second);
    server.prependAnyOutgoing((...args) => told.push(["first", ...args]));
    server.on("ask", (answer: () => void) => answer());
    server.emit("direct", 1, () => {});
    io.io.emit("broadcast", 2);
    await client.emitWithAck("ask");
    server.offAnyOutgoing(second).emit("last");
    assert.deepEqual(told, [
      ["first", "direct", 1],
      ["second", "direct", 1],
      ["first", "broadcast", 2],
      ["second", "broadcast", 2],
      ["first", "last"],
    ]);
    server.offAnyOutgoing();
    assert.deepEqual(server.listenersAnyOutgoing(), []);
  });
});

describe("a socket", () => {
  test("knows how its client came, and what it said", async (context) => {
    const io = await IoServer.start();
    context.after(() => io.close());
    const { server } = await io.connect("/", { auth: { token: "t" }, query: { room: "r" } });
    const { handshake } = server;
    assert.equal(server.handshake, handshake);
    assert.deepEqual([handshake.auth, handshake.query.room], [{ token: "t" }, "r"]);
    assert.match(handshake.url, /^\/socket\.io\/\?/);
    assert.equal(server.request.headers["sec-websocket-version"], "13");
    assert.equal(server.conn.transport.name, "websocket");
    assert.match(server.id, /^[\w-]{20}$/);
    assert.notEqual(server.id, server.conn.id);
    assert.equal(server.recovered, false);
  });

  test("is in its rooms until it is disconnected, and joins none after", async (context) => {
    const { client, server, io } = await start(context);
    const rooms: string[][] = [];
    server.join(["a", "b"]);
    server.leave("b");
    server.on("disconnecting", (reason) => rooms.push([reason, ...server.rooms]));
    server.on("disconnect", (reason) => rooms.push([reason, ...server.rooms]));
    assert.deepEqual([server.connected, server.disconnected], [true, false]);
    client.disconnect();
    await next(server, "disconnect");
    const reason = "client namespace disconnect";
    assert.deepEqual(rooms, [[reason, server.id, "a"], [reason]]);
    assert.deepEqual([server.connected, server.disconnected], [false, true]);
    server.join("c");
    assert.deepEqual([...server.rooms, ...io.io.of("/").adapter.rooms.keys()], []);
    assert.equal(server.disconnect(), server);
  });

  test("can leave all rooms, its own among them, and stay connected", async (context) => {
    const { client, server, io } = await start(context);
    server.join(["a", "b"]);
    server.leaveAll();
    assert.deepEqual([...server.rooms], []);
    io.io.to(["a", server.id]).emit("event");
    server.emit("last");
    const came = eventsOf(client);
    assert.deepEqual(await came.next(), ["last"]);
  });

  test("is in no more rooms than the limit", async (context) => {
    const { server } = await start(context, { limits: { roomsPerSocket: 3 } });
    server.join(["a", "b"]);
    server.join("a");
    assert.deepEqual([...server.rooms], [server.id, "a", "b"]);
    const gone = next(server, "disconnect");
    server.join(["b", "c"]);
    const [, error] = await gone;
    assert.ok(error instanceof SocketIoError);
    assert.equal(error.code, "limit_exceeded");
    assert.match(error.message, /3 rooms \(limits\.roomsPerSocket\)/);
  });

  test("is disconnected alone, or with the connection and all its sockets", async (context) => {
    const { client, server, io } = await start(context);
    io.io.of("/other");
    const other = io.share(client, "/other");
    await next(other, "connect");
    const otherEnd = io.otherEnd(other, "/other");
    const left = next(client, "disconnect");
    server.disconnect();
    assert.deepEqual([(await left)[0], otherEnd.connected], ["io server disconnect", true]);
    const reasons = [next(otherEnd, "disconnect"), next(other, "disconnect")];
    otherEnd.disconnect(true);
    const told = await Promise.all(reasons);
    assert.deepEqual(
      told.map(([reason]) => reason),
      ["server namespace disconnect", "io server disconnect"],
    );
  });

  for (const transport of ["polling", "websocket"]) {
    test(`says by ${transport} whether to go on, how much waits, and when to`, async (context) => {
      const io = await IoServer.start();
      context.after(() => io.close());
      const { client, server } = await io.connect("/", { transports: [transport], upgrade: false });
      const came = eventsOf(client);
      server.emit("little");
      assert.equal(server.writable, true);
      let sent = 1;
      for (const message = "x".repeat(1000); server.writable; sent++) server.emit("much", message);
      assert.ok(server.bufferedBytes > 10_000 && sent > 10);
      await next(server, "drain");
      assert.equal(server.writable, true);
      while (sent-- > 0) await came.next();
      server.disconnect();
      assert.equal(server.writable, false);
    });
  }
});
