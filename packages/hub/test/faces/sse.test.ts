import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import { connect as connectHttp2, createServer as createHttp2Server } from "node:http2";
import { connect as connectSocket, type AddressInfo, type Socket } from "node:net";
import { describe, test, type TestContext } from "node:test";
import { FakeClock } from "@sluice/testkit/fake-clock";
import {
  createSseHandler,
  Hub,
  type HubOptions,
  type KnownClient,
  Message,
  roomsByPattern,
  type Session,
  type SseOptions,
} from "../../src/index.ts";
import { Queue } from "./support/queue.ts";
import { startHttp } from "./support/server.ts";
import { exchange, post, SseClient } from "./support/sse-client.ts";

const key = "a-secret-of-this-client-0001";
const rooms = roomsByPattern({ "chat:*": { history: { size: 3, ttlMs: 60_000 } }, "*": {} });

/** A hub with event streams. */
async function start(
  context: TestContext,
  options: HubOptions = {},
  faceOptions: SseOptions = {},
  known?: KnownClient,
): Promise<{ readonly hub: Hub; readonly port: number; readonly sessions: Queue<Session> }> {
  const hub = new Hub({ rooms, authorize: () => true, ...options });
  const sessions = new Queue<Session>();
  hub.onConnect((session) => sessions.push(session));
  const handler = createSseHandler(hub, faceOptions);
  const port = await startHttp(context, hub, (asked, response) => handler(asked, response, known));
  return { hub, port, sessions };
}

