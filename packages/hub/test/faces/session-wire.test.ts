import assert from "node:assert/strict";
import { createServer } from "node:http";
import { describe, test } from "node:test";
import { settled } from "@sluice/testkit/fake-clock";
import { acceptWebSocket } from "@sluice/websocket";
import { Hub, HubError, Message, roomsByPattern, type Session, SocketFaces } from "../../src/index.ts";
import { Gate } from "../support/gate.ts";
import { Queue } from "./support/queue.ts";
import { listen, startHub, startTimed } from "./support/server.ts";
import { type Said, SessionClient } from "./support/session-client.ts";

const key = "a-secret-of-this-client-0001";
const rooms = roomsByPattern({
  "chat:*": { history: { size: 100, ttlMs: 60_000 }, presence: true },
  "*": {},
});

describe("the session wire", () => {
  test("greets a client with its session", async (context) => {
    const { hub, port } = await startHub(context, {}, { heartbeat: { intervalMs: 30_000 } });
    const { connected } = await SessionClient.connect(context, port);
    const [session] = [...hub.sessions];
    assert.deepEqual(connected, {
      session: session?.id,
      number: session?.number,
      resumed: false,
      recovered: true,
      rooms: [],
      pingSeconds: 30,
    });
    assert.equal(session?.face, "session");
  });

  test("joins the rooms of connect, and says of each what became of it", async (context) => {
    const { hub, port } = await startHub(context, {
      rooms,
      authorize: (_session, action, room) => action === "join" && room !== "secret",
    });
    await hub.publish("chat:1", "before");
    const { client, connected } = await SessionClient.connect(context, port, {
      rooms: [{ room: "chat:1" }, { room: "secret" }, { room: "plain" }],
    });
    const [chat, secret, plain] = connected["rooms"] as Record<string, unknown>[];
    assert.deepEqual(chat, { room: "chat:1", epoch: chat?.["epoch"], offset: 1, recovered: true });
    assert.deepEqual(secret, {
      room: "secret",
      error: { code: "PERMISSION_DENIED", message: "This client may not join this room." },
    });
    assert.deepEqual(plain, { room: "plain", recovered: true });
    await hub.publish("chat:1", "hello");
    assert.deepEqual(await client.next(), { room: "chat:1", data: "hello", offset: 2 });
    await hub.publish("plain", { data: "[1]", isJson: true, type: "list" });
    assert.deepEqual(await client.next(), { room: "plain", data: [1], type: "list" });
  });

  test("sends texts, JSON and bytes, each as JSON", async (context) => {
    const { hub, port } = await startHub(context);
    const { client } = await SessionClient.connect(context, port);
    const [session] = [...hub.sessions];
    session?.send("text");
    session?.send(Message.from({ data: '{"a":1}', isJson: true, type: "t", from: 7 }));
    session?.send(Buffer.from([1, 2]));
    assert.deepEqual(await client.take(3), [
      { message: "text" },
      { message: { a: 1 }, type: "t", from: 7 },
      { message: { base64: "AQI=" } },
    ]);
  });

  test("gives the hub what is sent, and answers what came of it", async (context) => {
    const { hub, port } = await startHub(context);
    const said = new Queue<unknown>();
    hub.onMessage((_session, text, { type, isJson }) => said.push({ text, type, isJson }));
    hub.onMessageBinary((_session, bytes) => said.push(Buffer.from(bytes).toString("hex")));
    const { client } = await SessionClient.connect(context, port);
    client.say({ send: "quiet" });
    assert.deepEqual(await client.call({ send: { a: 1 }, type: "t" }), { id: 1, ok: {} });
    assert.deepEqual(await client.call({ send: { base64: "AP8=" } }), { id: 2, ok: {} });
    assert.deepEqual(await said.take(3), [
      { text: "quiet", type: "", isJson: false },
      { text: '{"a":1}', type: "t", isJson: true },
      "00ff",
    ]);
  });

  test("answers with the reply of the backend, or why it refused", async (context) => {
    const { hub, port } = await startHub(context);
    hub.onReceive((_session, { data }, answer) => {
      if (data === "fail") answer({ ok: false, code: "UNAVAILABLE", message: "the backend is away" });
      else answer({ ok: true, reply: Message.from({ data: "[1]", isJson: true, type: "sum" }) });
      answer({ ok: true });
    });
    const { client } = await SessionClient.connect(context, port);
    assert.deepEqual(await client.call({ send: "go" }), { id: 1, ok: { data: [1], type: "sum" } });
    const error = { code: "UNAVAILABLE", message: "the backend is away" };
    assert.deepEqual(await client.call({ send: "fail" }), { id: 2, error });
    client.say({ send: "fail" });
    assert.deepEqual(await client.next(), { error });
  });

  test("joins, publishes and leaves, and each command is answered once", async (context) => {
    const { hub, port } = await startHub(context, { rooms });
    const { client, connected } = await SessionClient.connect(context, port);
    const joined = await client.call({ join: "chat:1" });
    const { epoch } = joined["ok"] as { epoch: string };
    assert.deepEqual(joined, { id: 1, ok: { epoch, offset: 0, recovered: true } });
    client.ask({ publish: "chat:1", data: { n: 1 }, type: "t", key: "once" });
    client.ask({ publish: "chat:1", data: { n: 1 }, type: "t", key: "once" });
    const answers = await client.take(3);
    const publication = answers.find((each) => "room" in each);
    assert.deepEqual(publication, {
      room: "chat:1",
      data: { n: 1 },
      offset: 1,
      type: "t",
      from: connected["number"],
    });
    const rest = answers.filter((each) => each !== publication);
    assert.deepEqual(rest, [
      { id: 2, ok: { epoch, offset: 1, duplicate: false } },
      { id: 3, ok: { epoch, offset: 1, duplicate: true } },
    ]);
    assert.deepEqual(await client.call({ leave: "chat:1" }), { id: 4, ok: {} });
    await hub.publish("chat:1", "unheard");
    assert.deepEqual(await client.call({ publish: "plain", data: 1 }), { id: 5, ok: { duplicate: false } });
  });

  test("tells the epoch of a room with its first publication where the answer did not", async (context) => {
    const { hub, port } = await startHub(context, { rooms });
    const { client } = await SessionClient.connect(context, port);
    const [session] = [...hub.sessions];
    await session?.join("chat:1");
    const { epoch } = await hub.publish("chat:1", "one");
    await hub.publish("chat:1", "two");
    assert.deepEqual(await client.take(2), [
      { room: "chat:1", data: "one", offset: 1, epoch },
      { room: "chat:1", data: "two", offset: 2 },
    ]);
  });

  test("does not remember the epochs of rooms that the client has left", async (context) => {
    const { hub, port } = await startHub(context, { rooms });
    const { client } = await SessionClient.connect(context, port);
    const [session] = [...hub.sessions];
    // Its history outlives its members.
    await hub.publish("chat:1", "before");
    await client.call({ join: "chat:1" });
    await client.call({ leave: "chat:1" });
    await session?.join("chat:1");
    const { epoch } = await hub.publish("chat:1", "one");
    assert.deepEqual(await client.next(), { room: "chat:1", data: "one", offset: 2, epoch });
  });

  test("answers a join before the publications that it recovers", async (context) => {
    const { hub, port } = await startHub(context, { rooms });
    const { epoch } = await hub.publish("chat:1", "1");
    for (const text of ["2", "3", "4"]) await hub.publish("chat:1", text);
    const { client } = await SessionClient.connect(context, port);
    client.ask({ join: "chat:1", since: { epoch, offset: 2 } });
    await hub.publish("chat:1", "5");
    const [answer, ...publications] = await client.take(4);
    assert.equal((answer as { ok: { recovered: boolean } }).ok.recovered, true);
    assert.deepEqual(
      publications.map(({ offset }) => offset),
      [3, 4, 5],
    );
    client.ask({ leave: "chat:1" });
    await client.next();
    const lost = await client.call({ join: "chat:1", since: { epoch: "another", offset: 2 } });
    assert.deepEqual(lost["ok"], { epoch, offset: 5, recovered: false });
  });

  test("sends what waits for the answer of a join before it closes", async (context) => {
    const asked = new Gate();
    const { hub, port } = await startHub(context, {
      authorize: () => {
        asked.open();
        return new Promise<boolean>(() => {});
      },
    });
    const { client } = await SessionClient.connect(context, port);
    const [session] = [...hub.sessions];
    await session?.join("room");
    client.ask({ join: "room" });
    await asked.opened;
    await hub.publish("room", "last");
    session?.send("words");
    session?.close(4000, "enough");
    assert.deepEqual(await client.take(2), [{ room: "room", data: "last" }, { message: "words" }]);
    assert.equal((await client.ws.closed).code, 4000);
  });

  test("does what is asked about one room in order, and other rooms meanwhile", async (context) => {
    const waiting = new Queue<() => void>();
    const { port } = await startHub(context, {
      rooms,
      authorize: (_session, _action, room) =>
        room !== "chat:slow" || new Promise((resolve) => waiting.push(() => resolve(true))),
    });
    const { client } = await SessionClient.connect(context, port);
    client.ask({ join: "chat:slow" });
    client.ask({ leave: "chat:slow" });
    client.ask({ presence: "chat:slow" });
    client.ask({ join: "chat:fast" });
    assert.equal((await client.next())["id"], 4);
    (await waiting.next())();
    assert.deepEqual(
      (await client.take(2)).map(({ id }) => id),
      [1, 2],
    );
    (await waiting.next())();
    assert.deepEqual(await client.next(), { id: 3, ok: { members: [], sessions: 0, users: 0 } });
  });

  test("answers every id exactly once, and delivers in order, whatever is asked at once", async (context) => {
    const { hub, port } = await startHub(context, {
      rooms,
      limits: { messagesPerSecond: 1e6, messageBurst: 1e6 },
      authorize: async (_session, action, room) => {
        for (let turns = (room.length * 7 + action.length) % 4; turns > 0; turns--) {
          await new Promise((resolve) => {
            setImmediate(resolve);
          });
        }
        return room !== "chat:333";
      },
    });
    const { client } = await SessionClient.connect(context, port);
    const names = ["chat:1", "chat:22", "chat:333", "plain"];
    const commands = [
      (room: string) => ({ join: room }),
      (room: string) => ({ publish: room, data: "x" }),
      (room: string) => ({ leave: room }),
      (room: string) => ({ history: room }),
      (room: string) => ({ presence: room }),
      (room: string) => ({ join: room, since: { epoch: "e", offset: 0 } }),
      () => ({ send: "x" }),
      () => ({ join: 7 }),
    ];
    const total = 1_000;
    let random = 1;
    const pick = <Item>(items: readonly Item[]): Item => {
      random = (random * 48_271) % 2_147_483_647;
      return items[random % items.length]!;
    };
    for (let count = 0; count < total; count++) client.ask(pick(commands)(pick(names)));
    const answers = new Map<number, number>();
    const places = new Map<string, number>();
    while ([...answers.values()].length < total) {
      const { id, room, offset } = await client.next();
      if (typeof id === "number") answers.set(id, (answers.get(id) ?? 0) + 1);
      else if (offset !== undefined) {
        assert.ok(Number(offset) > (places.get(String(room)) ?? 0), "publications come in order, each once");
        places.set(String(room), Number(offset));
      }
    }
    assert.ok([...answers.values()].every((times) => times === 1));
    assert.equal(hub.size, 1);
  });

  test("shows who is in a room, but not the ids of their sessions", async (context) => {
    const { port } = await startHub(
      context,
      { rooms },
      { identify: (token) => Promise.resolve({ user: token, info: { name: token.toUpperCase() } }) },
    );
    const ada = await SessionClient.connect(context, port, { token: "ada", rooms: [{ room: "chat:1" }] });
    const bob = await SessionClient.connect(context, port, { token: "bob", rooms: [{ room: "chat:1" }] });
    assert.deepEqual(await bob.client.call({ presence: "chat:1" }), {
      id: 1,
      ok: {
        members: [
          { number: ada.connected["number"], user: "ada", info: { name: "ADA" } },
          { number: bob.connected["number"], user: "bob", info: { name: "BOB" } },
        ],
        sessions: 2,
        users: 2,
      },
    });
    const refused = await bob.client.call({ presence: "plain" });
    assert.equal((refused["error"] as { code: string }).code, "FAILED_PRECONDITION");
  });

  test("gives the history of a room by pages, bounded by bytes", async (context) => {
    const { hub, port } = await startHub(context, { rooms }, { limits: { historyBytes: 200 } });
    const { epoch } = await hub.publish("chat:1", { data: '"1"', isJson: true, type: "t", from: 3 });
    await hub.publish("chat:1", Buffer.from([2]));
    await hub.publish("chat:1", "3".repeat(200));
    const { client } = await SessionClient.connect(context, port);
    const first = await client.call({ history: "chat:1" });
    const { publications, ...place } = first["ok"] as { publications: Record<string, unknown>[] };
    assert.deepEqual(place, { epoch, offset: 3, complete: true });
    assert.equal(typeof publications[0]?.["at"], "number");
    assert.deepEqual(
      publications.map(({ at: _at, ...rest }) => rest),
      [
        { data: "1", offset: 1, type: "t", from: 3 },
        { data: { base64: "Ag==" }, offset: 2 },
      ],
    );
    const next = await client.call({ history: "chat:1", since: { epoch, offset: 2 } });
    assert.deepEqual((next["ok"] as { publications: { offset: number }[] }).publications[0]?.offset, 3);
    const last = await client.call({ history: "chat:1", reverse: true, limit: 1 });
    assert.deepEqual(
      (last["ok"] as { publications: { offset: number }[] }).publications.map(({ offset }) => offset),
      [3],
    );
    const none = await client.call({ history: "plain" });
    assert.equal((none["error"] as { code: string }).code, "FAILED_PRECONDITION");
  });

  test("goes on where it was lost, and with what was not received", async (context) => {
    const { hub, port } = await startHub(context, { rooms });
    const sessions = new Queue<Session>();
    hub.onConnect((each) => sessions.push(each));
    const resume = { key, received: 0 };
    const { client } = await SessionClient.connect(context, port, { resume, rooms: [{ room: "chat:1" }] });
    const session = await sessions.next();
    for (const text of ["1", "2"]) await hub.publish("chat:1", text);
    session.send("3");
    await client.take(3);
    client.say({ received: 2 });
    await client.call({ send: "so that it was read" });
    await client.ws.cut();
    await hub.publish("chat:1", "4");
    const again = await SessionClient.connect(context, port, { resume: { key, received: 2 } });
    assert.deepEqual([again.connected["resumed"], again.connected["recovered"]], [true, true]);
    const [three, four] = await again.client.take(2);
    assert.deepEqual(three, { message: "3" });
    assert.equal(four?.["data"], "4");
    await again.client.ws.cut();
    // What it said that it had received is not kept any more.
    const late = await SessionClient.connect(context, port, { resume: { key, received: 1 } });
    assert.deepEqual([late.connected["resumed"], late.connected["recovered"]], [false, false]);
  });

  test("tells a client what it was not sent because it reads too slowly", async (context) => {
    const { hub, port } = await startHub(context, {
      rooms: () => ({ slow: "drop_oldest" }),
      limits: { outboxBytes: 400_000 },
    });
    const { client } = await SessionClient.connect(context, port, { rooms: [{ room: "busy" }] });
    const drops = new Queue<unknown>();
    hub.onDrop((_session, drop) => drops.push(drop));
    client.ws.socket.pause();
    // The systems' buffers take some megabytes.
    for (let index = 0; drops.size === 0; index++) {
      await hub.publish("busy", `${index} ${"x".repeat(50_000)}`);
    }
    client.ws.socket.resume();
    let told: unknown;
    while (told === undefined) told = (await client.next())["dropped"];
    const { room, count } = told as { room: string; count: number };
    assert.equal(room, "busy");
    assert.ok(count > 0);
  });
});

