import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { describe, test } from "node:test";
import { deserialize, serialize } from "node:v8";
import { Message } from "@sluice/hub";
import { FakeClock } from "@sluice/testkit/fake-clock";
import { argumentsOf, messageFromEvent } from "../src/hub/event-content.ts";
import type { CustomParser, Packet } from "../src/index.ts";
import { HubServer } from "./support/hub-server.ts";
import { next } from "./support/io-server.ts";

const bytes = Buffer.from("00ff", "hex");

/** A parser of packets that takes whatever there is in JavaScript. */
const unbounded: CustomParser = {
  Encoder: class {
    encode(packet: Packet): [Uint8Array] {
      return [serialize(packet)];
    }
  },
  Decoder: class extends EventEmitter {
    add(message: string | Buffer): void {
      this.emit("decoded", deserialize(Buffer.from(message)));
    }

    destroy(): void {}
  },
};

describe("An event as a message", () => {
  const table: readonly (readonly [name: string, event: unknown[], message: object, args?: unknown[]])[] = [
    ["a text", ["e", "text"], { data: "text" }],
    ["bytes", ["e", bytes], { data: bytes }],
    ["an object", ["e", { a: [1] }], { data: '{"a":[1]}', isJson: true }],
    ["an array", ["e", [1, 2]], { data: "[1,2]", isJson: true }],
    ["null", ["e", null], { data: "null", isJson: true }],
    ["nothing in the place of something", ["e", undefined], { data: "null", isJson: true }, [null]],
    ["no argument", ["e"], { data: "[]", isJson: true, isList: true }],
    ["two arguments", ["e", "a", 1], { data: '["a",1]', isJson: true, isList: true }],
    [
      "bytes within JSON",
      ["e", { deep: [bytes, new Uint16Array([1]), new DataView(bytes.buffer.slice(0, 0))] }],
      { data: '{"deep":["AP8=","AQA=",""]}', isJson: true },
      [{ deep: ["AP8=", "AQA=", ""] }],
    ],
    ["bytes beside others", ["e", bytes, 1], { data: '["AP8=",1]', isJson: true, isList: true }, ["AP8=", 1]],
  ];
  for (const [name, event, expected, args] of table) {
    test(`says ${name}`, () => {
      const message = messageFromEvent(event);
      assert.deepEqual(message, { type: "e", ...expected });
      assert.deepEqual(argumentsOf(new Message(message)), args ?? event.slice(1));
    });
  }

  test("has a name that is a text", () => {
    assert.equal(messageFromEvent([7, "x"]).type, "7");
  });

  test("has a text for what is no JSON, and one argument for what is no list", () => {
    assert.deepEqual(argumentsOf({ data: "{", isJson: true }), ["{"]);
    assert.deepEqual(argumentsOf({ data: "7", isList: true }), [7]);
  });
});