describe("an event stream", () => {
  test("begins with the session, when to ask again, and where the client is", async (context) => {
    const { hub, port, sessions } = await start(context, {}, { retryMs: 1_000, random: () => 0.25 });
    const { epoch } = await hub.publish("chat:1", "before");
    const client = await SseClient.connect(context, port, "/events?room=chat:1&room=plain");
    const { headers } = client.response;
    assert.equal(headers["content-type"], "text/event-stream");
    assert.equal(headers["cache-control"], "no-cache");
    assert.equal(headers["x-accel-buffering"], "no");
    assert.equal(headers["access-control-allow-origin"], undefined);
    const session = await sessions.next();
    assert.deepEqual(await client.json("sluice.session"), {
      session: session.id,
      number: session.number,
      resumed: false,
      recovered: true,
      rooms: [
        { room: "chat:1", epoch, offset: 1, recovered: true },
        { room: "plain", recovered: true },
      ],
    });
    assert.equal(await client.retries.next(), "750");
    assert.equal(client.lastId, `0;${epoch}.1;`);
    assert.equal(session.face, "sse");
    assert.equal(session.request.path, "/events");
  });

  test("has messages and publications, each with the place to go on from", async (context) => {
    const { hub, port, sessions } = await start(context);
    const client = await SseClient.connect(context, port, "/?room=chat:1&room=plain");
    await client.json("sluice.session");
    const session = await sessions.next();
    const { epoch } = await hub.publish("chat:1", { data: "one\r\ntwo\rthree\nid: 9", type: "lines" });
    await hub.publish("plain", '{"a":1}');
    session.send(Buffer.from([0, 255]));
    session.send(Message.from({ data: "", type: "evil\nid: 7" }));
    await hub.publish("chat:1", "next");
    const events = await client.events.take(5);
    assert.deepEqual(events, [
      { type: "lines", data: "one\ntwo\nthree\nid: 9", id: `1;${epoch}.1;` },
      { type: "message", data: '{"a":1}', id: `2;${epoch}.1;` },
      { type: "message", data: '{"base64":"AP8="}', id: `3;${epoch}.1;` },
      { type: "evil id: 7", data: "", id: `4;${epoch}.1;` },
      { type: "message", data: "next", id: `5;${epoch}.2;` },
    ]);
  });

  test("goes on with its session by key and Last-Event-ID, in order and once", async (context) => {
    const { hub, port, sessions } = await start(context);
    const path = `/?room=chat:1&resume=${key}`;
    const first = await SseClient.connect(context, port, path);
    await first.json("sluice.session");
    const session = await sessions.next();
    session.send("1");
    await hub.publish("chat:1", "2");
    await first.events.take(2);
    await first.cut();
    session.send("3");
    for (const text of ["4", "5", "6", "7", "8"]) await hub.publish("chat:1", text);
    const again = await SseClient.connect(context, port, path, { "Last-Event-ID": first.lastId });
    const { data, id } = await again.next();
    const greeting = JSON.parse(data) as Record<string, unknown>;
    assert.deepEqual([greeting["resumed"], greeting["recovered"]], [true, true]);
    assert.equal(id, first.lastId);
    const events = await again.events.take(6);
    assert.deepEqual(
      events.map((each) => each.data),
      ["3", "4", "5", "6", "7", "8"],
    );
    assert.match(events[5]!.id, /^8;.*\.6$/);
    assert.equal(hub.size, 1);
  });

  test("does not say that it is further than the client, whose session goes on", async (context) => {
    const { hub, port, sessions } = await start(context);
    const path = `/?room=chat:1&resume=${key}`;
    const away = new Queue<Session>();
    hub.onAway((session) => away.push(session));
    // It leaves before it has read anything, so it has no id to return with.
    const first = await SseClient.connect(context, port, path);
    await first.cut();
    await sessions.next();
    await away.next();
    const { epoch } = await hub.publish("chat:1", "1");
    await hub.publish("chat:1", "2");
    const again = await SseClient.connect(context, port, path);
    const events = await again.events.take(3);
    assert.deepEqual(
      events.map(({ id }) => id),
      ["0;", `1;${epoch}.1`, `2;${epoch}.2`],
    );
  });

  test("recovers rooms by their positions where the session is gone", async (context) => {
    const { hub, port, sessions } = await start(context, { graceMs: 0 });
    const path = "/?room=chat:1&room=chat:2&room=plain";
    const first = await SseClient.connect(context, port, path);
    await first.json("sluice.session");
    await sessions.next();
    await hub.publish("chat:1", "1");
    await first.next();
    await first.cut();
    await hub.publish("chat:1", "2");
    await hub.publish("chat:2", "3");
    const again = await SseClient.connect(context, port, path, { "Last-Event-ID": first.lastId });
    const { data, id } = await again.next();
    assert.equal((JSON.parse(data) as Record<string, unknown>)["resumed"], false);
    // It is still where it was: what it missed comes now.
    assert.equal(id, first.lastId.replace(/^\d+/, "0"));
    const found = await again.events.take(2);
    assert.deepEqual(found.map((each) => each.data).toSorted(), ["2", "3"]);
  });

  test("says what is lost where it can be recovered in no way", async (context) => {
    const { hub, port } = await start(context);
    const { epoch } = await hub.publish("chat:1", "1");
    for (const text of ["2", "3", "4", "5", "6"]) await hub.publish("chat:1", text);
    const path = `/?room=chat:1&resume=${key}`;
    const client = await SseClient.connect(context, port, path, { "Last-Event-ID": `3;${epoch}.1` });
    const greeting = await client.json("sluice.session");
    assert.equal(greeting["recovered"], false);
    assert.deepEqual(await client.json("sluice.lost"), {});
    assert.deepEqual(await client.json("sluice.lost"), { room: "chat:1" });
    assert.equal(client.lastId, `0;${epoch}.6`);
    await hub.publish("chat:1", "7");
    assert.equal((await client.next()).data, "7");
  });

  for (const id of ["nonsense", "1", "1;e.1;e.1", "9".repeat(400)]) {
    test(`begins anew, and says so, with a Last-Event-ID of ${id.slice(0, 20)}`, async (context) => {
      const { port } = await start(context);
      const client = await SseClient.connect(context, port, "/?room=chat:1", { "Last-Event-ID": id });
      await client.json("sluice.session");
      assert.deepEqual(await client.json("sluice.lost"), {});
    });
  }

  test("takes the last id from the query too, for pages that begin another EventSource", async (context) => {
    const { hub, port } = await start(context);
    const { epoch } = await hub.publish("chat:1", "1");
    await hub.publish("chat:1", "2");
    const client = await SseClient.connect(context, port, `/?room=chat:1&lastEventId=0;${epoch}.1`);
    await client.json("sluice.session");
    assert.equal((await client.next()).data, "2");
  });

  test("shows that it lives when it is silent, and only then", async (context) => {
    const clock = new FakeClock();
    const { port, sessions } = await start(context, {}, { clock, keepAliveMs: 10_000 });
    const client = await SseClient.connect(context, port, "/");
    const session = await sessions.next();
    await client.json("sluice.session");
    clock.advance(5_000);
    session.send("x");
    clock.advance(5_000);
    session.send("y");
    await client.events.take(2);
    assert.equal(client.comments.size, 0);
    clock.advance(10_000);
    assert.equal(await client.comments.next(), "");
    await client.cut();
  });

  test("is closed with a word of why, and ends", async (context) => {
    const { port, sessions } = await start(context);
    const client = await SseClient.connect(context, port, "/");
    await client.json("sluice.session");
    const session = await sessions.next();
    session.send("last");
    session.close(4321, "enough");
    assert.equal((await client.next()).data, "last");
    assert.deepEqual(await client.json("sluice.close"), { code: 4321, reason: "enough" });
    await client.ended;
  });

  test("is cut when it is over and its client does not read the rest", async (context) => {
    const clock = new FakeClock();
    const hub = new Hub({ limits: { outboxBytes: 16 * 2 ** 20 } });
    const sockets = new Queue<Socket>();
    const events = createSseHandler(hub, { clock, limits: { closingMs: 5_000 } });
    const port = await startHttp(context, hub, (asked, response) => {
      sockets.push(asked.socket);
      events(asked, response);
    });
    const over = new Queue<number>();
    hub.onDisconnect((_session, { code }) => over.push(code));
    hub.onConnect((session) => {
      setImmediate(() => {
        const text = "x".repeat(2 ** 20);
        while (!session.isClosed) session.send(text);
      });
    });
    const client = connectSocket(port, "127.0.0.1");
    client.on("error", () => {});
    context.after(() => client.destroy());
    client.write("GET / HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n");
    const socket = await sockets.next();
    const cut = once(socket, "close");
    assert.equal(await over.next(), 4413);
    clock.advance(4_999);
    assert.equal(socket.destroyed, false);
    clock.advance(1);
    await cut;
    assert.equal(clock.size, 0);
  });

  test("tells the hub once that the client has gone", async (context) => {
    const { hub, port } = await start(context);
    const ends = new Queue<object>();
    hub.onDisconnect((_session, disconnection) => ends.push(disconnection));
    const client = await SseClient.connect(context, port, "/");
    await client.json("sluice.session");
    await client.cut();
    assert.deepEqual(await ends.next(), { code: 1006, reason: "", clean: false });
    assert.equal(hub.size, 0);
  });

  test("ends with 4401 when what the client has proven expires, and may go on with a new proof", async (context) => {
    const clock = new FakeClock();
    const identity = { user: "ada", expiresAt: clock.date() + 1_000 };
    const { port, sessions } = await start(context, {}, { clock }, { identity });
    const client = await SseClient.connect(context, port, `/?resume=${key}`);
    await client.json("sluice.session");
    const session = await sessions.next();
    clock.advance(1_000);
    assert.deepEqual(await client.json("sluice.close"), { code: 4401, reason: "the token has expired" });
    await client.ended;
    assert.equal(session.phase, "away");
  });

  test("works over HTTP/2 as well", async (context) => {
    const hub = new Hub({ rooms, authorize: () => true });
    const texts = new Queue<string>();
    hub.onMessage((_session, text) => texts.push(text));
    const handler = createSseHandler(hub);
    const server = createHttp2Server((asked, response) => handler(asked, response));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const session = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    context.after(() => {
      session.destroy();
      server.close();
    });
    const path = `/?room=chat:1&resume=${key}`;
    const stream = session.request({ ":path": path, accept: "text/event-stream" });
    const [headers] = (await once(stream, "response")) as [Record<string, unknown>];
    assert.equal(headers[":status"], 200);
    let text = "";
    const seen = new Queue<string>();
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      for (const data of chunk.matchAll(/^data: (.*)$/gm)) seen.push(data[1] ?? "");
    });
    await seen.next();
    await hub.publish("chat:1", "over HTTP/2");
    assert.equal(await seen.next(), "over HTTP/2");
    const sent = session.request({ ":method": "POST", ":path": path, "content-type": "text/plain" });
    sent.end("and back");
    const [answer] = (await once(sent, "response")) as [Record<string, unknown>];
    assert.equal(answer[":status"], 202);
    assert.equal(await texts.next(), "and back");
    const gone = new Queue<Session>();
    hub.onAway((each) => gone.push(each));
    stream.close();
    await gone.next();
    await hub.close();
  });
});

