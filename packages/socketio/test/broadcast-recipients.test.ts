import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import {
  type BroadcastOperator,
  type CustomParser,
  Decoder,
  Encoder,
  type Packet,
  type Room,
  Server,
} from "../src/index.ts";
import { type Ends, eventsOf, eventsUntil, IoServer, next } from "./support/io-server.ts";

describe("a broadcast", () => {
  let server: IoServer;
  let ends: Ends[];

  before(async () => {
    server = await IoServer.start();
    ends = await Promise.all([server.connect(), server.connect(), server.connect()]);
  });

  after(() => server.close());

  /** The rooms of each: `mine` is of all but the last. */
  beforeEach(async () => {
    const rooms = [["a", "mine"], ["a", "b", "mine"], ["b"]];
    for (const [index, { server: socket }] of ends.entries()) {
      for (const room of socket.rooms) if (room !== socket.id) await socket.leave(room);
      await socket.join(rooms[index]!);
    }
  });

  const [ann, bob, cyd] = [0, 1, 2];
  const id = (index: number): Room => ends[index]!.server.id;
  const cases: [name: string, to: (io: Server) => { emit(name: string): unknown }, expected: number[]][] = [
    ["to all", (io) => io, [ann, bob, cyd]],
    ["to a room", (io) => io.to("a"), [ann, bob]],
    ["in a room", (io) => io.in("b"), [bob, cyd]],
    ["to two rooms, once", (io) => io.to("a").to("b"), [ann, bob, cyd]],
    ["to a list of rooms, once", (io) => io.to(["a", "b", "a"]), [ann, bob, cyd]],
    ["to a room that there is not", (io) => io.to("nowhere"), []],
    ["to rooms of which one there is not", (io) => io.to("nowhere").to("a"), [ann, bob]],
    ["to a socket", (io) => io.to(id(bob)), [bob]],
    ["to two sockets", (io) => io.to([id(bob), id(cyd)]), [bob, cyd]],
    ["to all but a room", (io) => io.except("a"), [cyd]],
    ["to all but some rooms", (io) => io.except(["a", "b"]), []],
    ["to all but a room that there is not", (io) => io.except("nowhere"), [ann, bob, cyd]],
    ["to all but a socket", (io) => io.except(id(ann)), [bob, cyd]],
    ["to a room but a socket", (io) => io.to("a").except(id(ann)), [bob]],
    ["to a room but two sockets", (io) => io.to("mine").except(id(ann)).except(id(bob)), []],
    ["to two rooms but a third", (io) => io.to("a").to("b").except("mine"), [cyd]],
    ["from a socket to all others", () => ends[ann]!.server.broadcast, [bob, cyd]],
    ["from a socket to the others of a room", () => ends[ann]!.server.to("a"), [bob]],
    ["from a socket to others but a room", () => ends[ann]!.server.except("mine"), [cyd]],
    ["that is for this server only", (io) => io.local, [ann, bob, cyd]],
    ["that may not be compressed", (io) => io.compress(false), [ann, bob, cyd]],
    ["that may be lost, and need not be", (io) => io.volatile.to("a"), [ann, bob]],
  ];

  for (const [name, to, expected] of cases) {
    test(`${name} reaches whom it is for, once`, async () => {
      const inboxes = ends.map(({ client }) => eventsOf(client));
      to(server.io).emit("event");
      server.io.emit("end");
      const received = await Promise.all(inboxes.map((inbox) => eventsUntil(inbox, "end")));
      const counts = received.map((events) => events.length);
      assert.deepEqual(
        counts,
        [0, 1, 2].map((index) => (expected.includes(index) ? 1 : 0)),
      );
    });
  }

  test("has modifiers that leave what they modify as it is", async () => {
    const inboxes = ends.map(({ client }) => eventsOf(client));
    const first = server.io.to("a");
    const others = [
      first.to("b"),
      first.except("a"),
      first.volatile,
      first.compress(false),
      first.local,
      first.timeout(1),
    ];
    assert.equal(new Set([first, ...others]).size, 7);
    first.emit("event");
    server.io.emit("end");
    const received = await Promise.all(inboxes.map((inbox) => eventsUntil(inbox, "end")));
    assert.deepEqual(
      received.map((events) => events.length),
      [1, 1, 0],
    );
  });

  test("cannot have a name that sockets have themselves", () => {
    for (const name of [
      "connect",
      "connect_error",
      "disconnect",
      "disconnecting",
      "newListener",
      "removeListener",
    ]) {
      assert.throws(() => server.io.to("a").emit(name), { message: `"${name}" is a reserved event name` });
    }
  });

  test("is told to the listeners to all that is sent", () => {
    const seen: unknown[][] = [];
    const { server: socket } = ends[0]!;
    socket.onAnyOutgoing((...args: unknown[]) => seen.push(args));
    server.io.to("a").emit("event", 1);
    server.io.to("b").emit("event", 2);
    socket.offAnyOutgoing();
    server.io.emit("event", 3);
    assert.deepEqual(seen, [["event", 1]]);
  });
});

