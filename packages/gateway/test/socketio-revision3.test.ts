import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, before, describe, test, type TestContext } from "node:test";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { startEchoServer, type EchoServer } from "@sluice/testkit";
import { io as newestClient } from "socket.io-client";
import type { Gateway } from "../src/index.ts";
import type { EffectSchema, Payload } from "../src/sessions/generated/sluice/session/v1/session_pb.ts";
import { ScriptedHandler } from "./sessions/scripted-handler.ts";
import { ask, next, startSocketIoGateway, type EventSocket } from "./socketio-support.ts";
import { send } from "./support.ts";

/** What the tests use of a client 2.5.0, which has no types. */
interface OldSocket extends EventSocket {
  readonly id: string;
  readonly connected: boolean;
  readonly io: {
    readonly engine: EventSocket & { readonly transport: { readonly name: string }; close(): unknown };
  };
  on(name: string, listener: (...args: never[]) => void): unknown;
  disconnect(): unknown;
}

const oldClient = createRequire(import.meta.url)("socket.io-client-2") as (
  url: string,
  options: Record<string, unknown>,
) => OldSocket;

const ways = {
  polling: ["polling"],
  websocket: ["websocket"],
  "polling, then websocket": ["polling", "websocket"],
} as const;

type EffectInit = MessageInitShape<typeof EffectSchema>;

const pushToken = "push-0123456789abcdef";
const chat = new ScriptedHandler({
  connect: ({ token }) =>
    token === "mallory" ? { deny: { code: 4403, reason: "not here" } } : { identity: { user: token } },
  message: ({ session, type, payload }) => {
    if (type === "echo") return { reply: payload! };
    const who = {
      data: { case: "text", value: `${session?.face} ${session?.path} ${session?.user}` },
    } as const;
    const [room = ""] = session?.rooms ?? [];
    const effects: Record<string, EffectInit> = {
      join: { effect: { case: "join", value: { room: textIn(payload) } } },
      leave: { effect: { case: "leave", value: { room } } },
      say: {
        effect: { case: "publish", value: { room, type: "said", payload: payload!, exceptSelf: true } },
      },
      close: { effect: { case: "close", value: { code: 4000, reason: "enough" } } },
    };
    const effect = effects[type];
    return { reply: who, effects: effect === undefined ? [] : [effect] };
  },
});

/** A payload that is a text; empty for another one. */
function textIn(payload: Payload | undefined): string {
  return payload?.data.case === "text" ? payload.data.value : "";
}

let echo: EchoServer;
let gateway: Gateway;
let url = "";

before(async () => {
  await chat.start();
  echo = await startEchoServer();
  ({ gateway, url } = await startSocketIoGateway({
    chat,
    echo,
    face: { revisions: [3, 4], namespaces: ["/", "/chat", "/room-*"] },
    sessions: {
      callbacks: { backend: "chat", hooks: ["connect", "message", "disconnect"] },
      push: { tokens: [pushToken] },
    },
  }));
});
after(async () => {
  await gateway.close(0);
  await Promise.all([chat.kill(), echo.close()]);
});

/** A client that begins to connect as a user. */
function open(
  context: TestContext,
  user: string,
  { path = "", ...options }: Record<string, unknown>,
): OldSocket {
  const extraHeaders = { authorization: `Bearer ${user}` };
  const socket = oldClient(`${url}${String(path)}`, {
    path: "/io",
    forceNew: true,
    reconnectionDelay: 1,
    reconnectionDelayMax: 1,
    ...(user === "" ? {} : { transportOptions: { polling: { extraHeaders }, websocket: { extraHeaders } } }),
    ...options,
  });
  context.after(() => socket.disconnect());
  return socket;
}

async function connect(
  context: TestContext,
  user: string,
  options: Record<string, unknown>,
): Promise<OldSocket> {
  const socket = open(context, user, options);
  const refused = next(socket, "error").then(([error]) => {
    throw new Error(JSON.stringify(error));
  });
  await Promise.race([next(socket, "connect"), refused]);
  return socket;
}

/** Says something by the push API, and answers what that answers. */
async function push(path: string, body: unknown): Promise<unknown> {
  const authorization = `Bearer ${pushToken}`;
  const { status, json } = await send(`${url}/v1/push/${path}`, "POST", body, { authorization });
  assert.equal(status, 200);
  return json;
}