describe("a message by POST", () => {
  test("reaches the hub as a text, as JSON, or as bytes", async (context) => {
    const { hub, port } = await start(context);
    const said = new Queue<unknown>();
    hub.onMessage((_session, text, { isJson, type }) => said.push({ text, isJson, type }));
    hub.onMessageBinary((_session, bytes) => said.push(Buffer.from(bytes).toString("hex")));
    const client = await SseClient.connect(context, port, `/?resume=${key}`);
    const { session } = await client.json("sluice.session");
    const path = `/?resume=${key}`;
    const answers = [
      await post(port, path, "héllo", "text/plain; charset=utf-8"),
      await post(port, `${path}&type=chat`, '{"a": 1.0}', "application/json"),
      await post(port, path, Buffer.from([0, 255]), "Application/Octet-Stream"),
      await post(port, "/", "by its id", "text/plain", { "Sluice-Session": String(session) }),
    ];
    assert.deepEqual(
      answers.map(({ status }) => status),
      [202, 202, 202, 202],
    );
    assert.deepEqual(await said.take(4), [
      { text: "héllo", isJson: false, type: "" },
      { text: '{"a": 1.0}', isJson: true, type: "chat" },
      "00ff",
      { text: "by its id", isJson: false, type: "" },
    ]);
  });

  test("is answered with what the backend replies, or why it refuses", async (context) => {
    const { hub, port } = await start(context);
    hub.onReceive((_session, { data }, answer) => {
      if (data === "json") answer({ ok: true, reply: Message.from({ data: "[1]", isJson: true }) });
      else if (data === "text") answer({ ok: true, reply: Message.from("hélas") });
      else if (data === "bytes") answer({ ok: true, reply: Message.from(Buffer.from("b")) });
      else answer({ ok: false, code: String(data), message: "so it is" });
    });
    const client = await SseClient.connect(context, port, `/?resume=${key}`);
    await client.json("sluice.session");
    const ask = async (text: string): Promise<unknown[]> => {
      const { status, headers, body } = await post(port, `/?resume=${key}`, text);
      return [status, headers["content-type"], body];
    };
    assert.deepEqual(await ask("json"), [200, "application/json", "[1]"]);
    assert.deepEqual(await ask("text"), [200, "text/plain; charset=utf-8", "hélas"]);
    assert.deepEqual(await ask("bytes"), [200, "application/octet-stream", "b"]);
    const refusals = { UNAVAILABLE: 503, NOT_FOUND: 404, WHATEVER: 500 };
    for (const [code, status] of Object.entries(refusals)) {
      const body = JSON.stringify({ error: { code, message: "so it is" } });
      assert.deepEqual(await ask(code), [status, "application/json", body]);
    }
  });

  test("is refused while the session is paused, and taken when it goes on", async (context) => {
    const { port, sessions } = await start(context);
    const client = await SseClient.connect(context, port, `/?resume=${key}`);
    await client.json("sluice.session");
    const session = await sessions.next();
    session.pause();
    const { status, headers } = await post(port, `/?resume=${key}`, "x");
    assert.equal(status, 503);
    assert.equal(headers["retry-after"], "5");
    session.resume();
    assert.equal((await post(port, `/?resume=${key}`, "x")).status, 202);
  });

  test("is refused where too many of the session wait for their answers", async (context) => {
    const { hub, port } = await start(context, {}, { limits: { pendingPosts: 2 } });
    const answers = new Queue<() => void>();
    hub.onReceive((_session, _message, answer) => answers.push(() => answer({ ok: true })));
    const client = await SseClient.connect(context, port, `/?resume=${key}`);
    await client.json("sluice.session");
    const waiting = [post(port, `/?resume=${key}`, "1"), post(port, `/?resume=${key}`, "2")];
    const ready = await answers.take(2);
    assert.equal((await post(port, `/?resume=${key}`, "3")).status, 429);
    for (const answer of ready) answer();
    for (const answered of await Promise.all(waiting)) assert.equal(answered.status, 202);
  });

  test("is answered also where its session ends before the backend has answered", async (context) => {
    const { hub, port } = await start(context);
    hub.onReceive((session) => session.close(4403, "banned"));
    const client = await SseClient.connect(context, port, `/?resume=${key}`);
    await client.json("sluice.session");
    const { status, body } = await post(port, `/?resume=${key}`, "x");
    assert.equal(status, 403);
    assert.match(body, /banned/);
  });

  for (const [what, lose] of [
    ["is lost", (client: SseClient) => client.cut()],
    [
      "gives way to another",
      async (client: SseClient, context: TestContext, port: number) => {
        await SseClient.connect(context, port, `/?resume=${key}`, { "last-event-id": client.lastId });
        await client.ended;
      },
    ],
  ] as const) {
    test(`is answered as the backend says, also where its stream ${what} meanwhile`, async (context) => {
      const { hub, port } = await start(context);
      const answers = new Queue<() => void>();
      hub.onReceive((_session, _message, answer) => answers.push(() => answer({ ok: true })));
      const client = await SseClient.connect(context, port, `/?resume=${key}`);
      await client.json("sluice.session");
      const posted = post(port, `/?resume=${key}`, "x");
      const answer = await answers.next();
      await lose(client, context, port);
      answer();
      assert.equal((await posted).status, 202);
    });
  }

  test("does not speak for the session of another user", async (context) => {
    const hub = new Hub();
    const handler = createSseHandler(hub);
    const port = await startHttp(context, hub, (asked, response) => {
      const user = asked.headers["x-user"];
      handler(asked, response, user === undefined ? {} : { identity: { user: String(user) } });
    });
    const sessions = new Queue<Session>();
    hub.onMessage((session) => sessions.push(session));
    const path = `/?resume=${key}`;
    const say = async (headers: Record<string, string>, to = path): Promise<number> => {
      const { status } = await post(port, to, "x", "text/plain", headers);
      return status;
    };
    const client = await SseClient.connect(context, port, path, { "x-user": "ada" });
    const { session } = await client.json("sluice.session");
    assert.equal(await say({ "x-user": "eve" }), 404);
    // Nor does one without a token, though it knows the key; it has the id for that.
    assert.equal(await say({}), 404);
    assert.equal(await say({ "x-user": "eve", "sluice-session": String(session) }, "/"), 404);
    assert.equal(await say({ "sluice-session": String(session) }, "/"), 202);

    // The same key of another user is another key, and takes nothing from the first.
    const other = await SseClient.connect(context, port, path, { "x-user": "eve" });
    await other.json("sluice.session");
    assert.equal(await say({ "x-user": "ada" }), 202);
    assert.equal(await say({ "x-user": "eve" }), 202);
    const told = await sessions.take(3);
    assert.deepEqual(
      told.map(({ user }) => user),
      ["ada", "ada", "eve"],
    );
    await other.cut();
    assert.equal(await say({ "x-user": "ada" }), 202);
  });

  test("whose body does not come in time is answered with 408", async (context) => {
    const clock = new FakeClock();
    const { port } = await start(context, {}, { clock, limits: { bodyMs: 1_000 } });
    const client = await SseClient.connect(context, port, `/?resume=${key}`);
    await client.json("sluice.session");
    const slow = request({ host: "127.0.0.1", port, method: "POST", path: `/?resume=${key}`, agent: false });
    context.after(() => slow.destroy());
    slow.setHeader("content-type", "text/plain");
    slow.setHeader("expect", "100-continue");
    slow.flushHeaders();
    await once(slow, "continue");
    clock.advance(1_000);
    const [response] = (await once(slow, "response")) as [{ statusCode: number }];
    assert.equal(response.statusCode, 408);
  });
});

