import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { roomsByPattern } from "@sluice/hub";
import { HubServer } from "./support/hub-server.ts";
import { eventsOf, eventsUntil, next } from "./support/io-server.ts";

const history = { size: 100, ttlMs: 60_000 };

describe("A room of a hub", () => {
  test("reaches sockets and raw WebSockets alike, whoever publishes to it", async () => {
    const hubServer = await HubServer.start();
    const { hub, server } = hubServer;
    hub.onConnect((session) => {
      if (session.face === "websocket") void session.join("news");
    });
    const raw = await hubServer.openRaw();
    const first = await server.connect();
    const second = await server.connect();
    await first.server.join("news");
    void second.server.join("news");
    const events = [eventsOf(first.client), eventsOf(second.client)];
    server.io.to("news").emit("item", "a text");
    first.server.to("news").emit("item", { a: 1 });
    server.io.in("news").emit("item", 1, "two");
    server.io.in("news").emit("nothing");
    await hub.publish("news", "from the hub");
    await hub.publish("news", { data: "[1,[2]]", isJson: true, type: "list" });
    await hub.publish("news", { data: " [ 1 , [2] ] ", isList: true, type: "args" });
    await hub.publish("news", { data: Uint8Array.of(1, 2), type: "bytes" });
    await hub.publish("news", { data: "reserved", type: "disconnect" });
    await hub.publish("news", { data: "own", type: "sluice.close" });
    await hub.publish("news", { data: "", type: "end" });
    const expected: unknown[][] = [
      ["item", "a text"],
      ["item", { a: 1 }],
      ["item", 1, "two"],
      ["nothing"],
      ["message", "from the hub"],
      ["list", [1, [2]]],
      ["args", 1, [2]],
      ["bytes", Buffer.of(1, 2)],
      ["message", "reserved"],
      ["message", "own"],
    ];
    assert.deepEqual(
      await eventsUntil(events[0]!, "end"),
      expected.filter(
        (event) => event[1] === undefined || event[0] !== "item" || typeof event[1] !== "object",
      ),
    );
    assert.deepEqual(await eventsUntil(events[1]!, "end"), expected);
    for (const text of [
      "a text",
      '{"a":1}',
      '[1,"two"]',
      "[]",
      "from the hub",
      "[1,[2]]",
      " [ 1 , [2] ] ",
      "0102",
    ]) {
      assert.equal(await raw.next(), text);
    }
    await hubServer.close();
  });

  test("is left and joined in the order of what is emitted to it, whatever its broker needs", async () => {
    for (const rooms of [{}, { history }]) {
      const hubServer = await HubServer.start({ rooms: () => rooms });
      const { server } = hubServer;
      const { client, server: socket } = await server.connect();
      const events = eventsOf(client);
      void socket.join("room");
      assert.deepEqual([...socket.rooms], [socket.id, "room"]);
      server.io.to("room").emit("event", 1);
      void socket.leave("room");
      assert.deepEqual([...socket.rooms], [socket.id]);
      server.io.to("room").emit("event", 2);
      void socket.join("room");
      server.io.to("room").emit("event", 3);
      server.io.to("room").emit("end");
      assert.deepEqual(await eventsUntil(events, "end"), [
        ["event", 1],
        ["event", 3],
      ]);
      await hubServer.close();
    }
  });

  test("is shown as one of the socket where the hub joins or leaves it", async () => {
    const hubServer = await HubServer.start();
    const { hub, server } = hubServer;
    const { server: socket } = await server.connect();
    const session = hub.session(socket.id);
    assert.ok(session);
    assert.equal(session.face, "socketio");
    await session.join("by the hub");
    await socket.join("by the application");
    assert.deepEqual([...socket.rooms], [socket.id, "by the hub", "by the application"]);
    assert.deepEqual([...session.rooms], ["by the hub", "by the application"]);
    assert.deepEqual([...(server.io.sockets.adapter.rooms.get("by the hub") ?? [])], [socket.id]);
    const [found] = await server.io.in("by the hub").fetchSockets();
    assert.equal(found?.id, socket.id);
    await session.leave("by the hub");
    server.io.in("by the application").socketsLeave("by the application");
    assert.deepEqual([...socket.rooms], [socket.id]);
    assert.equal(hub.roomCount, 0);
    await hubServer.close();
  });

  test("is another one in each namespace", async () => {
    const hubServer = await HubServer.start();
    const { hub, server } = hubServer;
    const chat = server.io.of("/chat");
    const main = await server.connect();
    const other = await server.connect("/chat");
    void main.server.join("room");
    void other.server.join("room");
    const events = [eventsOf(main.client), eventsOf(other.client)];
    assert.deepEqual([...(hub.session(other.server.id)?.rooms ?? [])], ["/chat#room"]);
    assert.equal(hub.session(other.server.id)?.request.path, "/chat");
    assert.deepEqual([...other.server.rooms], [other.server.id, "room"]);
    server.io.to("room").emit("event", "main");
    chat.to("room").emit("event", "chat");
    await hub.publish("/chat#room", { data: "hub", type: "event" });
    main.server.emit("end");
    other.server.emit("end");
    assert.deepEqual(await eventsUntil(events[0]!, "end"), [["event", "main"]]);
    assert.deepEqual(await eventsUntil(events[1]!, "end"), [
      ["event", "chat"],
      ["event", "hub"],
    ]);
    await hubServer.close();
  });

  test("is not joined from another namespace by its name in the hub", async () => {
    const hubServer = await HubServer.start();
    const { hub, server } = hubServer;
    const chat = server.io.of("/chat");
    const member = await server.connect("/chat");
    const main = await server.connect();
    void member.server.join("room");
    // As an application joins its clients to what they name.
    void main.server.join("/chat#room");
    const events = [eventsOf(main.client), eventsOf(member.client)];
    chat.to("room").emit("event", "chat");
    await hub.publish("/chat#room", { data: "hub", type: "event" });
    server.io.to("/chat#room").emit("event", "main");
    main.server.emit("end");
    member.server.emit("end");
    assert.deepEqual(await eventsUntil(events[0]!, "end"), [["event", "main"]]);
    assert.deepEqual(await eventsUntil(events[1]!, "end"), [
      ["event", "chat"],
      ["event", "hub"],
    ]);
    assert.deepEqual([...main.server.rooms], [main.server.id, "/chat#room"]);
    await hubServer.close();
  });

  test("is one of several for what goes to this node only, each session once, whatever its face", async () => {
    const hubServer = await HubServer.start();
    const { hub, server } = hubServer;
    hub.onConnect((session) => {
      if (session.face === "websocket") void session.join("a");
    });
    const raw = await hubServer.openRaw();
    const first = await server.connect();
    const second = await server.connect();
    const third = await server.connect();
    void first.server.join(["a", "b"]);
    void second.server.join("b");
    const events = [eventsOf(first.client), eventsOf(second.client), eventsOf(third.client)];
    server.io.to("a").to("b").emit("union", 1);
    server.io.to("b").except("a").emit("except", 2);
    server.io.except("b").emit("others", 3);
    server.io.to("a").emit("bytes", { deep: Buffer.from("hi") });
    server.io.local.to("a").emit("local", 4);
    second.server.broadcast.emit("broadcast", 5);
    server.io.to(third.server.id).emit("own", 6);
    server.io.emit("end");
    assert.deepEqual(await eventsUntil(events[0]!, "end"), [
      ["union", 1],
      ["bytes", { deep: Buffer.from("hi") }],
      ["local", 4],
      ["broadcast", 5],
    ]);
    assert.deepEqual(await eventsUntil(events[1]!, "end"), [
      ["union", 1],
      ["except", 2],
    ]);
    assert.deepEqual(await eventsUntil(events[2]!, "end"), [
      ["others", 3],
      ["broadcast", 5],
      ["own", 6],
    ]);
    for (const text of ["1", '{"deep":"aGk="}', "4"]) assert.equal(await raw.next(), text);
    await hubServer.close();
  });

  test("has what sockets emit to it in its history, in the order of offsets", async () => {
    const hubServer = await HubServer.start({ rooms: roomsByPattern({ "kept*": { history } }) });
    const { hub, server } = hubServer;
    const { server: socket, client } = await server.connect();
    await socket.join("kept");
    server.io.to("kept").emit("first", "1");
    socket.to("kept").emit("second", 2, 3);
    server.io.to("kept").emit("third");
    await next(client, "third");
    const { publications } = await hub.history("kept");
    assert.deepEqual(
      publications.map(({ offset, except, message: { type, data, isJson, isList } }) => [
        offset,
        except,
        type,
        data,
        isJson,
        isList,
      ]),
      [
        [1, "", "first", "1", false, false],
        [2, socket.id, "second", "[2,3]", true, true],
        [3, "", "third", "[]", true, true],
      ],
    );
    await hubServer.close();
  });

  test("that cannot be joined is told to who waits for it, and to the hub", async () => {
    const hubServer = await HubServer.start({ limits: { roomsPerSession: 1 } });
    const { hub, server } = hubServer;
    const errors: unknown[] = [];
    hub.onError((_session, error) => errors.push(String(error)));
    const { server: socket } = await server.connect();
    await socket.join("one");
    await assert.rejects(Promise.resolve(socket.join("two")), /at most 1 rooms \(limits.roomsPerSession\)/);
    void socket.join("three");
    await assert.rejects(Promise.resolve(socket.join("four")), /at most 1 rooms/);
    assert.equal(errors.length, 3);
    assert.deepEqual([...socket.rooms], [socket.id, "one"]);
    await hubServer.close();
  });

  test("may be joined by a middleware, before there is a session", async () => {
    const hubServer = await HubServer.start();
    const { hub, server } = hubServer;
    server.io.use((socket, nextOne) => {
      void socket.join("early");
      nextOne();
    });
    const { server: socket, client } = await server.connect();
    assert.deepEqual([...(hub.session(socket.id)?.rooms ?? [])], ["early"]);
    assert.deepEqual([...socket.rooms].toSorted(), [socket.id, "early"].toSorted());
    const got = next(client, "event");
    await hub.publish("early", { data: "x", type: "event" });
    assert.deepEqual(await got, ["x"]);
    await hubServer.close();
  });

  test("asks all sockets in it for answers, and no other session", async () => {
    const hubServer = await HubServer.start();
    const { server } = hubServer;
    const first = await server.connect();
    const second = await server.connect();
    for (const { server: socket, client } of [first, second]) {
      void socket.join("room");
      client.on("question", (text: string, answer: (text: string) => void) => answer(`${text}!`));
    }
    assert.deepEqual(await server.io.to("room").timeout(5000).emitWithAck("question", "well"), [
      "well!",
      "well!",
    ]);
    assert.equal(await first.server.emitWithAck("question", "one"), "one!");
    await hubServer.close();
  });

  test("is left by a socket that leaves all, and by one that is disconnected", async () => {
    const hubServer = await HubServer.start();
    const { hub, server } = hubServer;
    const { server: socket, client } = await server.connect();
    await socket.join(["a", "b"]);
    void server.io.sockets.adapter.delAll(socket.id);
    assert.equal(hub.roomCount, 0);
    await socket.join("c");
    const gone = next(client, "disconnect");
    socket.disconnect();
    await gone;
    assert.deepEqual([hub.roomCount, hub.size, server.io.sockets.adapter.rooms.size], [0, 0, 0]);
    await hubServer.close();
  });
});
