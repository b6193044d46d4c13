import assert from "node:assert/strict";
import { request } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { EventEmitter, once } from "node:events";
import { describe, test, type TestContext } from "node:test";
import { encodePacket } from "@sluice/hub";
import { createHttp2Backend } from "@sluice/rpc";
import { startEchoServer } from "@sluice/testkit";
import { connectHttp2WebSocket } from "@sluice/websocket";
import { Gateway, type GatewayOptions } from "../src/index.ts";
import { createLogger } from "../src/log.ts";
import type { SessionHostOptions } from "../src/session-host/options.ts";
import { pushSchema } from "../src/sessions/schemas.ts";
import { SessionClient } from "./session-client.ts";
import { ScriptedHandler } from "./sessions/scripted-handler.ts";
import { echoSchema, send } from "./support.ts";
import { plainSessions } from "./plain-sessions.ts";

/** A gateway with sessions and no backend. */
async function startHost(
  context: TestContext,
  sessions: Partial<SessionHostOptions> = {},
  options: Partial<GatewayOptions> = {},
): Promise<{ readonly gateway: Gateway; readonly http: string; readonly ws: string }> {
  const gateway = new Gateway({
    upstreams: [],
    log: createLogger("silent"),
    sessions: {
      ...plainSessions,
      sockets: [{ path: "/ws", faces: ["websocket", "session"] }],
      events: "/events",
      rooms: {
        "open:*": { join: "anyone", publish: "anyone" },
        "known:*": { join: "identified", publish: "nobody" },
      },
      ...sessions,
    },
    ...options,
  });
  context.after(() => gateway.close(0));
  const { port } = await gateway.start("127.0.0.1", 0);
  return { gateway, http: `http://127.0.0.1:${port}`, ws: `ws://127.0.0.1:${port}` };
}

async function joined(ws: string, room: string): Promise<SessionClient> {
  const client = await new SessionClient(`${ws}/ws`, ["sluice.session.v1"]).opened();
  client.say({ connect: { rooms: [{ room }] } });
  await client.next();
  return client;
}

describe("what clients may do by themselves", () => {
  test("is what the rooms say, and nothing where no pattern fits", async (context) => {
    const { ws } = await startHost(context);
    const [one, other] = await Promise.all([joined(ws, "open:a"), joined(ws, "open:a")]);
    one.say({ publish: "open:a", data: "hello" });
    assert.equal(((await other.nextJson()) as { data: string }).data, "hello");
    for (const [index, command] of [
      { join: "known:a" },
      { publish: "known:a", data: 1 },
      { join: "elsewhere" },
      { presence: "open:b" },
    ].entries()) {
      other.say({ ...command, id: index });
      assert.match(await other.next(), new RegExp(`"id":${index},"error":.*PERMISSION_DENIED`));
    }
  });

  test("is nothing of the server's own: a message that nobody takes is refused", async (context) => {
    const { ws } = await startHost(context);
    const client = await joined(ws, "open:a");
    client.say({ send: "anybody there?", id: 1 });
    assert.match(await client.next(), /"id":1,"error":.*UNIMPLEMENTED/);
  });
});

describe("pages of other origins", () => {
  const evil = { origin: "https://evil.example" };

  test("get no WebSocket and no stream", async (context) => {
    const { ws, http } = await startHost(context);
    await assert.rejects(new SessionClient(`${ws}/ws`, [], evil).closed, /403/);
    assert.equal((await send(`${http}/events`, "GET", undefined, evil)).status, 403);
  });

  test("get both where they are allowed", async (context) => {
    const { ws, http } = await startHost(context, {}, { origin: [evil.origin] });
    await (await new SessionClient(`${ws}/ws`, [], evil).opened()).close();
    const controller = new AbortController();
    const headers = { ...evil, accept: "text/event-stream" };
    const stream = await fetch(`${http}/events`, { headers, signal: controller.signal });
    assert.deepEqual([stream.status, stream.headers.get("access-control-allow-origin")], [200, evil.origin]);
    controller.abort();
  });
});

