import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { FakeClock } from "@sluice/testkit/fake-clock";
import { SocketIoError } from "../src/index.ts";
import { SocketExpiry } from "../src/server/socket-expiry.ts";
import { type Ends, IoServer, next } from "./support/io-server.ts";

async function start(context: TestContext): Promise<Ends & { io: IoServer; clock: FakeClock }> {
  const clock = new FakeClock();
  const io = await IoServer.start({ clock, pingInterval: 1e9 });
  context.after(() => io.close());
  return { ...(await io.connect()), io, clock };
}

/** So that the time between two calls of Date.now() is no matter. */
const aMinute = 60_000;

describe("what a client was let in for", () => {
  test("is over at `expiresAt`: the connection is closed, and the client connects anew", async (context) => {
    const { client, server, clock, io } = await start(context);
    const told: string[] = [];
    server.on("expired", () => told.push("expired"));
    server.expiresAt = Date.now() + aMinute;
    clock.advance(aMinute - 1000);
    assert.equal(server.connected, true);
    const disconnected = next(server, "disconnect");
    const lost = next(client, "disconnect");
    clock.advance(1000);
    const [reason, description] = await disconnected;
    assert.equal(reason, "forced server close");
    assert.ok(description instanceof SocketIoError);
    assert.deepEqual([description.code, told, io.io.counts.ended.expired], ["auth_expired", ["expired"], 1]);
    const [clientsReason, details] = await lost;
    assert.equal(clientsReason, "transport close");
    assert.match((details as { context: { reason: string } }).context.reason, /expired/);
    await next(client, "connect");
    assert.equal(io.otherEnd(client).expiresAt, undefined);
  });

  test("goes on where a listener sets a later time", async (context) => {
    const { server, clock } = await start(context);
    let times = 0;
    server.on("expired", () => {
      server.expiresAt = Date.now() + aMinute;
      times++;
    });
    server.expiresAt = Date.now() - 1;
    clock.advance(0);
    assert.deepEqual([times, server.connected], [1, true]);
    clock.advance(aMinute);
    assert.deepEqual([times, server.connected], [2, true]);
    server.expiresAt = undefined;
    clock.advance(1000 * aMinute);
    assert.deepEqual([times, server.connected, server.expiresAt], [2, true, undefined]);
  });

  test("can be said in a middleware, and ends with the socket", async (context) => {
    const { io, clock, client: first } = await start(context);
    first.disconnect();
    io.io.use((socket, pass) => {
      socket.expiresAt = Date.now() + aMinute;
      pass();
    });
    const { server } = await io.connect();
    const waiting = clock.size;
    assert.ok(server.expiresAt! > Date.now());
    server.on("expired", () => assert.fail("it is disconnected"));
    server.disconnect();
    assert.ok(clock.size < waiting);
    server.expiresAt = 0;
    clock.advance(aMinute);
    assert.equal(server.expiresAt, undefined);
  });

  test("refuses the client where it is not a number, such as of a claim that is missing", async (context) => {
    const { io } = await start(context);
    io.io.of("/strict").use((socket, pass) => {
      socket.expiresAt = Number(socket.handshake.auth.exp) * 1000;
      pass();
    });
    const [error] = await next(io.open("/strict"), "connect_error");
    assert.match(String(error), /expiresAt is NaN/);
  });

  test("is not for the client to say", async (context) => {
    const { client, server } = await start(context);
    let times = 0;
    server.on("expired", () => times++);
    client.emit("expired");
    client.emit("now");
    await next(server, "now");
    // Without an expiry it is an event like any other.
    assert.equal(times, 1);
    server.expiresAt = Date.now() + aMinute;
    client.emit("expired");
    client.emit("now");
    await next(server, "now");
    assert.equal(times, 1);
  });

  test("is looked at once an hour, for the time may be set", () => {
    const clock = new FakeClock();
    let times = 0;
    const expiry = new SocketExpiry(Date.now() + 3 * 60 * aMinute, clock, () => times++);
    // It looks at the time once an hour.
    assert.ok(clock.pending[0]! <= 60 * aMinute);
    clock.advance(60 * aMinute);
    assert.deepEqual([times, clock.size], [0, 1]);
    expiry.cancel();
    assert.equal(clock.size, 0);
  });
});
