import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { reservedEvents, Socket } from "../src/index.ts";
import { eventsOf, eventsUntil, IoServer, next } from "./support/io-server.ts";

describe("what a socket emits", () => {
  let server: IoServer;
  before(async () => {
    server = await IoServer.start();
  });
  after(() => server.close());

  test("comes to its client as it is: values of JSON, and bytes anywhere", async () => {
    const { client, server: socket } = await server.connect();
    const came = eventsOf(client);
    assert.equal(socket.emit("values", 1, "two", [3, { four: null }], true), true);
    socket.emit("bytes", { of: [Buffer.from([1, 2])] }, new Uint8Array([3]), new ArrayBuffer(1));
    socket.emit("nothing");
    assert.deepEqual(await came.next(), ["values", 1, "two", [3, { four: null }], true]);
    assert.deepEqual(await came.next(), [
      "bytes",
      { of: [Buffer.from([1, 2])] },
      Buffer.from([3]),
      Buffer.alloc(1),
    ]);
    assert.deepEqual(await came.next(), ["nothing"]);
  });

  test("is `message` by send() and write(), which answer the socket", async () => {
    const { client, server: socket } = await server.connect();
    const came = eventsOf(client);
    assert.equal(socket.send("one", 1).write("two"), socket);
    assert.deepEqual(await came.next(), ["message", "one", 1]);
    assert.deepEqual(await came.next(), ["message", "two"]);
  });

  test("has no name that is this side's own", async () => {
    const { server: socket } = await server.connect();
    for (const name of reservedEvents) {
      const message = `"${name}" is a reserved event name`;
      assert.throws(() => socket.emit(name), { message });
      assert.throws(() => socket.volatile.emit(name), { message });
      await assert.rejects(socket.emitWithAck(name), { message });
      assert.throws(() => socket.broadcast.emit(name), { message });
    }
  });

  test("reaches nobody once the socket is disconnected, and throws nothing", async () => {
    const { client, server: socket } = await server.connect();
    const other = server.share(client, "/other");
    server.io.of("/other");
    await next(other, "connect");
    const came = eventsOf(client);
    socket.disconnect();
    assert.equal(socket.emit("late"), true);
    server.otherEnd(other, "/other").emit("later");
    await next(other, "later");
    assert.equal(came.size, 0);
  });

  test("can be dropped where the client cannot take it at once", async () => {
    const { client, server: socket } = await server.connect("/", { transports: ["polling"], upgrade: false });
    const came = eventsOf(client);
    // The first empties the poll that waits.
    socket.emit("one");
    socket.volatile.emit("dropped");
    socket.compress(false).volatile.emit("dropped");
    socket.emit("last");
    assert.deepEqual(await eventsUntil(came, "last"), [["one"]]);
    assert.equal(server.io.counts.dropped.volatile, 2);
  });
});

describe("what a socket emits whose client is away", () => {
  test("is kept for its return, unless the client left by itself", async (context) => {
    const server = await IoServer.start({ connectionStateRecovery: {} });
    context.after(() => server.close());
    const { client, server: socket } = await server.connect();
    const came = eventsOf(client);
    const lost = next(socket, "disconnect");
    client.io.engine.close();
    await lost;
    socket.emit("missed", 1);
    await assert.rejects(socket.emitWithAck("asked"), { message: "socket has been disconnected" });
    const [name, number] = await came.next();
    assert.deepEqual([name, number, client.recovered], ["missed", 1, true]);

    const returned = server.otherEnd(client);
    client.disconnect();
    await next(returned, "disconnect");
    returned.emit("useless");
    client.connect();
    await next(client, "connect");
    server.otherEnd(client).emit("last");
    assert.deepEqual(await eventsUntil(came, "last"), []);
  });
});

describe("a modifier of a socket", () => {
  let server: IoServer;
  before(async () => {
    server = await IoServer.start();
  });
  after(() => server.close());

  test("holds for what is emitted by what it answered, each time, and for nothing else", async () => {
    const { client, server: socket } = await server.connect();
    client.on("ask", () => {});
    const patient = socket.timeout(1);
    const answers = [1, 2].map(() => assert.rejects(patient.emitWithAck("ask"), /timed out/));
    const compressed = patient.compress(true).volatile;
    answers.push(assert.rejects(compressed.emitWithAck("ask"), /timed out/));
    let isOver = false;
    void socket.emitWithAck("ask").catch(() => {
      isOver = true;
    });
    await Promise.all(answers);
    assert.equal(isOver, false);
    socket.disconnect();
  });

  test("holds for a broadcast that is made by it", async () => {
    const { server: socket } = await server.connect();
    const { client: other } = await server.connect();
    other.on("ask", (answer: (text: string) => void) => answer("here"));
    server.otherEnd(other).join("room");
    assert.deepEqual(await socket.timeout(1000).to("room").emitWithAck("ask"), ["here"]);
    assert.deepEqual(await socket.timeout(1000).broadcast.local.in("room").emitWithAck("ask"), ["here"]);
    assert.deepEqual(await socket.timeout(1000).except("room").emitWithAck("ask"), []);
  });

  test("answers what is the socket in all else", async () => {
    const { client, server: socket } = await server.connect();
    const seen = socket.volatile;
    assert.ok(seen instanceof Socket);
    const names = new Set<PropertyKey>();
    for (
      let holder: object = socket;
      holder !== Object.prototype;
      holder = Object.getPrototypeOf(holder) as object
    ) {
      for (const name of Reflect.ownKeys(holder)) names.add(name);
    }
    for (const name of names) assert.ok(name in seen, String(name));
    for (const name of [
      "id",
      "nsp",
      "client",
      "connected",
      "data",
      "handshake",
      "acks",
      "conn",
      "request",
    ] as const) {
      assert.equal(seen[name], socket[name], name);
    }
    seen.data.name = "ada";
    seen.data = { ...seen.data, visits: 1 };
    assert.deepEqual(socket.data, { name: "ada", visits: 1 });
    const heard = next(socket, "hello");
    seen.on("goodbye", () => {});
    assert.equal(socket.listenerCount("goodbye"), 1);
    client.emit("hello", 1);
    assert.deepEqual(await heard, [1]);
    await seen.join("room");
    assert.deepEqual([...socket.rooms], [socket.id, "room"]);
    seen.expiresAt = Date.now() + 1_000_000;
    assert.equal(socket.expiresAt, seen.expiresAt);
    seen.disconnect();
    assert.equal(socket.connected, false);
  });
});