/** Takes tokens that are a user, and the time of their end where they have one. */
function identify(token: string): Promise<{ user: string; expiresAt?: number }> {
  const [user = "", expiresAt] = token.split(" ");
  if (user === "forged") return Promise.reject(new Error("a secret reason"));
  if (user === "old") return Promise.reject(new HubError("PERMISSION_DENIED", "the token has expired"));
  return Promise.resolve({ user, ...(expiresAt === undefined ? {} : { expiresAt: Number(expiresAt) }) });
}

describe("a token on the session wire", () => {
  test("says who the client is", async (context) => {
    const { hub, port } = await startHub(context, {}, { identify });
    await SessionClient.connect(context, port, { token: "ada" });
    assert.deepEqual(
      [...hub.sessions].map(({ user }) => user),
      ["ada"],
    );
  });

  for (const [token, reason] of [
    ["forged", "the token is not valid"],
    ["old", "the token has expired"],
  ] as const) {
    test(`closes with 4401 where it is ${token}`, async (context) => {
      const { hub, port } = await startHub(context, {}, { identify });
      const client = await SessionClient.open(context, port);
      client.say({ connect: { token } });
      assert.deepEqual(await client.ws.closed, { code: 4401, reason });
      assert.equal(hub.size, 0);
    });
  }

  test("is not needed where something before the face knows the client, and is where it says so", async (context) => {
    const hub = new Hub();
    const faces = new SocketFaces(hub, { identify });
    const http = createServer();
    http.on("upgrade", (request, socket, head) => {
      const known = request.url === "/known" ? { identity: { user: "eve" } } : { awaitsToken: true };
      acceptWebSocket(request, socket, head, faces.accept(request, known));
    });
    const port = await listen(context, http, hub);
    const user = async (path: string, connect: object): Promise<string> => {
      const client = await SessionClient.open(context, port, path);
      client.say({ connect });
      const greeted = client
        .next()
        .then(({ connected }) => hub.session(String((connected as Said)["session"]))?.user);
      return (await Promise.race([greeted, client.ws.closed.then(({ code }) => String(code))])) ?? "";
    };
    assert.equal(await user("/known", {}), "eve");
    assert.equal(await user("/known", { token: "ada" }), "ada");
    assert.equal(await user("/", { token: "ada" }), "ada");
    assert.equal(await user("/", {}), "4401");
  });

  test("is refused where none is taken", async (context) => {
    const { port } = await startHub(context);
    const client = await SessionClient.open(context, port);
    client.say({ connect: { token: "ada" } });
    assert.equal((await client.ws.closed).code, 4401);
    const other = await SessionClient.connect(context, port);
    const { error } = await other.client.call({ refresh: "ada" });
    assert.equal((error as { code: string }).code, "FAILED_PRECONDITION");
  });

  test("closes with 4401 when it has expired, and the session waits for a new one", async (context) => {
    const { clock, hub, port } = await startTimed(context, { identify });
    const away = new Queue<Session>();
    hub.onAway((session) => away.push(session));
    const resume = { key, received: 0 };
    const { client } = await SessionClient.connect(context, port, {
      token: `ada ${clock.date() + 5_000}`,
      resume,
    });
    clock.advance(4_999);
    assert.deepEqual(await client.call({ send: "still here" }), { id: 1, ok: {} });
    clock.advance(1);
    assert.deepEqual(await client.ws.closed, { code: 4401, reason: "the token has expired" });
    await away.next();
    const again = await SessionClient.connect(context, port, { token: "ada", resume });
    assert.equal(again.connected["resumed"], true);
  });

  test("is renewed by refresh, which counts from then on", async (context) => {
    const { clock, port, hub } = await startTimed(context, { identify });
    const { client } = await SessionClient.connect(context, port, { token: `ada ${clock.date() + 5_000}` });
    const expiresAt = clock.date() + 9_000;
    assert.deepEqual(await client.call({ refresh: `ada ${expiresAt}` }), { id: 1, ok: { expiresAt } });
    clock.advance(8_999);
    assert.deepEqual(await client.call({ refresh: "forged" }), {
      id: 2,
      error: { code: "UNAUTHENTICATED", message: "the token is not valid" },
    });
    const { error } = await client.call({ refresh: "bob" });
    assert.equal((error as { code: string }).code, "PERMISSION_DENIED");
    assert.deepEqual(
      [...hub.sessions].map(({ user }) => user),
      ["ada"],
    );
    clock.advance(1);
    assert.equal((await client.ws.closed).code, 4401);
  });

  test("closes with 4408 where nobody says in time what it is worth", async (context) => {
    const asked = new Gate();
    const { clock, hub, port } = await startTimed(context, {
      identify: () => {
        asked.open();
        return new Promise(() => {});
      },
    });
    const client = await SessionClient.open(context, port);
    client.say({ connect: { token: "ada" } });
    await asked.opened;
    clock.advance(10_000);
    assert.equal((await client.ws.closed).code, 4408);
    assert.equal(hub.size, 0);
    assert.equal(clock.size, 0);
  });

  test("is not renewed once its link has ended, and leaves no timer", async (context) => {
    const asked = new Gate();
    const given = new Gate<{ user: string; expiresAt: number }>();
    const { clock, port, hub } = await startTimed(context, {
      identify: (token) => {
        if (token === "ada") return identify(token);
        asked.open();
        return given.opened;
      },
    });
    const away = new Queue<Session>();
    hub.onAway((session) => away.push(session));
    const { client } = await SessionClient.connect(context, port, {
      token: "ada",
      resume: { key, received: 0 },
    });
    client.ask({ refresh: "ada later" });
    await asked.opened;
    await client.ws.cut();
    const session = await away.next();
    const { identity } = session;
    given.open({ user: "ada", expiresAt: clock.date() + 5_000 });
    await settled();
    assert.equal(session.identity, identity);
    assert.equal(clock.size, 0);
  });

  test("is counted as every command is, whatever it is worth", async (context) => {
    const limits = { messagesPerSecond: 0.001, messageBurst: 3 };
    const { port } = await startHub(context, { limits }, { identify });
    const { client } = await SessionClient.connect(context, port, { token: "ada" });
    for (let index = 0; index < 4; index++) client.ask({ refresh: "forged" });
    assert.equal((await client.ws.closed).code, 4429);
  });

  test("does not expire any more after a refresh without an end", async (context) => {
    const { clock, port } = await startTimed(context, { identify });
    const { client } = await SessionClient.connect(context, port, { token: `ada ${clock.date() + 5_000}` });
    assert.deepEqual(await client.call({ refresh: "ada" }), { id: 1, ok: {} });
    clock.advance(10_000_000);
    assert.deepEqual(await client.call({ send: "still here" }), { id: 2, ok: {} });
  });
});