describe("An event of a client", () => {
  test("is the listener's where there is one, and else the hub's", async () => {
    const hubServer = await HubServer.start();
    const said = hubServer.said();
    const { server: socket, client } = await hubServer.server.connect();
    const heard = next(socket, "mine");
    client.emit("mine", 1);
    client.emit("other", { a: 1 }, "two");
    client.emit("text", "three");
    client.emit("bytes", bytes);
    assert.deepEqual(await heard, [1]);
    const got = [await said.next(), await said.next(), await said.next()];
    assert.deepEqual(
      got.map(({ session, message: { type, data, from, isList } }) => [
        session.id,
        type,
        data,
        from === session.number,
        isList,
      ]),
      [
        [socket.id, "other", '[{"a":1},"two"]', true, true],
        [socket.id, "text", "three", true, false],
        [socket.id, "bytes", bytes, true, false],
      ],
    );
    await hubServer.close();
  });

  test("waits for its listener where nobody is told at the hub either", async () => {
    const hubServer = await HubServer.start();
    const { client, server: socket } = await hubServer.server.connect();
    client.emit("late", 1, (answer: string) => client.emit("answered", answer));
    const other = await hubServer.server.connect();
    other.server.on("known", (answer: () => void) => answer());
    await other.client.emitWithAck("known");
    const answered = next(socket, "answered");
    socket.on("late", (_one: number, answer: (text: string) => void) => answer("yes"));
    assert.deepEqual(await answered, ["yes"]);
    assert.equal(hubServer.hub.counts.received, 0);
    await hubServer.close();
  });

  test("is acknowledged with what the hub answers", async () => {
    const hubServer = await HubServer.start();
    const { hub, server } = hubServer;
    hub.onReceive((_session, { type }, answer) => {
      if (type === "text") answer({ ok: true, reply: Message.from("yes") });
      else if (type === "bytes") answer({ ok: true, reply: Message.from(bytes) });
      else if (type === "list")
        answer({ ok: true, reply: Message.from({ data: '[1,"two"]', isList: true }) });
      else if (type === "taken") answer({ ok: true });
      else answer({ ok: false, code: "RESOURCE_EXHAUSTED", message: "later" });
      answer({ ok: true, reply: Message.from("again") });
    });
    const { client } = await server.connect();
    const ask = (name: string): Promise<unknown[]> =>
      new Promise((resolve) => {
        client.emit(name, 1, (...args: unknown[]) => resolve(args));
      });
    assert.deepEqual(await ask("text"), ["yes"]);
    assert.deepEqual(await ask("bytes"), [bytes]);
    assert.deepEqual(await ask("list"), [1, "two"]);
    assert.deepEqual(await ask("taken"), []);
    assert.deepEqual(await ask("failed"), [
      { error: { code: 8, status: "RESOURCE_EXHAUSTED", message: "later" } },
    ]);
    await hubServer.close();
  });

  test("is seen by middlewares and by those who listen to all, before it is the hub's", async () => {
    const hubServer = await HubServer.start();
    const said = hubServer.said();
    const { server: socket, client } = await hubServer.server.connect();
    const seen: unknown[] = [];
    socket.onAny((...event: unknown[]) => seen.push(event));
    socket.use(([name], nextOne) => nextOne(name === "denied" ? new Error("denied") : undefined));
    client.emit("denied");
    client.emit("allowed");
    assert.equal((await said.next()).message.type, "allowed");
    assert.deepEqual(seen, [["denied"], ["allowed"]]);
    await hubServer.close();
  });

  test("over a limit of the hub ends the socket, and its client is told why", async () => {
    const hubServer = await HubServer.start({ limits: { messageBytes: 100 } });
    hubServer.said();
    const { client, server: socket } = await hubServer.server.connect();
    const told = next(client, "sluice.close");
    const ended = next(client, "disconnect");
    const gone = next(socket, "disconnect");
    client.emit("large", "x".repeat(101));
    assert.deepEqual(await told, [{ code: 1009, reason: "a message has at most 100 bytes" }]);
    assert.equal((await ended)[0], "io server disconnect");
    assert.equal((await gone)[0], "server namespace disconnect");
    assert.equal(hubServer.hub.size, 0);
    await hubServer.close();
  });

  test("that cannot be JSON ends the socket, and nothing else", async () => {
    const hubServer = await HubServer.start({}, { parser: unbounded });
    const said = hubServer.said();
    const { client } = await hubServer.server.connect("/", { parser: unbounded });
    const told = next(client, "sluice.close");
    client.emit("large", 1n);
    assert.deepEqual(await told, [{ code: 4400, reason: "an event that cannot be JSON" }]);
    const other = await hubServer.server.connect("/", { parser: unbounded });
    other.client.emit("small", 1);
    assert.equal((await said.next()).message.type, "small");
    await hubServer.close();
  });

  test("of a client that says too much ends its connection, so that it comes back later", async () => {
    const hubServer = await HubServer.start({ limits: { messagesPerSecond: 1, messageBurst: 2 } });
    hubServer.said();
    const { client } = await hubServer.server.connect();
    const told = next(client, "sluice.close");
    const ended = next(client, "disconnect");
    for (let index = 0; index < 3; index++) client.emit("event", index);
    assert.deepEqual(await told, [{ code: 4429, reason: "more than 1 messages a second" }]);
    assert.equal((await ended)[0], "transport close");
    await next(client, "connect");
    await hubServer.close();
  });

  test("is read no further while the hub pauses its session, whose silence counts for nothing then", async () => {
    for (const transport of ["websocket", "polling"]) {
      const clock = new FakeClock();
      const hubServer = await HubServer.start({}, { clock });
      const { server } = hubServer;
      const said = hubServer.said();
      const { client } = await server.connect("/", { transports: [transport] });
      client.on("go", () => client.emit("second"));
      client.emit("first");
      const { session } = await said.next();
      session.pause();
      session.send(new Message({ data: "", type: "go" }));
      await next(client, "go");
      client.emit("third");
      // Another client's word goes round meanwhile.
      const other = await server.connect();
      other.client.emit("other");
      const heard = [await said.next()];
      if (transport === "polling") heard.push(await said.next());
      assert.equal(said.size, 0);
      clock.advance(24_000);
      clock.advance(24_000);
      session.resume();
      heard.push(await said.next());
      if (transport === "websocket") heard.push(await said.next());
      assert.deepEqual(heard.map(({ message }) => message.type).toSorted(), ["other", "second", "third"]);
      assert.equal(client.connected, true);
      await hubServer.close();
    }
  });

  test("asks nobody for an answer to what cannot be encoded", async () => {
    const hubServer = await HubServer.start();
    const { server: socket } = await hubServer.server.connect();
    const cycle: { itself?: unknown } = {};
    cycle.itself = cycle;
    assert.throws(() => hubServer.server.io.timeout(5000).emit("question", cycle, () => {}), TypeError);
    assert.equal(socket.acks.size, 0);
    await hubServer.close();
  });
});
