import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { after, before, describe, test, type TestContext } from "node:test";
import * as grpc from "@grpc/grpc-js";
import { createHttp2Backend } from "@sluice/rpc";
import { startEchoServer } from "@sluice/testkit";
import { connectHttp2WebSocket } from "@sluice/websocket";
import { io, type Socket } from "socket.io-client";
import { Gateway } from "../src/index.ts";
import { createLogger } from "../src/log.ts";
import type { SessionHostOptions } from "../src/session-host/options.ts";
import { pushSchema } from "../src/sessions/schemas.ts";
import { startCommandIn, type RunningCommand } from "./command.ts";
import { ConfigFolder } from "./config/support.ts";
import { makeToken } from "./identity-support.ts";
import { EventClient, SessionClient } from "./session-client.ts";
import { Refusal, ScriptedHandler } from "./sessions/scripted-handler.ts";
import { send } from "./support.ts";
import { plainSessions } from "./plain-sessions.ts";

const secret = "0123456789abcdef0123456789abcdef";
const pushToken = "push-0123456789abcdef";
const folder = new ConfigFolder();
const backend = new ScriptedHandler();
const echo = await startEchoServer();
const open: { close(): unknown }[] = [];
let command: RunningCommand;
let http = "";

function token(user: string, seconds = 600): string {
  const exp = Math.ceil(Date.now() / 1000) + seconds;
  return makeToken({ alg: "HS256" }, { sub: user, exp }, Buffer.from(secret));
}

/** A client that begins to connect as a user. */
function connect(user: string, namespace = "/", options: Record<string, unknown> = {}): Socket {
  const socket = io(`${http}${namespace}`, {
    path: "/io",
    transports: ["websocket"],
    forceNew: true,
    reconnectionDelay: 1,
    reconnectionDelayMax: 1,
    ...(user === "" ? {} : { auth: { token: token(user) } }),
    ...options,
  });
  open.push(socket);
  return socket;
}

function next(socket: Socket, name: string): Promise<unknown[]> {
  return new Promise((resolve) => {
    socket.once(name, (...args: unknown[]) => resolve(args));
  });
}

async function connected(
  user: string,
  namespace = "/",
  options: Record<string, unknown> = {},
): Promise<Socket> {
  const socket = connect(user, namespace, options);
  const refused = next(socket, "connect_error").then(([error]) => {
    throw error as Error;
  });
  await Promise.race([next(socket, "connect"), refused]);
  return socket;
}

/** The arguments of the answer to an event. */
function ask(socket: Socket, name: string, ...args: unknown[]): Promise<unknown[]> {
  return new Promise((resolve) => {
    socket.emit(name, ...args, (...answer: unknown[]) => resolve(answer));
  });
}

/** The codes with which sessions of a namespace ended, as the backend knows. */
function endsOf(namespace: string): readonly number[] {
  return backend.of("disconnect").flatMap(({ code, session }) => (session?.path === namespace ? [code] : []));
}

/** How many calls sleep at the backend, or were cancelled. */
function sleeping(state: "open" | "cancelled"): number {
  return echo.calls.records.filter((call) => call.path.endsWith("/Sleep") && call.state === state).length;
}

before(async () => {
  backend.script.connect = ({ session }) => {
    if (session?.user === "mallory") return { deny: { code: 4403, reason: "not here" } };
    return { effects: [{ effect: { case: "join", value: { room: "chat:lobby" } } }] };
  };
  backend.script.message = ({ session, type, payload }) => {
    if (type === "say") {
      const publish = { room: "chat:lobby", type: "said", payload: payload! };
      return { effects: [{ effect: { case: "publish", value: publish } }] };
    }
    if (type === "refuse") throw new Refusal(grpc.status.FAILED_PRECONDITION, "not now");
    if (type === "echo") return { reply: payload! };
    if (type === "close")
      return { effects: [{ effect: { case: "close", value: { code: 4000, reason: "enough" } } }] };
    const what = `${session?.face} ${session?.path} ${session?.user} ${type} ${payload?.data.case}`;
    return { reply: { data: { case: "text", value: what } } };
  };
  await backend.start();
  folder.write(secret, "secret");
  const file = folder.write(`
listen: 127.0.0.1:0
log: { level: debug }
drain: 2s
backends:
  chat: { target: "${backend.address}" }
  echo: { target: "${echo.address}" }
faces:
  websocket: { path: /ws }
  sse: { path: /events }
  socketio: { path: /io, revisions: [3, 4], namespaces: [/, /chat, /room-*], recovery: true }
rooms:
  "chat:*": { history: { size: 100, ttl: 5m }, join: identified }
identity:
  jwt: { secretFile: secret, clockTolerance: 0s }
  from: [header, subprotocol, query, message]
push: { token: "${pushToken}" }
callbacks: { backend: chat, hooks: [connect, message, disconnect] }
`);
  command = startCommandIn({ cwd: folder.path }, "serve", "--config", file);
  [http] = await command.until(/http:\/\/127\.0\.0\.1:\d+/);
});
after(async () => {
  for (const each of open) each.close();
  if (command.process.exitCode === null) command.process.kill("SIGKILL");
  await backend.kill();
  await echo.close();
});

