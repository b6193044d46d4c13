import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { describe, test } from "node:test";
import { Server } from "../src/index.ts";
import { eventsOf, eventsUntil, IoServer, next } from "./support/io-server.ts";

describe("what is done on a server", () => {
  test("is done on its namespace /", async (context) => {
    const server = await IoServer.start();
    context.after(() => server.close());
    const { io } = server;
    const one = await server.connect();
    const two = await server.connect();
    await one.server.join("room");
    const [toOne, toTwo] = [eventsOf(one.client), eventsOf(two.client)];
    // What is volatile is taken where nothing waits.
    io.volatile.emit("volatile");
    io.emit("all", 1);
    io.send("a message");
    io.write("another");
    io.to("room").emit("to");
    io.in("room").emit("in");
    io.except("room").emit("except");
    io.local.emit("local");
    io.compress(false).emit("compress");
    io.emit("end");
    const common = [["volatile"], ["all", 1], ["message", "a message"], ["message", "another"]];
    const last = [["local"], ["compress"]];
    assert.deepEqual(await eventsUntil(toOne, "end"), [...common, ["to"], ["in"], ...last]);
    assert.deepEqual(await eventsUntil(toTwo, "end"), [...common, ["except"], ...last]);
  });

  test("is asked of all its sockets", async (context) => {
    const server = await IoServer.start();
    context.after(() => server.close());
    const { io } = server;
    const one = await server.connect();
    const two = await server.connect();
    for (const { client } of [one, two])
      client.on("ask", (answer: (id?: string) => void) => answer(client.id));
    const ids = [one.server.id, two.server.id];
    const answers = (await io.timeout(5000).emitWithAck("ask")) as string[];
    assert.deepEqual(answers.toSorted(), ids.toSorted());
    assert.deepEqual(
      (await io.fetchSockets()).map(({ id }) => id),
      ids,
    );
    assert.deepEqual([...(await io.allSockets())], ids);
    io.socketsJoin("room");
    assert.deepEqual([...(io.sockets.adapter.rooms.get("room") ?? [])], ids);
    io.socketsLeave(["room"]);
    assert.equal(io.sockets.adapter.rooms.has("room"), false);
    const ends = Promise.all([next(one.client, "disconnect"), next(two.client, "disconnect")]);
    io.disconnectSockets();
    assert.deepEqual(
      await ends,
      [["io server disconnect"], ["io server disconnect"]].map((end) => [...end, undefined]),
    );
  });

  test("is asked of other servers, of which there is none", async () => {
    const io = new Server();
    assert.equal(io.serverSideEmit("hello", 1), true);
    assert.deepEqual(await io.serverSideEmitWithAck("hello"), []);
    assert.throws(() => io.serverSideEmit("connection"), /"connection" is a reserved event name/);
  });
});

describe("the listeners of a server", () => {
  test("are those of its namespace /", () => {
    const io = new Server();
    const called: unknown[] = [];
    const listener = (value: unknown): void => void called.push(value);
    assert.equal(io.on("connection", listener), io);
    io.prependListener("connection", listener);
    assert.deepEqual(io.sockets.listeners("connection"), [listener, listener]);
    assert.deepEqual(io.listeners("connection"), [listener, listener]);
    assert.equal(io.listenerCount("connection"), 2);
    assert.deepEqual(io.eventNames(), ["connection"]);
    EventEmitter.prototype.emit.call(io.sockets, "connection", 1);
    assert.deepEqual(called, [1, 1]);
    io.off("connection", listener).removeAllListeners("connection");
    assert.equal(io.sockets.listenerCount("connection"), 0);
    assert.ok(io instanceof EventEmitter);
  });

  test("are called with what other servers emit", () => {
    const io = new Server();
    const called: unknown[] = [];
    io.on("told", (...args: unknown[]) => called.push(args));
    // oxlint-disable-next-line no-underscore-dangle -- What adapters call.
    io.sockets._onServerSideEmit(["told", 1, 2]);
    assert.deepEqual(called, [[1, 2]]);
  });
});
