import assert from "node:assert/strict";
import type { Socket as TcpSocket } from "node:net";
import { describe, test } from "node:test";
import { type Drop, roomsByPattern } from "@sluice/hub";
import { HubServer } from "./support/hub-server.ts";
import { next } from "./support/io-server.ts";

const outboxBytes = 300_000;

/** A socket whose client's connection is not read until it is resumed. */
async function slowClient(hubServer: HubServer): ReturnType<HubServer["server"]["connect"]> {
  return hubServer.server.connect("/", { reconnection: false });
}

function tcpOf(client: unknown): TcpSocket {
  const { io } = client as { io: { engine: { transport: { ws: object } } } };
  return Reflect.get(io.engine.transport.ws, "_socket") as TcpSocket;
}

describe("A client that reads slowly", () => {
  test("is not given what the room's policy drops, and is told; the rest in order", async () => {
    const hubServer = await HubServer.start({
      rooms: roomsByPattern({ price: { slow: "latest" } }),
      limits: { outboxBytes },
    });
    const { hub, server } = hubServer;
    const { client, server: socket } = await slowClient(hubServer);
    await socket.join("price");
    const drops: Drop[] = [];
    server.io.sockets.adapter.on("drop", (id: string, drop: Drop) => {
      assert.equal(id, socket.id);
      drops.push(drop);
    });
    const tcp = tcpOf(client);
    tcp.pause();
    const content = "x".repeat(60_000);
    const got: number[] = [];
    const told: unknown[] = [];
    client.on("price", (index: number) => got.push(index));
    client.on("sluice.dropped", (what: unknown) => told.push(what));
    let sent = 0;
    while (hub.counts.dropped.slow < 3) {
      server.io.to("price").emit("price", sent++, content);
      await new Promise(setImmediate);
    }
    const last = sent - 1;
    assert.equal(hub.session(socket.id)?.isClosed, false);
    tcp.resume();
    while (got.at(-1) !== last) await next(client, "price");
    assert.ok(got.length < sent);
    assert.deepEqual(
      got,
      got.toSorted((a, b) => a - b),
    );
    const count = drops.reduce((sum, drop) => sum + drop.count, 0);
    assert.equal(count, sent - got.length);
    assert.equal(server.io.counts.dropped.slow, count);
    assert.deepEqual(told, [{ room: "price", count }]);
    await hubServer.close();
  });

  test("is disconnected where the policy is to close, and what is volatile is dropped before", async () => {
    const hubServer = await HubServer.start({ limits: { outboxBytes } });
    const { hub, server } = hubServer;
    const { client, server: socket } = await slowClient(hubServer);
    await socket.join("room");
    tcpOf(client).pause();
    const ended = new Promise<number>((resolve) => {
      hub.onDisconnect((_session, { code }) => resolve(code));
    });
    const gone = next(socket, "disconnect");
    const content = "x".repeat(60_000);
    while (socket.writable) {
      socket.emit("event", content);
      await new Promise(setImmediate);
    }
    socket.volatile.emit("event", content);
    server.io.to("room").volatile.emit("event", content);
    assert.equal(server.io.counts.dropped.volatile, 2);
    for (let index = 0; index < 20; index++) server.io.to("room").emit("event", content);
    assert.equal(await ended, 4413);
    assert.equal((await gone)[0], "forced close");
    tcpOf(client).destroy();
    await hubServer.close();
  });

  test("is given what waits for it in order, once it reads, whatever asks for an answer", async () => {
    const hubServer = await HubServer.start();
    const { hub } = hubServer;
    const { client, server: socket } = await slowClient(hubServer);
    tcpOf(client).pause();
    const content = "x".repeat(60_000);
    let sent = 0;
    while (socket.writable) {
      socket.emit("event", sent++, content);
      await new Promise(setImmediate);
    }
    const drained = new Promise((resolve) => {
      hub.onDrain(resolve);
    });
    const got: number[] = [];
    client.on("event", (index: number) => got.push(index));
    client.on("question", (answer: (count: number) => void) => answer(got.length));
    for (let index = 0; index < 3; index++) socket.emit("event", sent++, content);
    const answered = socket.emitWithAck("question");
    tcpOf(client).resume();
    assert.equal(await answered, sent);
    await drained;
    assert.deepEqual(
      got,
      Array.from({ length: sent }, (_, index) => index),
    );
    await hubServer.close();
  });
});