describe("a client of Socket.IO", () => {
  test("shares its rooms with all other faces, and is reached by the push API", async () => {
    const raw = await new SessionClient(
      `${http.replace("http", "ws")}/ws?access_token=${token("raw")}`,
    ).opened();
    const events = new EventClient(`${http}/events?room=chat:lobby`, {
      authorization: `Bearer ${token("sse")}`,
    });
    await events.response;
    const ada = await connected("ada");
    const bob = await connected("bob", "/chat", { transports: ["polling"] });
    const said = [next(ada, "said"), next(bob, "said")];
    bob.emit("say", { hello: "all" });
    assert.deepEqual(
      (await Promise.all(said)).map(([what]) => what),
      [{ hello: "all" }, { hello: "all" }],
    );
    assert.equal(await raw.next(), '{"hello":"all"}');
    assert.equal(await events.next(), '{"hello":"all"}');
    const got = [next(ada, "pushed"), next(bob, "pushed")];
    const pushed = await send(
      `${http}/v1/push/rooms/chat:lobby/publications`,
      "POST",
      { type: "pushed", payload: { json: [1, "two"], isList: true } },
      { authorization: `Bearer ${pushToken}` },
    );
    assert.equal(pushed.status, 200);
    assert.deepEqual(
      (await Promise.all(got)).map((args) => args.slice(0, 2)),
      [
        [1, "two"],
        [1, "two"],
      ],
    );
    assert.equal(await raw.next(), '[1,"two"]');
    assert.equal(await events.next(), '[1,"two"]');
    events.close();
    await raw.close();
  });

  test("says events to the backend, whose reply is the acknowledgement", async () => {
    const ada = await connected("ada", "/room-7");
    assert.deepEqual(await ask(ada, "what", "a text"), ["socketio /room-7 ada what text"]);
    assert.deepEqual(await ask(ada, "what", { a: 1 }), ["socketio /room-7 ada what json"]);
    assert.deepEqual(await ask(ada, "what", Buffer.from("hi")), ["socketio /room-7 ada what binary"]);
    assert.deepEqual(await ask(ada, "echo", "one", 2, { three: [3] }), ["one", 2, { three: [3] }]);
    assert.deepEqual(await ask(ada, "echo", [1, 2]), [[1, 2]]);
    assert.deepEqual(await ask(ada, "echo"), []);
    assert.deepEqual(await ask(ada, "echo", { deep: Buffer.from("hi") }), [{ deep: "aGk=" }]);
    assert.deepEqual(await ask(ada, "echo", Buffer.from("00ff", "hex")), [Buffer.from("00ff", "hex")]);
    assert.deepEqual(await ask(ada, "refuse"), [
      { error: { code: 9, status: "FAILED_PRECONDITION", message: "not now" } },
    ]);
    assert.deepEqual(await ask(ada, "no.such.Service/Method", 1), [
      "socketio /room-7 ada no.such.Service/Method json",
    ]);
    const told = next(ada, "sluice.close");
    ada.emit("close");
    assert.deepEqual(await told, [{ code: 4000, reason: "enough" }]);
    while (!endsOf("/room-7").includes(4000)) await new Promise(setImmediate);
  });

  test("calls unary methods of backends by JSON", async () => {
    const ada = await connected("ada", "/", { extraHeaders: { "grpc-metadata-mine": "1" } });
    const method = "sluice.test.v1.Echo/Say";
    assert.deepEqual(await ask(ada, method, { text: "hello" }), [{ text: "hello" }]);
    assert.deepEqual(await ask(ada, `/${method}`), [{}]);
    assert.deepEqual(await ada.emitWithAck(method, { text: "2" }), { text: "2" });
    const [{ metadata }] = (await ask(ada, "sluice.test.v1.Echo/Metadata", {})) as [
      { metadata: Record<string, { values: string[] }> },
    ];
    assert.deepEqual(metadata["sluice-user"]?.values, ["ada"]);
    assert.deepEqual(metadata["sluice-session"]?.values, [ada.id]);
    assert.deepEqual(metadata["mine"]?.values, ["1"]);
    assert.match(String(metadata["authorization"]?.values), /^Bearer /);
    assert.match(String(metadata["x-forwarded-for"]?.values), /127\.0\.0\.1/);
    // Nobody has looked at these.
    const extraHeaders = { authorization: "Bearer forged", "grpc-metadata-authorization": "Bearer forged" };
    const eve = await connected("eve", "/", { extraHeaders });
    const told = JSON.stringify(await ask(eve, "sluice.test.v1.Echo/Metadata", {}));
    assert.match(told, /Bearer /);
    assert.doesNotMatch(told, /forged/);
    const details = [{ "@type": "type.googleapis.com/google.protobuf.StringValue", value: "why" }];
    const failure = { status: { code: 5, message: "gone", details } };
    assert.deepEqual(await ask(ada, "sluice.test.v1.Echo/Fail", failure), [
      { error: { code: 5, status: "NOT_FOUND", message: "gone", details } },
    ]);
    for (const [args, pattern] of [
      [[{ text: 7 }], /INVALID_ARGUMENT.*text/],
      [[{}, {}], /INVALID_ARGUMENT.*one request/],
      [[Buffer.from("x")], /INVALID_ARGUMENT.*bytes/],
    ] as const) {
      assert.match(JSON.stringify(await ask(ada, method, ...args)), pattern);
    }
    assert.match(JSON.stringify(await ask(ada, "sluice.test.v1.Echo/Repeat", {})), /UNIMPLEMENTED.*stream/);
    assert.match(JSON.stringify(await ask(ada, "sluice.session.v1.SessionHandler/Message", {})), /socketio/);
  });

  test("has its calls cancelled when it leaves, and no more than so many at a time", async () => {
    const ada = await connected("ada");
    const answers: unknown[] = [];
    for (let index = 0; index < 101; index++) {
      ada.emit("sluice.test.v1.Echo/Sleep", {}, (answer: unknown) => answers.push(answer));
    }
    await ask(ada, "what");
    assert.match(JSON.stringify(answers), /^\[\{"error":\{[^}]*at most 100 calls/);
    await echo.calls.until(() => sleeping("open") === 100);
    ada.disconnect();
    await echo.calls.until(() => sleeping("cancelled") === 100);
    const again = await connected("ada");
    assert.deepEqual(await ask(again, "what"), ["socketio / ada what json"]);
  });

  test("is asked who it is: by auth, by a header, by the query", async () => {
    const refusals: readonly (readonly [options: Record<string, unknown>, code: number])[] = [
      [{}, 4401],
      [{ auth: { token: "forged" } }, 4401],
      [{ auth: { token: 7 } }, 4400],
      [{ auth: { token: token("mallory") } }, 4403],
    ];
    for (const [options, code] of refusals) {
      const [error] = (await next(connect("", "/", options), "connect_error")) as [Error & { data: unknown }];
      assert.deepEqual(error.data, { code }, error.message);
    }
    for (const options of [
      { extraHeaders: { authorization: `Bearer ${token("cy")}` } },
      { query: { access_token: token("cy") } },
    ]) {
      const socket = await connected("", "/", options);
      assert.deepEqual(await ask(socket, "what"), ["socketio / cy what json"]);
    }
    const short = connect("", "/", {
      auth: (give: (auth: object) => void) => give({ token: token("dan", 1) }),
    });
    await next(short, "connect");
    assert.equal((await next(short, "disconnect"))[0], "transport close");
    await next(short, "connect");
    assert.deepEqual(await ask(short, "what"), ["socketio / dan what json"]);
    short.disconnect();
  });

  test("joins the namespaces that are configured, and no other", async () => {
    const wrong = connect("ada", "/elsewhere");
    assert.match(String((await next(wrong, "connect_error"))[0]), /Invalid namespace/);
    await connected("ada", "/room-of-ada");
  });

  test("is given back its session and what it missed", async () => {
    const eve = await connected("eve");
    const bob = await connected("bob");
    const first = next(eve, "said");
    bob.emit("say", 1);
    await first;
    const { id } = eve;
    eve.io.engine.close();
    await ask(bob, "say", 2);
    const second = next(eve, "said");
    await next(eve, "connect");
    assert.deepEqual([eve.recovered, eve.id], [true, id]);
    assert.equal((await second)[0], 2);
  });

  test("of a page of another origin is refused", async () => {
    const evil = { origin: "https://evil.example" };
    for (const path of ["/io/?EIO=4&transport=polling", "/io?EIO=4&transport=polling"]) {
      assert.equal((await send(`${http}${path}`, "GET", undefined, evil)).status, 403);
      assert.equal((await send(`${http}${path}`)).status, 200);
    }
    const socket = connect("ada", "/", { extraHeaders: evil, reconnection: false });
    assert.ok((await next(socket, "connect_error"))[0] instanceof Error);
    assert.equal((await send(`${http}/io/socket.io.js`)).status, 404);
    assert.equal((await send(`${http}/io/?EIO=2&transport=polling`)).status, 400);
  });

  test("may come over HTTP/2, by polling and by WebSocket", async (context) => {
    const session = connectHttp2(http);
    context.after(() => session.destroy());
    const polling = session.request({ ":path": "/io/?EIO=4&transport=polling" });
    const [headers] = (await once(polling, "response")) as [{ ":status": number }];
    assert.equal(headers[":status"], 200);
    let text = "";
    for await (const chunk of polling) text += String(chunk);
    assert.match(text, /^0\{"sid":/);
    const messages: string[] = [];
    const connection = await connectHttp2WebSocket(session, "/io/?EIO=4&transport=websocket", {
      handlers: { message: (_connection, data) => void messages.push(data.toString()) },
    });
    connection.sendText(Buffer.from(`40{"token":"${token("ada")}"}`));
    while (messages.length < 2) await new Promise(setImmediate);
    assert.match(messages[1] ?? "", /^40\{"sid":/);
    connection.close(1000);
  });

  test("is sent away with the others when the gateway ends, and no new one is let in", async () => {
    const ada = await connected("ada");
    const told = next(ada, "sluice.close");
    const ended = next(ada, "disconnect");
    command.process.kill("SIGTERM");
    assert.deepEqual(await told, [{ code: 1001, reason: "the gateway is shutting down; connect again" }]);
    assert.equal((await ended)[0], "transport close");
    await once(command.process, "exit");
    assert.equal(command.process.exitCode, 0);
  });
});

/** A gateway in this process, whose backend may be told of sessions. */
async function start(context: TestContext, callbacks: SessionHostOptions["callbacks"]): Promise<string> {
  const handler = await new ScriptedHandler({
    connect: ({ token: given }) => ({ identity: { user: `who has ${given}` } }),
    message: ({ session }) => ({ reply: { data: { case: "text", value: session?.user ?? "" } } }),
  }).start();
  const gateway = new Gateway({
    upstreams: [
      {
        name: "chat",
        backend: createHttp2Backend(handler.address),
        loadSchema: () => Promise.resolve(pushSchema()),
      },
    ],
    log: createLogger("silent"),
    sessions: {
      ...plainSessions,
      socketio: { path: "/io", revisions: [4], namespaces: ["/chat"], maxPayload: 1000, recovery: false },
      callbacks,
    },
  });
  context.after(async () => {
    await gateway.close(0);
    await handler.kill();
  });
  const { port } = await gateway.start("127.0.0.1", 0);
  return `http://127.0.0.1:${port}/chat`;
}

function openAt(url: string, auth: Record<string, unknown>): Socket {
  return io(url, { path: "/io", transports: ["websocket"], forceNew: true, reconnection: false, auth });
}

describe("a client of Socket.IO of whom nothing but a callback says who it is", () => {
  test("is who that says, by the token in auth", async (context) => {
    const url = await start(context, { backend: "chat", hooks: ["connect", "message"] });
    const socket = openAt(url, { token: "a key" });
    await next(socket, "connect");
    assert.deepEqual(await ask(socket, "who"), ["who has a key"]);
    const large = next(socket, "disconnect");
    socket.emit("who", "x".repeat(1000));
    assert.equal((await large)[0], "transport close");
  });

  test("is refused with a token where nobody takes any, and is nobody without one", async (context) => {
    const url = await start(context, undefined);
    const refused = openAt(url, { token: "a key" });
    const [error] = (await next(refused, "connect_error")) as [Error & { data: unknown }];
    assert.deepEqual([error.message, error.data], ["no tokens are taken in auth here", { code: 4401 }]);
    refused.disconnect();
    const socket = openAt(url, {});
    await next(socket, "connect");
    const [answer] = (await ask(socket, "who")) as [{ error: { status: string } }];
    assert.equal(answer.error.status, "UNIMPLEMENTED");
    socket.disconnect();
    const elsewhere = openAt(url.replace("/chat", ""), {});
    assert.match(String((await next(elsewhere, "connect_error"))[0]), /Invalid namespace/);
    elsewhere.disconnect();
  });
});
