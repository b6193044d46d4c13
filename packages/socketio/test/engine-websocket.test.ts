import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { EngineMessage } from "../src/index.ts";
import { connectClient, startEngine } from "./support/engine.ts";

describe("a session on a WebSocket", () => {
  for (const revision of [3, 4]) {
    test(`of revision ${revision} begins with what the client has to know, without an upgrade`, async (context) => {
      const { url, opened } = await startEngine(context);
      const { messages } = await connectClient(`${url}?EIO=${revision}&transport=websocket`);
      const first = String(await messages.next());
      assert.equal(first[0], "0");
      const said = JSON.parse(first.slice(1)) as Record<string, unknown>;
      assert.deepEqual(Object.keys(said), ["sid", "upgrades", "pingInterval", "pingTimeout", "maxPayload"]);
      assert.deepEqual(said.upgrades, []);
      const session = await opened.next();
      assert.equal(session.id, said.sid);
      assert.equal(session.protocol, revision);
      assert.equal(session.transport.name, "websocket");
      assert.equal(session.upgraded, false);
    });
  }

  const bytes = Buffer.of(1, 2, 3, 4);
  for (const [query, sent, received = sent] of [
    ["EIO=4", "4hello"],
    ["EIO=4", "4"],
    ["EIO=4", "4€\u{1f600}"],
    ["EIO=4", bytes],
    ["EIO=4", Buffer.alloc(0)],
    ["EIO=4", "bAQIDBA==", bytes],
    ["EIO=4&b64=1", "bAQIDBA=="],
    ["EIO=4&b64=1", bytes, "bAQIDBA=="],
    ["EIO=3", "4hello"],
    ["EIO=3", Buffer.of(4, 1, 2, 3, 4)],
    ["EIO=3", "b4AQIDBA==", Buffer.of(4, 1, 2, 3, 4)],
    ["EIO=3&b64=1", "b4AQIDBA=="],
    ["EIO=3", "2", "3"],
    ["EIO=3", "2x", "3x"],
  ] as const) {
    const shown = typeof sent === "string" ? sent : sent.toString("hex");
    test(`with ${query} takes ${shown} and answers it`, async (context) => {
      const { url } = await startEngine(context);
      const { connection, messages } = await connectClient(`${url}?${query}&transport=websocket`);
      await messages.next();
      connection.send(sent);
      assert.deepEqual(await messages.next(), received);
    });
  }

  for (const [query, sent, reason] of [
    ["EIO=4", "abc", "parse error"],
    ["EIO=4", "", "parse error"],
    ["EIO=4", "b!", "parse error"],
    ["EIO=3", Buffer.of(9), "parse error"],
    ["EIO=3", Buffer.alloc(0), "parse error"],
    ["EIO=4", "2", "transport error"],
    ["EIO=3", "3", "transport error"],
  ] as const) {
    test(`with ${query} ends with ${reason} when ${JSON.stringify(sent)} comes, and says why`, async (context) => {
      const { url, ended } = await startEngine(context);
      const { connection, closed, messages } = await connectClient(`${url}?${query}&transport=websocket`);
      await messages.next();
      connection.send(sent);
      const end = await ended.next();
      assert.equal(end.reason, reason);
      const { code, reason: told } = await closed.next();
      assert.equal(code, 1002);
      assert.equal(told, end.cause?.message);
      assert.notEqual(told, "");
    });
  }

  test("ends with transport close when its client says so, closes, or is lost", async (context) => {
    const { url, ended } = await startEngine(context);
    for (const leave of [
      (client: Awaited<ReturnType<typeof connectClient>>) => void client.connection.send("1"),
      (client: Awaited<ReturnType<typeof connectClient>>) => client.connection.close(),
      (client: Awaited<ReturnType<typeof connectClient>>) => client.connection.terminate(),
    ]) {
      const client = await connectClient(`${url}?EIO=4&transport=websocket`);
      leave(client);
      assert.equal((await ended.next()).reason, "transport close");
      await client.closed.next();
    }
  });

  test("ends with 1009 when a message has more bytes than allowed, and says so", async (context) => {
    const { url, ended } = await startEngine(context, { maxHttpBufferSize: 100 });
    const { connection, closed, messages } = await connectClient(`${url}?EIO=4&transport=websocket`);
    await messages.next();
    connection.send(`4${"a".repeat(99)}`);
    assert.equal(String(await messages.next()).length, 100);
    connection.send(`4${"a".repeat(100)}`);
    assert.equal((await closed.next()).code, 1009);
    const { reason, cause } = await ended.next();
    assert.equal(reason, "transport error");
    assert.equal(String(cause), "SocketIoError: a message has at most 100 bytes (maxHttpBufferSize)");
  });

  test("can be closed by the server, behind what was sent", async (context) => {
    const { url, opened, ended } = await startEngine(context);
    const { closed, messages } = await connectClient(`${url}?EIO=4&transport=websocket`);
    const session = await opened.next();
    session.send("last");
    session.close();
    assert.equal(session.readyState, "closed");
    assert.equal(session.send("never"), false);
    session.close();
    assert.equal((await ended.next()).reason, "forced close");
    await messages.next();
    assert.equal(await messages.next(), "4last");
    assert.equal((await closed.next()).code, 1000);
    assert.equal(messages.size, 0);
  });

  test("has messages compressed where both sides want it, but for those that say not", async (context) => {
    const { url, opened } = await startEngine(context, { perMessageDeflate: { threshold: 100 } });
    const { connection, messages } = await connectClient(`${url}?EIO=4&transport=websocket`, {
      compression: true,
    });
    await messages.next();
    const session = await opened.next();
    const text = "a".repeat(10_000);
    const received = async (): Promise<number> => {
      const before = connection.bytesReceived;
      assert.equal(await messages.next(), `4${text}`);
      return connection.bytesReceived - before;
    };
    session.send(text);
    assert.ok((await received()) < 200);
    session.send(text, false);
    assert.ok((await received()) >= 10_000);
    session.send(new EngineMessage(text));
    assert.ok((await received()) < 200);
  });

  test("shares messages with others of any revision and encoding", async (context) => {
    const { url, opened, engine } = await startEngine(context);
    const queries = ["EIO=4", "EIO=3", "EIO=4&b64=1", "EIO=3&b64=1"];
    const clients = [];
    for (const query of queries) {
      clients.push(await connectClient(`${url}?${query}&transport=websocket`));
      await opened.next();
    }
    const message = new EngineMessage(Buffer.of(1, 2));
    const text = new EngineMessage("hello");
    for (const session of engine.sessions.values()) session.sendAll([text, message]);
    const received = [];
    for (const { messages } of clients) {
      await messages.next();
      assert.equal(await messages.next(), "4hello");
      received.push(await messages.next());
    }
    assert.deepEqual(received, [Buffer.of(1, 2), Buffer.of(4, 1, 2), "bAQI=", "b4AQI="]);
  });

  test("leaves the engine with nothing of it", async (context) => {
    const { url, engine, ended } = await startEngine(context);
    const { connection } = await connectClient(`${url}?EIO=4&transport=websocket`);
    assert.equal(engine.clientsCount, 1);
    connection.close();
    await ended.next();
    assert.equal(engine.clientsCount, 0);
  });
});
