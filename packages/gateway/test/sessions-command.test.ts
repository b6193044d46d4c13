import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import { decodePackets, encodePacket } from "@sluice/hub";
import {
  Push,
  type PublishRequest,
  type PublishResponse,
} from "../src/sessions/generated/sluice/push/v1/push_pb.ts";
import { startCommandIn, type RunningCommand } from "./command.ts";
import { ConfigFolder } from "./config/support.ts";
import { makeToken } from "./identity-support.ts";
import { EventClient, SessionClient } from "./session-client.ts";
import { Refusal, ScriptedHandler } from "./sessions/scripted-handler.ts";
import { send } from "./support.ts";

const secret = "0123456789abcdef0123456789abcdef";
const pushToken = "push-0123456789abcdef";
const folder = new ConfigFolder();
const backend = new ScriptedHandler();
let command: RunningCommand;
let http = "";
let ws = "";

/** A token of a user, for so many seconds. */
function token(user: string, seconds = 600, key = secret): string {
  const exp = Math.ceil(Date.now() / 1000) + seconds;
  return makeToken({ alg: "HS256" }, { sub: user, exp }, Buffer.from(key));
}

function bearer(user: string): Record<string, string> {
  return { authorization: `Bearer ${token(user)}` };
}

before(async () => {
  backend.script.connect = ({ session }) => {
    if (session?.user === "mallory") return { deny: { code: 4403, reason: "not here" } };
    return { effects: [{ effect: { case: "join", value: { room: "chat:lobby" } } }] };
  };
  backend.script.message = ({ session, payload }) => {
    if (payload?.data.case !== "text") return { reply: { data: { case: "text", value: "ready" } } };
    const text = payload.data.value;
    if (text === "never") throw new Refusal(grpc.status.INVALID_ARGUMENT, "nobody says never");
    const said = { data: { case: "text" as const, value: `${session?.user}: ${text}` } };
    return {
      effects: [
        { effect: { case: "publish", value: { room: "chat:lobby", payload: said, exceptSelf: true } } },
      ],
      reply: { data: { case: "text", value: `you said ${text}` } },
    };
  };
  await backend.start();
  folder.write(secret, "secret");
  const file = folder.write(`
listen: 127.0.0.1:0
log: { level: debug }
drain: 2s
backends:
  chat: { target: "${backend.address}", backoff: { initial: 20ms, max: 100ms } }
faces:
  websocket: { path: /ws }
  packet: {}
  sse: { path: /events }
sessions: { grace: 5s, limits: { opening: 8s } }
rooms:
  "chat:*": { history: { size: 100, ttl: 5m }, presence: true, join: identified }
identity:
  jwt: { secretFile: secret, clockTolerance: 0s }
  from: [header, subprotocol, cookie, query, message]
push: { token: "${pushToken}" }
callbacks: { backend: chat, hooks: [connect, message, disconnect, resume], connectWait: 5s }
`);
  command = startCommandIn({ cwd: folder.path }, "serve", "--config", file);
  const [url] = await command.until(/http:\/\/127\.0\.0\.1:\d+/);
  http = url;
  ws = url.replace("http", "ws");
});
after(async () => {
  if (command.process.exitCode === null) command.process.kill("SIGKILL");
  await command.ended;
  await backend.kill();
});

