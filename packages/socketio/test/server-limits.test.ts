import assert from "node:assert/strict";
import { describe, test, type TestContext } from "node:test";
import { FakeClock } from "@sluice/testkit/fake-clock";
import type { ServerOptions, SocketIoError } from "../src/index.ts";
import { PollingClient } from "./support/engine.ts";
import { IoServer, next } from "./support/io-server.ts";
import { WireClient } from "./support/wire-client.ts";

async function start(context: TestContext, options: Partial<ServerOptions>): Promise<IoServer> {
  const server = await IoServer.start(options);
  context.after(() => server.close());
  return server;
}

describe("a server's limits", () => {
  test("hold for connections", async (context) => {
    const { io, port } = await start(context, { limits: { connections: 1 } });
    await WireClient.connect(context, port);
    await assert.rejects(WireClient.connect(context, port), { status: 503 });
    assert.deepEqual([io.counts.connections, io.counts.refused.connections], [1, 1]);
  });

  test("hold for connections of one address", async (context) => {
    const { io, port } = await start(context, { limits: { connectionsPerAddress: 1 } });
    await WireClient.connect(context, port);
    await assert.rejects(WireClient.connect(context, port), { status: 503 });
    assert.equal(io.counts.refused.connectionsPerAddress, 1);
  });

  test("hold for namespaces of one connection, those that it waits for among them", async (context) => {
    const { io, port } = await start(context, { limits: { namespacesPerConnection: 2 } });
    io.of("/slow").use(() => {});
    io.of(/^\/other/);
    const client = await WireClient.join(context, port);
    client.send("40/slow", "40/other");
    const message = "a connection has at most 2 namespaces (limits.namespacesPerConnection)";
    assert.equal(await client.next(), `44/other,${JSON.stringify({ message })}`);
    assert.equal(io.counts.refused.namespacesPerConnection, 1);
    client.send("41", "40/other");
    assert.match(String(await client.next()), /^40\/other,\{"sid":/);
  });

  test("hold for the time until a namespace is joined", async (context) => {
    const clock = new FakeClock();
    const { io, port } = await start(context, { clock, connectTimeout: 1000 });
    await WireClient.join(context, port);
    const idle = await WireClient.connect(context, port);
    clock.advance(999);
    assert.equal(io.counts.connections, 2);
    clock.advance(1);
    const reason = "no namespace was joined within 1000 ms (connectTimeout)";
    assert.deepEqual(await idle.end(), { code: 1008, reason });
    assert.deepEqual([io.counts.connections, io.counts.ended.idle], [1, 1]);
  });

  test("hold for the time until a namespace is joined as it was set when the client came", async (context) => {
    const clock = new FakeClock();
    const { io, port } = await start(context, { clock, connectTimeout: 1000 });
    const before = await WireClient.connect(context, port);
    io.connectTimeout(10);
    const after = await WireClient.connect(context, port);
    clock.advance(10);
    await after.end();
    assert.equal(io.counts.connections, 1);
    clock.advance(990);
    await before.end();
  });

  test("drop what a slow client is sent, where that is wanted, and count it", async (context) => {
    const { io, port } = await start(context, { maxBufferedBytes: 100_000, slow: "drop" });
    const polling = new PollingClient(`http://127.0.0.1:${port}/socket.io/`);
    await polling.open();
    await polling.post("40");
    await polling.poll();
    const [socket] = [...io.sockets.sockets.values()];
    assert.ok(socket);
    for (let index = 0; index < 4; index++) io.emit("part", "a".repeat(60_000));
    socket.emit("more");
    assert.equal(io.counts.dropped.slow, 3);
    assert.equal(socket.connected, true);
    assert.equal((await polling.poll()).split("\x1e").length, 2);
  });

  test("on messages are told to client and server", async (context) => {
    const { io, port } = await start(context, { maxHttpBufferSize: 100 });
    const connection = next(io, "connection");
    const client = await WireClient.join(context, port);
    const [socket] = (await connection) as [Parameters<typeof next>[0]];
    const end = next(socket, "disconnect");
    client.send(`42${JSON.stringify(["a", "a".repeat(100)])}`);
    const [reason, description] = (await end) as [string, SocketIoError];
    assert.equal(reason, "transport error");
    assert.equal(description.code, "payload_too_large");
    assert.equal(description.message, "a message has at most 100 bytes (maxHttpBufferSize)");
    assert.deepEqual(await client.end(), { code: 1009, reason: "a message is larger than 100 bytes" });
  });
});
