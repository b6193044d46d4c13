import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import type { ServerOptions } from "../src/index.ts";
import { eventsOf, IoServer, next } from "./support/io-server.ts";
import { WireClient } from "./support/wire-client.ts";

async function start(context: TestContext, options: Partial<ServerOptions> = {}): Promise<IoServer> {
  const server = await IoServer.start(options);
  context.after(() => server.close());
  return server;
}

describe("A socket that is being disconnected", () => {
  for (const close of [false, true]) {
    test(`may be disconnected by its listeners, ${close ? "with" : "without"} the connection`, async (context) => {
      const io = await start(context);
      const { client, server } = await io.connect();
      const told: string[] = [];
      server.on("disconnecting", (reason) => {
        told.push(`disconnecting: ${reason}`);
        server.disconnect(close);
      });
      server.on("disconnect", (reason) => {
        told.push(`disconnect: ${reason}`);
        server.disconnect(close);
      });
      const gone = next(server, "disconnect");
      client.disconnect();
      await gone;
      const reason = "client namespace disconnect";
      assert.deepEqual(told, [`disconnecting: ${reason}`, `disconnect: ${reason}`]);
      assert.deepEqual([io.io.counts.sockets, io.io.of("/").sockets.size], [0, 0]);
    });
  }

  test("may be disconnected by its namespace's listeners, and is told then", async (context) => {
    const io = await start(context);
    const told: unknown[] = [];
    io.io.on("connection", (socket) => {
      socket.on("disconnect", (reason) => told.push(reason));
      socket.disconnect(true);
    });
    const client = io.open("/", { reconnection: false });
    await next(client, "disconnect");
    assert.deepEqual(told, ["server namespace disconnect"]);
    assert.equal(io.io.counts.sockets, 0);
  });

  test("is told to be gone only where it was told to be there", async (context) => {
    const io = await start(context, { maxBufferedBytes: 1 });
    let connections = 0;
    io.io.on("connection", () => connections++);
    io.io.use((socket, pass) => {
      // One byte waits for the client, and then its CONNECT.
      socket.client.conn.send("x".repeat(100));
      pass();
    });
    const client = await WireClient.connect(context, io.port);
    client.send("40");
    await client.end();
    assert.deepEqual([connections, io.io.counts.sockets, io.io.counts.ended.slow], [0, 0, 1]);
  });
});

describe("A client that asks to join a namespace again before it was let in", () => {
  test("has one socket, with its rooms, whichever is let in first", async (context) => {
    const io = await start(context, { allowEIO3: true });
    const passes: (() => void)[] = [];
    io.io.of("/slow").use((_socket, pass) => passes.push(pass));
    const client = await WireClient.connect(context, io.port, 3);
    assert.equal(await client.next(), "40");
    client.send("40/slow,");
    client.send("40/slow,");
    while (passes.length < 2) await new Promise(setImmediate);
    passes[1]?.();
    assert.equal(await client.next(), "40/slow,");
    passes[0]?.();
    io.io.of("/slow").emit("event");
    assert.equal(await client.next(), '42/slow,["event"]');
    assert.equal(io.io.counts.sockets, 2);
  });
});

describe("A client that leaves while it waits", () => {
  test("for a function that decides on its namespace brings none about", async (context) => {
    const io = await start(context, { cleanupEmptyChildNamespaces: true });
    const decisions: (() => void)[] = [];
    io.io.of((_name, _auth, decide) => decisions.push(() => decide(null, true)));
    const created: unknown[] = [];
    io.io.on("new_namespace", (namespace) => created.push(namespace.name));
    const { client, server } = await io.connect();
    const gone = next(server, "disconnect");
    io.share(client, "/mine");
    while (decisions.length === 0) await new Promise(setImmediate);
    client.io.engine.close();
    client.io.reconnection(false);
    await gone;
    decisions[0]?.();
    assert.deepEqual(created, []);
  });
});

describe("A socket in too many rooms", () => {
  test("is disconnected with its connection, and nothing is thrown where a client names the rooms", async (context) => {
    const io = await start(context, { limits: { roomsPerSocket: 3 } });
    const { client, server } = await io.connect("/", { reconnection: false });
    const other = await io.connect();
    server.on("join", (room: string) => void server.join(room));
    const gone = next(server, "disconnect");
    for (const room of ["a", "b", "b", "c"]) client.emit("join", room);
    const [reason, description] = await gone;
    assert.equal(reason, "forced server close");
    assert.match(String(description), /3 rooms \(limits\.roomsPerSocket\)/);
    assert.equal(io.io.counts.ended.rooms, 1);
    // The others join.
    await io.connect();
    const events = eventsOf(other.client);
    io.io.socketsJoin("all");
    io.io.to("all").emit("event");
    assert.deepEqual(await events.next(), ["event"]);
  });
});
