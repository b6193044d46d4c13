import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Message } from "@sluice/hub";
import { HubServer } from "./support/hub-server.ts";
import { eventsOf, eventsUntil, next } from "./support/io-server.ts";

const recovering = { connectionStateRecovery: {} };

/** Has a client lose its connection, and waits until the server knows. */
async function lose(hubServer: HubServer, client: { io: { engine: { close(): unknown } } }): Promise<void> {
  const away = new Promise((resolve) => {
    hubServer.hub.onAway(resolve);
  });
  client.io.engine.close();
  await away;
}

describe("A socket that is recovered", () => {
  test("goes on with its session: id, rooms, data, and all that it missed, in order and once, again and again", async () => {
    const hubServer = await HubServer.start({}, recovering);
    const { hub, server } = hubServer;
    const { client, server: socket } = await server.connect();
    const { id } = socket;
    socket.data.name = "ada";
    await socket.join("room");
    const session = hub.session(id);
    const events = eventsOf(client);
    socket.emit("before", "an argument");
    const [, ...before] = await events.next();
    assert.equal(before[0], "an argument");
    assert.equal(typeof before[1], "string");
    for (let turn = 0; turn < 3; turn++) {
      await lose(hubServer, client);
      assert.equal(session?.phase, "away");
      server.io.to("room").emit("event", turn, "in the room");
      await hub.publish("room", { data: "published", type: "event" });
      server.io.emit("event", turn, "to all");
      server.io.to(id).emit("event", turn, Buffer.of(turn));
      await next(client, "connect");
      const again = server.otherEnd(client);
      assert.notEqual(again, socket);
      assert.deepEqual([client.recovered, again.recovered, client.id, again.id], [true, true, id, id]);
      assert.deepEqual([again.data.name, [...again.rooms].toSorted()], ["ada", [id, "room"].toSorted()]);
      assert.equal(hub.session(id), session);
      again.emit("end");
      assert.deepEqual(
        (await eventsUntil(events, "end")).map((event) => event.slice(0, -1)),
        [
          ["event", turn, "in the room"],
          ["event", "published"],
          ["event", turn, "to all"],
          ["event", turn, Buffer.of(turn)],
        ],
      );
    }
    assert.deepEqual([hub.counts.resumed, server.io.counts.recovered], [3, 3]);
    await hubServer.close();
  });

  test("is recovered in a namespace that was removed meanwhile, as it was empty", async () => {
    const hubServer = await HubServer.start({}, { ...recovering, cleanupEmptyChildNamespaces: true });
    const { hub, server } = hubServer;
    server.io.of(/^\/room-/);
    const { client, server: socket } = await server.connect("/room-1");
    const events = eventsOf(client);
    socket.emit("event", 1);
    await events.next();
    for (let turn = 2; turn < 4; turn++) {
      await lose(hubServer, client);
      hub.session(socket.id)?.send(new Message({ data: String(turn), isJson: true, type: "event" }));
      await next(client, "connect");
      assert.equal(client.recovered, true);
      assert.equal((await events.next())[1], turn);
      // And once more with nothing new.
      await lose(hubServer, client);
      await next(client, "connect");
      assert.equal(client.recovered, true);
    }
    await hubServer.close();
  });

  test("may have heard nothing yet, and may be back before the server knows that it was gone", async () => {
    const hubServer = await HubServer.start({}, recovering);
    const { server } = hubServer;
    const { client, server: socket } = await server.connect();
    // The server's end does not hear of it.
    const events = eventsOf(client);
    await lose(hubServer, client);
    server.io.emit("event", 1);
    await next(client, "connect");
    assert.equal(client.recovered, true);
    assert.equal((await events.next())[1], 1);
    const pid: unknown = Reflect.get(client, "_pid");
    const second = server.open("/", { auth: { pid }, reconnection: false });
    const replaced = next(client, "disconnect");
    await next(second, "connect");
    await replaced;
    assert.equal(second.id, socket.id);
    await hubServer.close();
  });

  test("is asked for answers once: what nobody waits for any more is not sent again", async () => {
    const hubServer = await HubServer.start({}, recovering);
    const { server } = hubServer;
    const { client, server: socket } = await server.connect();
    const events = eventsOf(client);
    socket.emit("one");
    const asked = socket.emitWithAck("question");
    socket.emit("two");
    for (let index = 0; index < 3; index++) await events.next();
    await lose(hubServer, client);
    await assert.rejects(asked, /disconnected/);
    await next(client, "connect");
    server.otherEnd(client).emit("end");
    assert.deepEqual(await eventsUntil(events, "end"), []);
    await hubServer.close();
  });

  test("begins anew where not all that it missed is kept", async () => {
    const hubServer = await HubServer.start({ limits: { replayCount: 2 } }, recovering);
    const { hub, server } = hubServer;
    const { client, server: socket } = await server.connect();
    const events = eventsOf(client);
    await socket.join("room");
    const session = hub.session(socket.id);
    socket.emit("one", 1);
    await events.next();
    client.io.engine.close();
    await next(client, "connect");
    for (let index = 0; index < 3; index++) server.otherEnd(client).emit("more", index);
    for (let index = 0; index < 3; index++) await events.next();
    const offset = String(Reflect.get(client, "_lastOffset"));
    for (const wrong of ["an argument of the application", `${offset}x`]) {
      Reflect.set(client, "_lastOffset", wrong);
      const { id } = client;
      await lose(hubServer, client);
      await next(client, "connect");
      assert.deepEqual([client.recovered, client.id === id], [false, false]);
      assert.deepEqual([...server.otherEnd(client).rooms], [client.id]);
      server.otherEnd(client).emit("again", 1);
      await events.next();
    }
    assert.equal(session?.isClosed, true);
    assert.deepEqual([hub.size, hub.counts.notRecovered], [1, 2]);
    await hubServer.close();
  });

  test("begins anew where it is another user's now, and passes the middlewares then", async () => {
    const hubServer = await HubServer.start({}, recovering, {
      identify: ({ handshake }) => ({ user: String(handshake.auth.user) }),
    });
    const { hub, server } = hubServer;
    let passed = 0;
    server.io.use((_socket, nextOne) => {
      passed++;
      nextOne();
    });
    const { client, server: socket } = await server.connect("/", { auth: { user: "ada" } });
    socket.emit("one", 1);
    await next(client, "one");
    await lose(hubServer, client);
    await next(client, "connect");
    assert.deepEqual([client.recovered, passed], [true, 1]);
    client.auth = { user: "bob" };
    await lose(hubServer, client);
    await next(client, "connect");
    assert.deepEqual([client.recovered, passed], [false, 2]);
    assert.deepEqual(
      [...hub.sessions].map(({ user, phase }) => `${user} ${phase}`),
      ["ada away", "bob connected"],
    );
    await hubServer.close();
  });

  test("is over when the hub waits no longer, or its client says farewell", async () => {
    const hubServer = await HubServer.start({ graceMs: 1 }, recovering);
    const { hub, server } = hubServer;
    const over = new Promise((resolve) => {
      hub.onDisconnect(resolve);
    });
    const { client } = await server.connect("/", { reconnection: false });
    const { id } = client;
    client.io.engine.close();
    await over;
    client.connect();
    await next(client, "connect");
    assert.deepEqual([client.recovered, client.id === id], [false, false]);
    const gone = next(server.otherEnd(client), "disconnect");
    client.disconnect();
    await gone;
    assert.equal(hub.size, 0);
    await hubServer.close();
  });

  test("is not let in for longer than its middlewares said, who are asked again", async () => {
    const hubServer = await HubServer.start({}, recovering);
    const { server } = hubServer;
    const hour = Date.now() + 3_600_000;
    let asked = 0;
    server.io.use((socket, pass) => {
      if (asked++ === 0) socket.expiresAt = hour;
      pass();
    });
    const { client } = await server.connect();
    await lose(hubServer, client);
    await next(client, "connect");
    const socket = server.otherEnd(client);
    assert.deepEqual([client.recovered, socket.expiresAt, asked], [true, hour, 1]);
    socket.on("disconnecting", () => (socket.expiresAt = Date.now()));
    await lose(hubServer, client);
    await next(client, "connect");
    assert.deepEqual([client.recovered, server.otherEnd(client).expiresAt, asked], [false, undefined, 2]);
    await hubServer.close();
  });
});
