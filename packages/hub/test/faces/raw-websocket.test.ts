import assert from "node:assert/strict";
import { describe, test, type TestContext } from "node:test";
import { HubError, Message, type Session } from "../../src/index.ts";
import { Queue } from "./support/queue.ts";
import { startHub, startTokens } from "./support/server.ts";
import { WsClient } from "./support/ws-client.ts";

const key = "a-secret-of-this-client-0001";

/** Sessions as they begin. */
function sessionsOf(hub: { onConnect(handler: (session: Session) => void): void }): Queue<Session> {
  const sessions = new Queue<Session>();
  hub.onConnect((session) => sessions.push(session));
  return sessions;
}

/** A message that is refused by HTTP. */
function refused(context: TestContext, port: number, headers: Record<string, string>): Promise<string> {
  return WsClient.connect(context, port, { headers }).then(
    () => "let in",
    (error: unknown) => String(error),
  );
}

describe("the face websocket", () => {
  test("gives the hub texts and bytes, and sends texts and bytes", async (context) => {
    const { hub, port } = await startHub(context);
    hub.onMessage((session, text) => void session.send(`you said ${text}`));
    hub.onMessageBinary((session, bytes) => void session.send(bytes.toReversed()));
    const client = await WsClient.connect(context, port);
    client.send("héllo");
    client.send("");
    client.send(Buffer.from([1, 2, 3]));
    assert.equal(await client.next(), "you said héllo");
    assert.equal(await client.next(), "you said ");
    assert.deepEqual(await client.next(), Buffer.from([3, 2, 1]));
  });

  test("sends the backend's reply, and that a message was refused, as messages", async (context) => {
    const { hub, port } = await startHub(context);
    hub.onReceive((_session, { data }, answer) => {
      if (data === "no") answer({ ok: false, code: "UNAVAILABLE", message: "away" });
      else answer(data === "quiet" ? { ok: true } : { ok: true, reply: Message.from(data) });
    });
    const client = await WsClient.connect(context, port);
    for (const said of ["quiet", "yes", "no"]) client.send(said);
    client.send(Buffer.from([1]));
    assert.equal(await client.next(), "yes");
    assert.equal(await client.next(), '{"error":{"code":"UNAVAILABLE","message":"away"}}');
    assert.deepEqual(await client.next(), Buffer.from([1]));
  });

  test("sends what is published as it is, with nothing around it", async (context) => {
    const { hub, port } = await startHub(context);
    const sessions = sessionsOf(hub);
    const clients = [await WsClient.connect(context, port), await WsClient.connect(context, port)];
    for (const session of await sessions.take(2)) await session.join("news");
    await hub.publish("news", { data: '{"a":1}', isJson: true, type: "item" });
    await hub.publish("news", Buffer.from([255]));
    for (const client of clients) {
      assert.equal(await client.next(), '{"a":1}');
      assert.deepEqual(await client.next(), Buffer.from([255]));
    }
  });

  test("keeps what a client says before it is let in", async (context) => {
    const asked = new Queue<() => void>();
    const { hub, port } = await startHub(context, {
      admit: async (session) => {
        await new Promise<void>((resolve) => asked.push(resolve));
        session.send("welcome");
      },
    });
    hub.onMessage((session, text) => void session.send(text));
    const client = await WsClient.connect(context, port);
    client.send("one");
    client.send("two");
    (await asked.next())();
    assert.deepEqual(await client.messages.take(3), ["welcome", "one", "two"]);
  });

  test("tells the application what the client asked for, without its secrets", async (context) => {
    const { hub, port } = await startHub(context, {}, { address: () => "192.0.2.7" });
    const sessions = sessionsOf(hub);
    await WsClient.connect(context, port, {
      path: `/chat/1?a=1&access_token=x&&resume=${key}&b=%26&%74oken=y`,
      headers: { Authorization: "Bearer secret", "User-Agent": "test", Cookie: "a=b" },
    });
    const { request } = await sessions.next();
    assert.deepEqual(request, {
      ...request,
      address: "192.0.2.7",
      path: "/chat/1",
      query: "a=1&b=%26",
      headers: { "user-agent": "test" },
    });
  });

  test("refuses pages of other origins, unless they are let in", async (context) => {
    const { port } = await startHub(context);
    assert.match(await refused(context, port, { Origin: "https://evil.example" }), /403/);
    assert.equal(await refused(context, port, { Origin: `http://127.0.0.1:${port}` }), "let in");
    const open = await startHub(context, {}, { origin: ["https://app.example"] });
    assert.equal(await refused(context, open.port, { Origin: "https://app.example" }), "let in");
  });

  test("agrees to a subprotocol of the application", async (context) => {
    const { port } = await startHub(context, {}, { protocols: ["chat.v2", "chat.v1"] });
    const client = await WsClient.connect(context, port, { protocols: ["other", "chat.v1", "chat.v2"] });
    assert.equal(client.socket.protocol, "chat.v1");
  });

  test("closes a client with the code of the hub's refusal", async (context) => {
    const refusal = { code: 4403, reason: "not on Sundays" };
    const { port } = await startHub(context, { admit: () => refusal });
    const client = await WsClient.connect(context, port);
    assert.deepEqual(await client.closed, refusal);
  });

  test("closes a client also where the refusal has a code and a reason that cannot be sent", async (context) => {
    const { port } = await startHub(context, { admit: () => ({ code: 42, reason: "é".repeat(100) }) });
    const client = await WsClient.connect(context, port);
    assert.equal((await client.closed).code, 1011);
  });

  test("closes a client whose message is over the limit with 1009", async (context) => {
    const { hub, port } = await startHub(context, { limits: { messageBytes: 10 } });
    hub.onMessage((session, text) => void session.send(text));
    const client = await WsClient.connect(context, port);
    client.send("0123456789");
    assert.equal(await client.next(), "0123456789");
    client.send("0123456789+");
    assert.equal((await client.closed).code, 1009);
  });

  test("tells of the end once, with its code and whether it was agreed to", async (context) => {
    const { hub, port } = await startHub(context);
    const ends = new Queue<object>();
    hub.onDisconnect((_session, disconnection) => ends.push(disconnection));
    const polite = await WsClient.connect(context, port);
    polite.socket.close(1000, "thanks");
    assert.deepEqual(await ends.next(), { code: 1000, reason: "thanks", clean: true });
    const rude = await WsClient.connect(context, port);
    await rude.cut();
    assert.deepEqual(await ends.next(), { code: 1006, reason: "", clean: false });
    const sent = await WsClient.connect(context, port);
    const [session] = [...hub.sessions];
    session?.close(4321, "enough");
    assert.deepEqual(await sent.closed, { code: 4321, reason: "enough" });
    assert.deepEqual(await ends.next(), { code: 4321, reason: "enough", clean: true });
    assert.equal(hub.size, 0);
    assert.equal(ends.size, 0);
  });

  test("asks a client for a sign of life, and tells of it", async (context) => {
    const { hub, port } = await startHub(context);
    const sessions = sessionsOf(hub);
    const pongs = new Queue<Session>();
    hub.onPong((session) => pongs.push(session));
    await WsClient.connect(context, port);
    const session = await sessions.next();
    session.ping();
    assert.equal(await pongs.next(), session);
  });

  test("does not read from a client whose session is paused", async (context) => {
    const { hub, port } = await startHub(context);
    const sessions = sessionsOf(hub);
    const texts: string[] = [];
    hub.onMessage((session, text) => {
      texts.push(text);
      if (text === "stop") session.pause();
      if (text === "done") session.send("done");
    });
    const client = await WsClient.connect(context, port);
    const session = await sessions.next();
    client.send("stop");
    client.send("done");
    // Another client is served meanwhile, and what it says comes after what would have been read.
    const other = await WsClient.connect(context, port);
    other.send("done");
    await other.next();
    assert.deepEqual(texts, ["stop", "done"]);
    session.resume();
    assert.equal(await client.next(), "done");
    assert.deepEqual(texts, ["stop", "done", "done"]);
  });

  test("closes a client that says more than it may with 4429", async (context) => {
    const { port } = await startHub(context, { limits: { messagesPerSecond: 1, messageBurst: 3 } });
    const client = await WsClient.connect(context, port);
    for (let count = 0; count < 10; count++) client.send("x");
    assert.equal((await client.closed).code, 4429);
  });
});