describe("a body that is refused", () => {
  const bodies: [name: string, path: string, type: string, status: number][] = [
    ["of an unknown session", "/", "text/plain", 404],
    ["of another type", `/?resume=${key}`, "text/html", 415],
    ["that is too large", `/?resume=${key}`, "text/plain", 413],
  ];
  for (const [name, path, type, status] of bodies) {
    test(`${name} is read to its end over HTTP/2, and its stream is closed`, async (context) => {
      const hub = new Hub();
      const handler = createSseHandler(hub);
      const server = createHttp2Server((asked, response) => handler(asked, response));
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      const session = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
      context.after(async () => {
        await hub.close();
        session.destroy();
        server.close();
      });
      const stream = session.request({ ":path": `/?resume=${key}`, accept: "text/event-stream" });
      await once(stream, "data");
      const sent = session.request({ ":method": "POST", ":path": path, "content-type": type });
      sent.end(Buffer.alloc(1_000_000, "x"));
      const [answer] = (await once(sent.resume(), "response")) as [Record<string, unknown>];
      assert.equal(answer[":status"], status);
      await once(sent, "close");
    });
  }
});

describe("a request for an event stream that is refused", () => {
  const refusals: [name: string, options: Parameters<typeof exchange>[1], status: number, code: string][] = [
    ["another method", { method: "PUT", path: "/" }, 405, "UNIMPLEMENTED"],
    ["another Accept", { path: "/", headers: { accept: "application/json" } }, 406, "INVALID_ARGUMENT"],
    ["a room without a name", { path: "/?room=" }, 400, "INVALID_ARGUMENT"],
    ["a room twice", { path: "/?room=a&room=a" }, 400, "INVALID_ARGUMENT"],
    ["a resume key that is none", { path: "/?resume=short" }, 400, "INVALID_ARGUMENT"],
    ["too many rooms", { path: "/?room=a&room=b&room=c" }, 400, "INVALID_ARGUMENT"],
    ["only rooms that may not be joined", { path: "/?room=secret" }, 403, "PERMISSION_DENIED"],
  ];
  for (const [name, options, status, code] of refusals) {
    test(`has ${status} for ${name}`, async (context) => {
      const { hub, port } = await start(context, {
        limits: { roomsPerSession: 2 },
        authorize: (_session, _action, room) => room !== "secret",
      });
      const answered = await exchange(port, options);
      assert.equal(answered.status, status);
      assert.equal(answered.headers["content-type"], "application/json");
      const { error } = JSON.parse(answered.body) as { error: { code: string; message: string } };
      assert.equal(error.code, code);
      assert.ok(error.message.length > 10);
      assert.equal(hub.size, 0);
    });
  }

  test("has the status of the hub's refusal", async (context) => {
    const { port } = await start(context, { admit: () => ({ code: 4401, reason: "who are you?" }) });
    const { status, body } = await exchange(port, { path: "/" });
    assert.equal(status, 401);
    assert.equal(body, '{"error":{"code":"UNAUTHENTICATED","message":"who are you?"}}');
  });

  test("has 503 and when to come again where there is no room", async (context) => {
    const { port } = await start(context, { limits: { sessions: 1 } });
    await SseClient.connect(context, port, "/");
    const { status, headers } = await exchange(port, { path: "/" });
    assert.equal(status, 503);
    assert.equal(headers["retry-after"], "5");
  });

  test("has 401 where a token is awaited, which a stream cannot be sent", async (context) => {
    const { port } = await start(context, {}, {}, { awaitsToken: true });
    assert.equal((await exchange(port, { path: "/" })).status, 401);
    assert.equal((await post(port, "/", "x")).status, 401);
  });
});