for (const [way, transports] of Object.entries(ways)) {
  describe(`a client 2.5.0 by ${way}`, () => {
    test("says events, which are answered, and calls methods", async (context) => {
      const ada = await connect(context, "ada", { transports });
      assert.deepEqual(await ask(ada, "who"), ["socketio / ada"]);
      assert.deepEqual(await ask(ada, "echo", "€", 2, { three: [3] }), ["€", 2, { three: [3] }]);
      assert.deepEqual(await ask(ada, "echo"), []);
      const bytes = Buffer.from("00ff", "hex");
      assert.deepEqual(await ask(ada, "echo", bytes), [bytes]);
      const say = "sluice.test.v1.Echo/Say";
      assert.deepEqual(await ask(ada, say, { text: "hello" }), [{ text: "hello" }]);
      assert.match(JSON.stringify(await ask(ada, say, { text: 7 })), /"status":"INVALID_ARGUMENT"/);
    });

    test("is in rooms with clients of other versions, and is pushed to", async (context) => {
      const room = `room by ${way}`;
      const ada = await connect(context, "ada", { transports });
      const bob = await connect(context, `bob by ${way}`, { transports });
      const eve = newestClient(url, { path: "/io", forceNew: true, auth: { token: "eve" } });
      context.after(() => eve.disconnect());
      for (const socket of [ada, bob, eve]) await ask(socket, "join", room);
      const said = [next(bob, "said"), next(eve, "said")];
      ada.emit("say", { hello: "all" }, 2);
      for (const args of await Promise.all(said)) assert.deepEqual(args, [{ hello: "all" }, 2]);
      const toAda = next(ada, "said");
      eve.emit("say", "from the newest");
      assert.deepEqual(await toAda, ["from the newest"]);

      const toAll = [ada, bob].map((socket) => next(socket, "news"));
      const news = { type: "news", payload: { json: [1, "two"], isList: true } };
      await push(`rooms/${encodeURIComponent(room)}/publications`, news);
      for (const args of await Promise.all(toAll)) assert.deepEqual(args, [1, "two"]);
      const toBob = next(bob, "bytes");
      const sent = await push(`users/bob by ${way}/messages`, { type: "bytes", payload: { binary: "AP8=" } });
      assert.deepEqual(sent, { sessions: 1 });
      assert.deepEqual(await toBob, [Buffer.from("00ff", "hex")]);

      let heard = 0;
      bob.on("said", () => void heard++);
      await ask(bob, "leave");
      const again = next(eve, "said");
      await ask(ada, "say", "who has left hears nothing");
      await again;
      await ask(bob, "who");
      assert.equal(heard, 0);
    });

    test("is told why its session ends, and comes back where it is cut off", async (context) => {
      const ada = await connect(context, `ada by ${way}`, { transports });
      const ends = (): readonly number[] =>
        chat
          .of("disconnect")
          .flatMap(({ code, session }) => (session?.user === `ada by ${way}` ? [code] : []));
      const first = ada.id;
      ada.io.engine.close();
      await next(ada, "connect");
      assert.notEqual(ada.id, first);
      assert.deepEqual(await ask(ada, "who"), [`socketio / ada by ${way}`]);
      const told = next(ada, "sluice.close");
      const ended = next(ada, "disconnect");
      ada.emit("close");
      assert.deepEqual(await told, [{ code: 4000, reason: "enough" }]);
      await ended;
      while (ends().length < 2) await new Promise(setImmediate);
      assert.ok(ends().includes(4000));
    });
  });
}

describe("a client 2.5.0", () => {
  test("loses nothing while it moves to a WebSocket", async (context) => {
    const ada = await connect(context, "ada", { transports: ways["polling, then websocket"] });
    await ask(ada, "join", "moving");
    const { engine } = ada.io;
    const got: unknown[] = [];
    ada.on("news", (value: unknown) => got.push(value));
    const answers: Promise<unknown[]>[] = [];
    for (let isLast = false; !isLast;) {
      isLast = engine.transport.name === "websocket";
      const count = answers.push(ask(ada, "echo", answers.length));
      await push("rooms/moving/publications", { type: "news", payload: { json: count - 1 } });
    }
    const all = [...answers.keys()];
    assert.deepEqual((await Promise.all(answers)).flat(), all);
    await ask(ada, "who");
    assert.deepEqual(got, all);
  });

  test("is refused with a code, and is told of namespaces that there are not", async (context) => {
    const { websocket: transports } = ways;
    const mallory = open(context, "mallory", { transports });
    assert.deepEqual(await next(mallory, "error"), [{ code: 4403 }]);
    const elsewhere = open(context, "ada", { transports, path: "/elsewhere" });
    assert.deepEqual(await next(elsewhere, "error"), [{ message: "Invalid namespace" }]);
  });

  test("joins namespaces, each with a token of its own in its query", async (context) => {
    for (const path of ["/chat", "/room-7"]) {
      for (const transports of Object.values(ways)) {
        const ada = await connect(context, "", { transports, path: `${path}?token=ada` });
        assert.deepEqual(await ask(ada, "who"), [`socketio ${path} ada`]);
      }
    }
  });

  test("is not let in where only newer ones are", async (context) => {
    const { gateway: strict, url: elsewhere } = await startSocketIoGateway({});
    context.after(() => strict.close(0));
    const { polling: transports } = ways;
    const socket = oldClient(elsewhere, { path: "/io", forceNew: true, reconnection: false, transports });
    await next(socket, "connect_error");
    assert.equal(socket.connected, false);
  });
});