test("a broadcast that may be lost is dropped for who cannot take it at once, and counted", async (context) => {
  const server = await IoServer.start();
  context.after(() => server.close());
  const { client, server: socket } = await server.connect("/", { transports: ["polling"] });
  const inbox = eventsOf(client);
  // The poll is answered, and the next one cannot have come yet.
  socket.emit("taken");
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(socket.conn.writable, false);
  server.io.volatile.emit("lost");
  server.io.emit("end");
  assert.deepEqual(await eventsUntil(inbox, "end"), [["taken"]]);
  assert.equal(server.io.counts.dropped.volatile, 1);
});

describe("a broadcast's packet", () => {
  let encoded: Packet[];
  let server: IoServer;

  before(async () => {
    const parser: CustomParser = {
      Encoder: class extends Encoder {
        override encode(packet: Packet): ReturnType<Encoder["encode"]> {
          encoded.push(packet);
          return super.encode(packet);
        }
      },
      Decoder: class {
        readonly #decoder = new Decoder();
        #decoded: ((packet: Packet) => void) | undefined;
        add(message: string | Buffer): void {
          const packet = this.#decoder.add(message);
          if (packet !== undefined) this.#decoded?.(packet);
        }
        on(_name: "decoded", listener: (packet: Packet) => void): void {
          this.#decoded = listener;
        }
      },
    };
    encoded = [];
    server = await IoServer.start({ parser });
    await Promise.all([server.connect(), server.connect(), server.connect("/", { transports: ["polling"] })]);
  });

  after(() => server.close());

  beforeEach(() => {
    encoded = [];
  });

  test("is encoded once for all", () => {
    server.io.emit("event", { a: 1 }, Buffer.from([1]));
    assert.deepEqual(
      encoded.map(({ data }) => data),
      [["event", { a: 1 }, Buffer.from([1])]],
    );
  });

  test("is not encoded where it is for nobody", () => {
    server.io.to("nowhere").emit("event");
    server.io.of("/empty").emit("event");
    server.io
      .to([...server.io.sockets.sockets.keys()])
      .except([...server.io.sockets.sockets.keys()])
      .emit("event");
    assert.deepEqual(encoded, []);
  });
});

describe("the sockets that are meant", () => {
  let server: IoServer;
  let ann: Ends;
  let bob: Ends;

  before(async () => {
    server = await IoServer.start();
    [ann, bob] = await Promise.all([server.connect(), server.connect()]);
    await ann.server.join("a");
  });

  after(() => server.close());

  test("are the server's own, where they are of this one", async () => {
    const operator: Pick<BroadcastOperator<never, unknown>, "fetchSockets"> = server.io.in("a");
    assert.deepEqual(await operator.fetchSockets(), [ann.server]);
    assert.deepEqual(new Set(await server.io.fetchSockets()), new Set([ann.server, bob.server]));
    assert.deepEqual(await server.io.in("a").allSockets(), new Set([ann.server.id]));
    assert.deepEqual(await server.io.allSockets(), new Set([ann.server.id, bob.server.id]));
  });

  test("join and leave rooms", () => {
    server.io.in("a").socketsJoin(["c", "d"]);
    assert.deepEqual(ann.server.rooms, new Set([ann.server.id, "a", "c", "d"]));
    server.io.in("c").socketsLeave(["c", "d"]);
    assert.deepEqual(ann.server.rooms, new Set([ann.server.id, "a"]));
    assert.deepEqual(bob.server.rooms, new Set([bob.server.id]));
  });

  test("are disconnected, alone or with their connections", async () => {
    const more = server.io.of("/more");
    const cyd = await server.connect("/more");
    const left = next(cyd.client, "disconnect");
    more.disconnectSockets();
    assert.equal((await left)[0], "io server disconnect");
    const [first, second] = [next(ann.client, "disconnect"), next(ann.client.io, "close")];
    server.io.in("a").disconnectSockets(true);
    await Promise.all([first, second]);
    assert.equal(bob.server.connected, true);
  });
});

for (const transport of ["polling", "websocket"]) {
  test(`sockets by ${transport} have what was sent before they were disconnected, and that they were`, async (context) => {
    const server = await IoServer.start();
    context.after(() => server.close());
    const { client } = await server.connect("/", { transports: [transport] });
    const inbox = eventsOf(client);
    const gone = next(client, "disconnect");
    server.io.emit("last");
    server.io.disconnectSockets(true);
    assert.deepEqual(await inbox.next(), ["last"]);
    assert.equal((await gone)[0], "io server disconnect");
  });
}

describe("an event for other servers", () => {
  test("cannot have a name that namespaces have themselves", () => {
    const io = new Server();
    for (const name of ["connect", "connection", "new_namespace"]) {
      assert.throws(() => io.serverSideEmit(name), { message: `"${name}" is a reserved event name` });
    }
  });

  test("has no answers where there is no other", async () => {
    assert.equal(new Server().serverSideEmit("news"), true);
    assert.deepEqual(await new Server().serverSideEmitWithAck("question"), []);
  });
});