test("a client that is gone before it is known costs nothing", async (context) => {
  const { gateway, ws } = await startHost(context);
  const port = Number(new URL(ws).port);
  for (let times = 0; times < 20; times++) {
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    socket.write(
      "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    );
    socket.resetAndDestroy();
  }
  await (await new SessionClient(`${ws}/ws`).opened()).close();
  assert.ok((gateway.counts.sessions?.connected ?? 0) >= 1);
});

test("the histories of all rooms are bounded together, and what they forget is counted", async (context) => {
  const rooms = {
    "room:*": { join: "anyone", publish: "anyone", history: { size: 10, ttlMs: 60_000 } },
  } as const;
  const { gateway, ws } = await startHost(context, { rooms, historyBytes: 2_000 });
  const client = await joined(ws, "room:a");
  for (const [room, forgotten] of [
    ["room:a", 0],
    ["room:b", 1],
  ] as const) {
    client.say({ publish: room, data: "x".repeat(1_200), id: 1 });
    while (!(await client.next()).includes('"id":1'));
    assert.equal(gateway.counts.sessions?.publicationsForgotten, forgotten);
    const bytes = gateway.counts.sessions?.historyBytes ?? 0;
    assert.ok(bytes > 1_200 && bytes < 2_000, String(bytes));
  }
  await client.close();
});

test("paths of faces come before methods, and all other paths are as they were", async (context) => {
  const { http } = await startHost(context);
  assert.equal((await send(`${http}/events`, "DELETE")).status, 405);
  const plain = await send(`${http}/ws?x=1`);
  assert.deepEqual([plain.status, plain.headers.get("upgrade")], [426, "websocket"]);
  assert.equal((await send(`${http}/nothing`)).status, 404);
});

test("a packet whose type is a method is a call of it, and others are messages", async (context) => {
  const echo = await startEchoServer();
  context.after(() => echo.close());
  const { ws } = await startHost(
    context,
    { sockets: [{ path: "/ws", faces: ["packet"] }], packetTypes: { 7: "sluice.test.v1.Echo/Say" } },
    {
      upstreams: [
        {
          name: "echo",
          backend: createHttp2Backend(echo.address),
          loadSchema: () => echoSchema(echo),
        },
      ],
    },
  );
  const client = await new SessionClient(`${ws}/ws`, ["sluice.packet.v1"]).opened();
  // Field 1 of SayRequest and of SayReply is the text.
  const content = Buffer.from("\x0a\x05hello");
  client.say(encodePacket({ type: 7, who: 0, content }));
  assert.equal(await client.next(), encodePacket({ type: 7, who: 0, content }).toString("hex"));
  client.say(encodePacket({ type: 8, who: 0, content }));
  assert.match(await client.next(), /^ffffffff/);
});

test("sessions are held over HTTP/2 too, on WebSockets and on streams of events", async (context) => {
  const { http } = await startHost(context);
  const session = connectHttp2(http);
  context.after(() => session.destroy());
  const messages: string[] = [];
  const told = new EventEmitter();
  const connection = await connectHttp2WebSocket(session, "/ws", {
    protocols: ["sluice.session.v1"],
    handlers: {
      message: (_connection, data) => {
        messages.push(data.toString());
        if (messages.length === 3) told.emit("third");
      },
    },
  });
  connection.sendText(Buffer.from('{"connect":{"rooms":[{"room":"open:a"}]}}'));
  const events = session.request({ ":path": "/events?room=open:a", accept: "text/event-stream" });
  const [headers] = (await once(events, "response")) as [{ ":status": number }];
  assert.equal(headers[":status"], 200);
  const third = once(told, "third");
  connection.sendText(Buffer.from('{"publish":"open:a","data":"hello","id":1}'));
  await third;
  let text = "";
  for await (const chunk of events) {
    text += String(chunk);
    if (text.includes("data: hello")) break;
  }
  connection.close(1000);
  const plain = session.request({ ":path": "/ws" });
  const [answer] = (await once(plain, "response")) as [{ ":status": number }];
  assert.equal(answer[":status"], 426);
});

describe("the push API on a port of its own", () => {
  const push = { tokens: "none", listen: { host: "127.0.0.1", port: 0 } } as const;

  test("is not on the port of the gateway, and is served without a token to this machine only", async (context) => {
    const { gateway, http, ws } = await startHost(context, { push });
    const own = `http://127.0.0.1:${gateway.pushAddress?.port}`;
    const client = await joined(ws, "open:a");
    const body = { payload: { text: "news" } };
    assert.equal((await send(`${http}/v1/push/rooms/open:a/publications`, "POST", body)).status, 404);
    assert.equal((await send(`${own}/v1/push/rooms/open:a/publications`, "POST", body)).status, 200);
    assert.equal(((await client.nextJson()) as { data: string }).data, "news");
    assert.equal(((await send(`${own}/v1/push/sessions`)).json as { total: number }).total, 1);
    assert.equal(
      (await send(`${own}/v1/push/sessions`, "GET", undefined, { origin: "https://evil.example" })).status,
      403,
    );
    assert.equal(await statusFor(`${own}/v1/push/sessions`, "evil.example"), 403);
    assert.equal(await statusFor(`${own}/v1/push/sessions`, "localhost:1"), 200);
    assert.equal((await send(`${own}/events`)).status, 404);
  });

  test("ends with the gateway", async (context) => {
    const { gateway } = await startHost(context, { push });
    const own = `http://127.0.0.1:${gateway.pushAddress?.port}`;
    assert.equal((await send(`${own}/v1/push/sessions`)).status, 200);
    await gateway.close(0);
    await assert.rejects(send(`${own}/v1/push/sessions`));
  });
});

/** The status of a GET that names another host than it goes to. */
async function statusFor(url: string, host: string): Promise<number | undefined> {
  const asked = request(url, { headers: { host } }).end();
  const [response] = (await once(asked, "response")) as [{ statusCode?: number; resume(): void }];
  response.resume();
  return response.statusCode;
}

test("many sessions are closed over most of the grace period, and few at once", async (context) => {
  const { gateway, ws } = await startHost(context, { graceMs: 0 });
  const clients = await Promise.all(Array.from({ length: 30 }, () => joined(ws, "open:a")));
  const times: number[] = [];
  const begin = performance.now();
  const all = clients.map(async ({ closed }) => {
    const { code } = await closed;
    times.push(performance.now() - begin);
    return code;
  });
  await gateway.close(5_000);
  assert.deepEqual(
    await Promise.all(all),
    Array.from({ length: 30 }, () => 1001),
  );
  const first = Math.min(...times);
  assert.ok(Math.max(...times) - first >= 150, `all within ${Math.max(...times) - first} ms`);
});

test("the backend is told of all sessions that end with the gateway, whatever its pace for Disconnects", async (context) => {
  const handler = await new ScriptedHandler().start();
  context.after(() => handler.kill());
  const { gateway, ws } = await startHost(
    context,
    {
      graceMs: 0,
      callbacks: { backend: "chat", hooks: ["connect", "disconnect"], disconnects: { perSecond: 1 } },
    },
    {
      upstreams: [
        {
          name: "chat",
          backend: createHttp2Backend(handler.address),
          loadSchema: () => Promise.resolve(pushSchema()),
        },
      ],
    },
  );
  await Promise.all(Array.from({ length: 20 }, () => joined(ws, "open:a")));
  await gateway.close(1_000);
  assert.equal(handler.of("disconnect").length, 20);
});
