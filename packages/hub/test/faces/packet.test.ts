import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Message, refusedPacketType, type Session } from "../../src/index.ts";
import { PacketClient } from "./support/packet-client.ts";
import { Queue } from "./support/queue.ts";
import { startHub } from "./support/server.ts";

const key = "packets-0123456789abcdef";

describe("the face packet", () => {
  test("gives the hub the packets of a message one by one, with their types", async (context) => {
    const { hub, port } = await startHub(context);
    const said = new Queue<string>();
    hub.onMessageBinary((_session, bytes, { type }) => said.push(`${type}:${Buffer.from(bytes).toString()}`));
    const client = await PacketClient.connect(context, port);
    assert.equal(client.ws.socket.protocol, "sluice.packet.v1");
    client.send({ type: 7, content: "a" }, { content: "b" }, { type: 4_294_967_294 });
    client.send({ type: 8, content: "c" });
    assert.deepEqual(await said.take(4), ["7:a", ":b", "4294967294:", "8:c"]);
  });

  test("sends messages and publications as packets, with their types and senders", async (context) => {
    const { hub, port } = await startHub(context);
    const sessions = new Queue<Session>();
    hub.onConnect((session) => sessions.push(session));
    const client = await PacketClient.connect(context, port);
    const session = await sessions.next();
    session.send("text");
    session.send(Buffer.from("bytes"));
    await session.join("a");
    await hub.publish("a", { data: "published", type: "12", from: 99 });
    await hub.publish("a", { data: "", type: "not a number" });
    await hub.publish("a", { data: "", type: "4294967296" });
    await hub.publish("a", { data: "no refusal", type: String(refusedPacketType) });
    assert.deepEqual(await client.next(), [{ type: 0, who: 0, content: "text" }]);
    assert.deepEqual(await client.next(), [{ type: 0, who: 0, content: "bytes" }]);
    assert.deepEqual(await client.next(), [{ type: 12, who: 99, content: "published" }]);
    assert.deepEqual(await client.next(), [{ type: 0, who: 0, content: "" }]);
    assert.deepEqual(await client.next(), [{ type: 0, who: 0, content: "" }]);
    assert.deepEqual(await client.next(), [{ type: 0, who: 0, content: "no refusal" }]);
  });

  test("keeps of a message no more than the packets that are kept", async (context) => {
    const { hub, port } = await startHub(context);
    const said = new Queue<Uint8Array>();
    hub.onMessageBinary((_session, bytes) => said.push(bytes));
    const client = await PacketClient.connect(context, port);
    client.send({ content: "small" }, { content: "x".repeat(60_000) });
    const [small] = await said.take(2);
    assert.ok(small !== undefined && small.buffer.byteLength < 60_000);
  });

  test("answers a packet with the reply of the backend, or why it was refused", async (context) => {
    const { hub, port } = await startHub(context);
    hub.onReceive((_session, message, answer) => {
      if (message.type === "1") answer({ ok: true, reply: Message.from("pong") });
      else if (message.type === "2") answer({ ok: false, code: "UNAVAILABLE", message: "away" });
      else if (message.type === "3") {
        answer({ ok: false, code: "NOT_FOUND", message: "", status: Buffer.from("a status") });
      } else answer({ ok: true });
    });
    const client = await PacketClient.connect(context, port);
    client.send({ type: 4 }, { type: 1 }, { type: 2 }, { type: 3 });
    assert.deepEqual(await client.next(), [{ type: 1, who: 0, content: "pong" }]);
    assert.deepEqual(await client.next(), [
      { type: refusedPacketType, who: 0, content: "\b\u000e\u0012\u0004away" },
    ]);
    assert.deepEqual(await client.next(), [{ type: refusedPacketType, who: 0, content: "a status" }]);
  });

  test("counts replies and refusals as what they are to a client: packets", async (context) => {
    const { hub, port } = await startHub(context);
    const away = new Queue<Session>();
    hub.onAway((session) => away.push(session));
    hub.onReceive((_session, { type }, answer) => {
      if (type === "1") answer({ ok: true, reply: Message.from("pong") });
      else answer({ ok: false, code: "UNAVAILABLE", message: "away" });
    });
    const client = await PacketClient.connect(context, port, `/?resume=${key}`);
    client.send({ type: 1 }, { type: 2 });
    assert.equal((await client.next())[0]?.type, 1);
    assert.equal((await client.next())[0]?.type, refusedPacketType);
    client.ws.socket.terminate();
    (await away.next()).send("missed");
    const again = await PacketClient.connect(context, port, `/?resume=${key}&received=1`);
    assert.equal((await again.next())[0]?.type, refusedPacketType);
    assert.deepEqual(await again.next(), [{ type: 0, who: 0, content: "missed" }]);
  });

  test("brings a packet to the session whose number it names, from its sender", async (context) => {
    const { hub, port } = await startHub(context);
    const sessions = new Queue<Session>();
    hub.onConnect((session) => sessions.push(session));
    const one = await PacketClient.connect(context, port);
    const first = await sessions.next();
    const other = await PacketClient.connect(context, port);
    const second = await sessions.next();
    one.send({ type: 5, who: second.number, content: "hello" });
    assert.deepEqual(await other.next(), [{ type: 5, who: first.number, content: "hello" }]);
    other.send({ type: 6, who: first.number, content: "hello yourself" });
    assert.deepEqual(await one.next(), [{ type: 6, who: second.number, content: "hello yourself" }]);
  });

  test("asks for permission to address a session, and keeps the order of packets meanwhile", async (context) => {
    const asked = new Queue<(isAllowed: boolean) => void>();
    const { hub, port } = await startHub(context, {
      authorize: (_session, action) =>
        action === "send" && new Promise((resolve) => asked.push((isAllowed) => resolve(isAllowed))),
    });
    const sessions = new Queue<Session>();
    hub.onConnect((session) => sessions.push(session));
    const said: string[] = [];
    hub.onMessageBinary((session, bytes) => {
      said.push(Buffer.from(bytes).toString());
      session.send("heard");
    });
    const client = await PacketClient.connect(context, port);
    const self = (await sessions.next()).number;
    client.send({ content: "1" }, { who: self, content: "to myself" }, { content: "2" });
    client.send({ content: "3" });
    const allow = await asked.next();
    assert.deepEqual(said, ["1"]);
    allow(true);
    const heard = [await client.next(), await client.next(), await client.next(), await client.next()];
    assert.deepEqual(
      heard.flat().map(({ content }) => content),
      ["heard", "to myself", "heard", "heard"],
    );
    assert.deepEqual(said, ["1", "2", "3"]);
  });

  test("passes by a packet to a session that is gone", async (context) => {
    const { hub, port } = await startHub(context);
    hub.onMessageBinary((session, bytes) => void session.send(bytes));
    const client = await PacketClient.connect(context, port);
    client.send({ who: 4_000_000_000, content: "anybody?" }, { content: "next" });
    assert.deepEqual(await client.next(), [{ type: 0, who: 0, content: "next" }]);
  });

  test("goes on where it was lost, by its resume key", async (context) => {
    const { hub, port } = await startHub(context);
    const sessions = new Queue<Session>();
    hub.onConnect((session) => sessions.push(session));
    const path = "/?resume=a-secret-of-this-client-0001";
    const first = await PacketClient.connect(context, port, path);
    const session = await sessions.next();
    session.send("1");
    session.send("2");
    await first.next();
    await first.ws.cut();
    const second = await PacketClient.connect(context, port, `${path}&received=1`);
    assert.deepEqual(await second.next(), [{ type: 0, who: 0, content: "2" }]);
  });
});