describe("a session of the face websocket that is resumed", () => {
  test("is given what it missed, in order and once", async (context) => {
    const { hub, port } = await startHub(context);
    const sessions = sessionsOf(hub);
    const away = new Queue<Session>();
    hub.onAway((session) => away.push(session));
    const path = `/?resume=${key}`;
    const first = await WsClient.connect(context, port, { path });
    const session = await sessions.next();
    for (const text of ["1", "2", "3"]) session.send(text);
    assert.deepEqual(await first.messages.take(3), ["1", "2", "3"]);
    await first.cut();
    assert.equal(await away.next(), session);
    session.send("4");
    // It had only two before its network was gone, as far as it knows.
    const second = await WsClient.connect(context, port, { path: `${path}&received=2` });
    session.send("5");
    assert.deepEqual(await second.messages.take(3), ["3", "4", "5"]);
    assert.equal(hub.size, 1);
    assert.equal(session.generation, 2);
  });

  test("takes the place of a link that is still there, which is closed with 4409", async (context) => {
    const { hub, port } = await startHub(context);
    const sessions = sessionsOf(hub);
    const path = `/?resume=${key}&received=0`;
    const first = await WsClient.connect(context, port, { path });
    const session = await sessions.next();
    const second = await WsClient.connect(context, port, { path });
    assert.equal((await first.closed).code, 4409);
    session.send("hello");
    assert.equal(await second.next(), "hello");
  });

  test("is refused with 4410 where it is gone and something would be missing", async (context) => {
    const { port } = await startHub(context);
    const gone = await WsClient.connect(context, port, { path: `/?resume=${key}&received=1` });
    assert.equal((await gone.closed).code, 4410);
    const begins = await WsClient.connect(context, port, { path: `/?resume=${key}&received=0` });
    begins.send("x");
    assert.equal(begins.socket.readyState, begins.socket.OPEN);
  });

  const wrong: [query: string, reason: RegExp][] = [
    ["?resume=short", /22 to 128 characters/],
    ["?resume=", /22 to 128 characters/],
    [`?resume=${key}%00`, /22 to 128 characters/],
    [`?resume=${"a".repeat(129)}`, /22 to 128 characters/],
    [`?resume=${key}&received=-1`, /received= must be/],
    [`?resume=${key}&received=1.5`, /received= must be/],
    [`?resume=${key}&received=1e3`, /received= must be/],
    [`?resume=${key}&received=9999999999999999`, /received= must be/],
    ["?received=3", /says nothing without resume/],
  ];
  for (const [query, reason] of wrong) {
    test(`is refused with 4400 for ${query.slice(0, 50)}`, async (context) => {
      const { hub, port } = await startHub(context);
      const client = await WsClient.connect(context, port, { path: `/${query}` });
      const closed = await client.closed;
      assert.equal(closed.code, 4400);
      assert.match(closed.reason, reason);
      assert.equal(hub.size, 0);
    });
  }
});