describe("sluice serve with sessions", () => {
  test("carries a chat between faces, with its logic in a gRPC backend", async () => {
    const ada = await new SessionClient(`${ws}/ws`, [], bearer("ada")).opened();
    const bob = await new SessionClient(`${ws}/ws`, ["sluice.session.v1"], bearer("bob")).opened();
    bob.say({ connect: {} });
    const connected = (await bob.nextJson()) as { connected: { resumed: boolean } };
    assert.equal(connected.connected.resumed, false);
    const carl = new EventClient(`${http}/events?resume=${"c".repeat(22)}`, bearer("carl"));
    assert.equal((await carl.response).status, 200);
    const dora = await new SessionClient(`${ws}/ws`, ["sluice.packet.v1"], bearer("dora")).opened();
    dora.say(encodePacket({ type: 5, who: 0, content: Buffer.from("x") }));
    assert.equal(
      await dora.next(),
      encodePacket({ type: 5, who: 0, content: Buffer.from("ready") }).toString("hex"),
    );

    ada.say("hello");
    assert.equal(await ada.next(), "you said hello");
    assert.equal(((await bob.nextJson()) as { data: string }).data, "ada: hello");
    assert.equal(await carl.next(), "ada: hello");
    const [packet] = packetsOf(await dora.next());
    assert.deepEqual([packet?.type, packet?.content.toString()], [0, "ada: hello"]);

    bob.say({ send: "hi", id: 1 });
    assert.deepEqual(await bob.nextJson(), { id: 1, ok: { data: "you said hi" } });
    assert.equal(await ada.next(), "bob: hi");
    bob.say({ send: "never", id: 2 });
    assert.deepEqual(await bob.nextJson(), {
      id: 2,
      error: { code: "INVALID_ARGUMENT", message: "nobody says never" },
    });
    const posted = await fetch(`${http}/events?resume=${"c".repeat(22)}`, {
      method: "POST",
      headers: { "content-type": "text/plain", ...bearer("carl") },
      body: "good day",
    });
    assert.deepEqual([posted.status, await posted.text()], [200, "you said good day"]);
    assert.equal(((await bob.nextJson()) as { data: string }).data, "carl: good day");
    bob.say({ presence: "chat:lobby", id: 3 });
    const { ok } = (await bob.nextJson()) as { ok: { sessions: number } };
    assert.equal(ok.sessions, 4);
    await Promise.all([ada.close(), bob.close(), dora.close()]);
    carl.close();
  });

  test("calls no methods of packets and of clients that are for the gateway alone", async () => {
    const answer = await send(`${http}/sluice.session.v1.SessionHandler/Connect`, "POST", {
      session: { id: "x" },
    });
    assert.equal(answer.status, 404);
  });

  const places: readonly [place: string, open: (jwt: string) => SessionClient][] = [
    ["header", (jwt) => new SessionClient(`${ws}/ws`, [], { authorization: `Bearer ${jwt}` })],
    ["subprotocol", (jwt) => new SessionClient(`${ws}/ws`, ["Bearer", jwt])],
    ["cookie", (jwt) => new SessionClient(`${ws}/ws`, [], { cookie: `token=${jwt}` })],
    ["query", (jwt) => new SessionClient(`${ws}/ws?access_token=${jwt}`)],
    [
      "first message",
      (jwt) => {
        const client = new SessionClient(`${ws}/ws`);
        void client.opened().then(() => client.say({ token: jwt }));
        return client;
      },
    ],
    [
      "connect of the session wire",
      (jwt) => {
        const client = new SessionClient(`${ws}/ws`, ["sluice.session.v1"]);
        void client.opened().then(() => client.say({ connect: { token: jwt } }));
        return client;
      },
    ],
  ];
  for (const [place, open] of places) {
    test(`knows a client by its token in: ${place}`, async () => {
      const client = await open(token("eve")).opened();
      const isWire = client.socket.protocol === "sluice.session.v1";
      if (isWire) await client.next();
      if (place === "subprotocol") assert.equal(client.socket.protocol, "Bearer");
      const listener = await new SessionClient(`${ws}/ws`, ["sluice.session.v1"], bearer("bob")).opened();
      listener.say({ connect: {} });
      await listener.next();
      client.say(isWire ? { send: "it is me" } : "it is me");
      assert.equal(((await listener.nextJson()) as { data: string }).data, "eve: it is me");
      await Promise.all([client.close(), listener.close()]);
    });

    test(`closes a client with 4401 whose token is forged in: ${place}`, async () => {
      const { code, reason } = await open(token("eve", 600, secret.toUpperCase())).closed;
      assert.deepEqual([code, reason], [4401, "the token is not valid"]);
    });
  }

  test("answers a stream of events with 401 without a token, and with 403 for a foreign page", async () => {
    const none = await fetch(`${http}/events`, { headers: { accept: "text/event-stream" } });
    assert.deepEqual(
      [none.status, ((await none.json()) as { error: { code: string } }).error.code],
      [401, "UNAUTHENTICATED"],
    );
    const headers = {
      accept: "text/event-stream",
      origin: "https://evil.example",
      cookie: `token=${token("eve")}`,
    };
    assert.equal((await fetch(`${http}/events`, { headers })).status, 403);
    const image = { accept: "image/*", "sec-fetch-site": "cross-site", cookie: `token=${token("eve")}` };
    assert.equal((await fetch(`${http}/events`, { headers: image })).status, 403);
  });

  test("closes a client that the backend denies as the backend says", async () => {
    const client = new SessionClient(`${ws}/ws`, [], bearer("mallory"));
    assert.deepEqual(await client.closed, { code: 4403, reason: "not here" });
  });

  test("closes a session with 4401 when its token expires, but not one that was refreshed", async () => {
    const brief = new SessionClient(`${ws}/ws`, [], { authorization: `Bearer ${token("ada", 1)}` });
    const refreshed = await new SessionClient(`${ws}/ws`, ["sluice.session.v1"]).opened();
    refreshed.say({ connect: { token: token("bob", 1) } });
    await refreshed.next();
    refreshed.say({ refresh: token("ada"), id: 1 });
    assert.match(await refreshed.next(), /PERMISSION_DENIED.*another user/);
    refreshed.say({ refresh: token("bob"), id: 2 });
    assert.match(await refreshed.next(), /"id":2,"ok"/);
    assert.equal((await brief.closed).code, 4401);
    refreshed.say({ send: "still here", id: 3 });
    assert.deepEqual(await refreshed.nextJson(), { id: 3, ok: { data: "you said still here" } });
    await refreshed.close();
  });

  test("closes no session while the backend is away, and answers or refuses what is said meanwhile", async () => {
    const client = await new SessionClient(`${ws}/ws`, ["sluice.session.v1"], bearer("ada")).opened();
    client.say({ connect: {} });
    await client.next();
    await backend.kill();
    for (let id = 1; id <= 20; id++) client.say({ send: `message ${id}`, id });
    await command.until(/chat cannot be reached|chat does not answer callbacks/);
    await backend.start();
    for (let id = 1; id <= 20; id++) {
      const answer = (await client.nextJson()) as { id: number; ok?: object; error?: { code: string } };
      assert.equal(answer.id, id);
      assert.ok(answer.ok !== undefined || answer.error?.code === "UNAVAILABLE", JSON.stringify(answer));
    }
    client.say({ send: "after", id: 21 });
    assert.deepEqual(await client.nextJson(), { id: 21, ok: { data: "you said after" } });
    await client.close();
  });

  test("resumes a session with what it missed", async () => {
    const key = "k".repeat(22);
    const [ada, bob] = await Promise.all([
      new SessionClient(`${ws}/ws?resume=${key}`, [], bearer("ada")).opened(),
      new SessionClient(`${ws}/ws`, ["sluice.session.v1"], bearer("bob")).opened(),
    ]);
    ada.say("I am here");
    assert.equal(await ada.next(), "you said I am here");
    bob.say({ connect: {} });
    await bob.next();
    bob.say({ send: "one", id: 1 });
    assert.equal(await ada.next(), "bob: one");
    ada.socket.terminate();
    bob.say({ send: "two", id: 2 });
    bob.say({ send: "three", id: 3 });
    const again = await new SessionClient(`${ws}/ws?resume=${key}&received=2`, [], bearer("ada")).opened();
    assert.deepEqual([await again.next(), await again.next()], ["bob: two", "bob: three"]);
    await Promise.all([again.close(), bob.close()]);
  });

  test("pushes what a gRPC client says, and what curl says", async () => {
    const client = await new SessionClient(`${ws}/ws`, ["sluice.session.v1"], bearer("ada")).opened();
    client.say({ connect: {} });
    await client.next();
    const push = new grpc.Client(http.slice("http://".length), grpc.credentials.createInsecure());
    const publish = async (metadata: grpc.Metadata): Promise<PublishResponse> => {
      const { input, output, name } = Push.method.publish;
      const request = create(input, {
        room: "chat:lobby",
        payload: { data: { case: "text", value: "news" } },
      });
      return new Promise((resolve, reject) => {
        push.makeUnaryRequest(
          `/${Push.typeName}/${name}`,
          (value: PublishRequest) => Buffer.from(toBinary(input, value)),
          (bytes) => fromBinary(output, bytes),
          request,
          metadata,
          (error, response) => (response === undefined ? reject(error) : resolve(response)),
        );
      });
    };
    await assert.rejects(publish(new grpc.Metadata()), { code: grpc.status.UNAUTHENTICATED });
    const metadata = new grpc.Metadata();
    metadata.set("authorization", `Bearer ${pushToken}`);
    assert.ok(((await publish(metadata)).position?.offset ?? 0n) > 0n);
    assert.equal(((await client.nextJson()) as { data: string }).data, "news");
    push.close();

    const url = `${http}/v1/push/users/ada/messages`;
    const body = { payload: { json: { sold: 3 } }, type: "stock" };
    assert.equal((await send(url, "POST", body)).status, 401);
    assert.equal((await send(url, "POST", body, { authorization: "Bearer of bad news" })).status, 401);
    const authorization = `Bearer ${pushToken}`;
    assert.deepEqual((await send(url, "POST", body, { authorization })).json, { sessions: 1 });
    assert.deepEqual(await client.nextJson(), { message: { sold: 3 }, type: "stock" });
    const page = { authorization, origin: http };
    assert.equal((await send(url, "POST", body, page)).status, 403);
    await client.close();
  });

  test("at SIGTERM closes every session with 1001, tells the backend, and exits with 0", async () => {
    const clients = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        new SessionClient(`${ws}/ws`, ["sluice.session.v1"], bearer(`user${index}`)).opened(),
      ),
    );
    for (const client of clients) client.say({ connect: {} });
    await Promise.all(clients.map((client) => client.next()));
    command.process.kill("SIGTERM");
    for (const { closed } of clients) {
      assert.deepEqual(await closed, { code: 1001, reason: "the gateway is shutting down; connect again" });
    }
    const { code, stderr } = await command.ended;
    assert.equal(code, 0, stderr);
    const connected = backend.of("connect").filter(({ session }) => session?.user !== "mallory");
    const gone = backend.of("disconnect").map(({ session }) => session?.id);
    assert.deepEqual(new Set(gone), new Set(connected.map(({ session }) => session?.id)));
    assert.equal(new Set(gone).size, gone.length);
    assert.doesNotMatch(stderr, new RegExp(secret));
    assert.doesNotMatch(stderr, /eyJ/, "no token is logged");
  });
});

function packetsOf(hex: string): readonly { readonly type: number; readonly content: Buffer }[] {
  const packets = decodePackets(Buffer.from(hex, "hex"), { maxPackets: 10, maxContentBytes: 1_000 });
  assert.ok(Array.isArray(packets));
  return packets.map(({ type, content }) => ({ type, content: Buffer.from(content) }));
}