function identify(token: string): Promise<{ user: string }> {
  return token === "right"
    ? Promise.resolve({ user: "ada" })
    : Promise.reject(new Error(`${token} is forged`));
}

describe("a token as the first message", () => {
  test("says who the client is, and nobody hears it", async (context) => {
    const { hub, port } = await startTokens(context, identify);
    const texts = new Queue<string>();
    hub.onMessage((session, text) => texts.push(`${session.user}: ${text}`));
    const client = await WsClient.connect(context, port);
    client.send(" right\n");
    client.send("hello");
    assert.equal(await texts.next(), "ada: hello");
  });

  for (const first of ["wrong", "", Buffer.from("right")]) {
    test(`closes with 4401 where it is ${JSON.stringify(first)}`, async (context) => {
      const { hub, port } = await startTokens(context, identify);
      const client = await WsClient.connect(context, port);
      client.send(first);
      const { code, reason } = await client.closed;
      assert.equal(code, 4401);
      assert.doesNotMatch(reason, /forged/);
      assert.equal(hub.size, 0);
    });
  }

  test("asks a client to come again where tokens cannot be checked", async (context) => {
    const { port } = await startTokens(context, () => {
      return Promise.reject(new HubError("UNAVAILABLE", "tokens cannot be checked now; try again later"));
    });
    const client = await WsClient.connect(context, port);
    client.send("right");
    assert.deepEqual(await client.closed, {
      code: 1013,
      reason: "tokens cannot be checked now; try again later",
    });
  });
});
