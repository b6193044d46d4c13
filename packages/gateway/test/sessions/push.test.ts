import assert from "node:assert/strict";
import { describe, test, type TestContext } from "node:test";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { status as Code } from "@grpc/grpc-js";
import {
  BadRequestSchema,
  QuotaFailureSchema,
  ResourceInfoSchema,
} from "../../src/sessions/generated/google/rpc/error_details_pb.ts";
import { converse } from "../support.ts";
import { FakeClient } from "./fake-client.ts";
import { PushClient, type PushFailure } from "./push-client.ts";
import { startPushServer, token, type PushServer } from "./push-server.ts";

const text = (value: string) => ({ data: { case: "text" as const, value } });

async function start(
  context: TestContext,
  options: Parameters<typeof startPushServer>[1] = {},
): Promise<PushServer & { push: PushClient }> {
  const server = await startPushServer(context, options);
  const push = new PushClient(server.address, { authorization: `Bearer ${token}` });
  context.after(() => push.close());
  return { ...server, push };
}

async function failureOf(call: Promise<unknown>): Promise<PushFailure> {
  try {
    await call;
  } catch (error) {
    return error as PushFailure;
  }
  throw new Error("the call went well");
}

function fieldsOf({ status }: PushFailure): string[] {
  const [detail] = status?.details ?? [];
  const bad = detail === undefined ? undefined : anyUnpack(detail, BadRequestSchema);
  return bad?.fieldViolations.map(({ field }) => field) ?? [];
}

/** Makes a call by REST. */
async function rest(url: string, method = "GET", body?: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(url, {
    method,
    headers: { authorization: `Bearer ${token}`, ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, json: (await response.json()) as Record<string, unknown> };
}

describe("the push API", () => {
  test("publishes to a room, with its place in the history", async (context) => {
    const { push, client } = await start(context);
    const [one, other] = [await client(), await client()];
    for (const { session } of [one, other]) await session.join("log:1");
    const first = await push.call("publish", { room: "log:1", payload: text("a") });
    assert.deepEqual([first.position?.offset, first.duplicate], [1n, false]);
    const exceptSession = other.session.id;
    const second = await push.call("publish", { room: "log:1", payload: text("b"), exceptSession });
    assert.deepEqual([second.position?.offset, second.position?.epoch], [2n, first.position?.epoch]);
    const plain = await push.call("publish", { room: "chat", payload: text("c") });
    assert.equal(plain.position, undefined);
    assert.deepEqual([one.frames, other.frames], [["log:1> a", "log:1> b"], ["log:1> a"]]);
  });

  test("publishes once what comes again with the same key", async (context) => {
    const { push, client } = await start(context);
    const member = await client();
    await member.session.join("log:1");
    const publish = () =>
      push.call("publish", { room: "log:1", payload: text("a"), idempotencyKey: "order-42" });
    const [first, again] = [await publish(), await publish()];
    assert.deepEqual([first.duplicate, again.duplicate], [false, true]);
    assert.deepEqual(again.position, first.position);
    assert.deepEqual(member.frames, ["log:1> a"]);
    const tooLong = push.call("publish", { room: "a", payload: text(""), idempotencyKey: "k".repeat(256) });
    assert.equal((await failureOf(tooLong)).code, Code.INVALID_ARGUMENT);
  });

  test("publishes only to the history that is expected", async (context) => {
    const { push } = await start(context);
    const { position } = await push.call("publish", { room: "log:1", payload: text("a") });
    const expecting = (room: string, expectedEpoch: string) =>
      push.call("publish", { room, payload: text("b"), expectedEpoch });
    assert.equal((await expecting("log:1", position?.epoch ?? "")).position?.offset, 2n);
    assert.equal((await failureOf(expecting("log:1", "another"))).code, Code.ABORTED);
    assert.equal((await failureOf(expecting("chat", "any"))).code, Code.FAILED_PRECONDITION);
  });

  test("publishes a stream in its order, and tells what became of it", async (context) => {
    const { push, client } = await start(context, { hub: { limits: { messageBytes: 10 } } });
    const member = await client();
    await member.session.join("chat");
    const numbers = Array.from({ length: 1_000 }, (_, index) => index);
    const response = await push.publishStream(
      numbers.map((number) => ({
        room: "chat",
        payload: text(number % 100 === 7 ? "much too long" : String(number)),
        idempotencyKey: number % 100 === 8 ? "key" : "",
      })),
    );
    assert.deepEqual([response.published, response.duplicates, response.refused], [981n, 9n, 10n]);
    assert.deepEqual(
      response.failures.map(({ index, status }) => [index, status?.code]),
      Array.from({ length: 10 }, (_, index) => [BigInt(index * 100 + 7), Code.INVALID_ARGUMENT]),
    );
    const expected = numbers.filter((number) => number % 100 !== 7 && (number % 100 !== 8 || number === 8));
    assert.deepEqual(
      member.frames,
      expected.map((number) => `chat> ${number}`),
    );
  });

  test("sends to sessions and to users", async (context) => {
    const { push, client } = await start(context);
    const [ada, alsoAda, bob] = [await client("ada"), await client("ada"), await client("bob")];
    const sessions = [bob.session.id, "nobody", bob.session.id];
    const sent = await push.call("send", { sessions, payload: text("hi"), type: "note" });
    assert.deepEqual([sent.sessions, sent.missing], [1, ["nobody"]]);
    assert.equal((await push.call("send", { user: "ada", payload: text("hello") })).sessions, 2);
    assert.deepEqual([ada.frames, alsoAda.frames, bob.frames], [["hello"], ["hello"], ["note:hi"]]);
  });

  test("sends once what comes again with the same key", async (context) => {
    const { push, client, clock } = await start(context);
    const ada = await client("ada");
    const send = (value: string) =>
      push.call("send", { user: "ada", payload: text(value), idempotencyKey: "k" });
    assert.deepEqual((await send("a")).sessions, 1);
    assert.deepEqual((await send("b")).sessions, 1);
    assert.deepEqual(ada.frames, ["a"]);
    clock.advance(300_000);
    await send("c");
    assert.deepEqual(ada.frames, ["a", "c"]);
  });

  test("puts sessions into rooms, takes them out, and ends them", async (context) => {
    const { push, client } = await start(context);
    const [ada, bob] = [await client("ada"), await client("bob")];
    const room = "log:1";
    const joined = await push.call("join", { room, sessions: [ada.session.id, bob.session.id, "nobody"] });
    assert.deepEqual([joined.sessions, joined.missing], [2, ["nobody"]]);
    assert.equal((await push.call("leave", { room, user: "bob" })).sessions, 1);
    assert.deepEqual([[...ada.session.rooms], [...bob.session.rooms]], [[room], []]);
    const presence = await push.call("presence", { room });
    assert.deepEqual(
      [presence.sessions, presence.users, presence.members.map(({ session, user }) => [session, user])],
      [1, 1, [[ada.session.id, "ada"]]],
    );
    const ended = await push.call("disconnect", { user: "ada", code: 4123, reason: "banned" });
    assert.equal(ended.sessions, 1);
    assert.deepEqual(ada.closed, { code: 4123, reason: "banned" });
    const failure = await failureOf(push.call("disconnect", { user: "ada" }));
    const [detail] = failure.status?.details ?? [];
    assert.equal(failure.code, Code.NOT_FOUND);
    assert.equal(detail && anyUnpack(detail, ResourceInfoSchema)?.resourceName, "ada");
  });

  test("tells what was published", async (context) => {
    const { push } = await start(context);
    const room = "log:1";
    await push.call("publish", { room, payload: text("a"), type: "t" });
    await push.call("publish", { room, payload: { data: { case: "binary", value: Buffer.of(1, 2) } } });
    const json = { kind: { case: "stringValue" as const, value: "c" } };
    await push.call("publish", { room, payload: { data: { case: "json", value: json } } });
    const all = await push.call("history", { room });
    assert.deepEqual(
      all.publications.map(({ offset, type, payload }) => [offset, type, payload?.data.case]),
      [
        [1n, "t", "text"],
        [2n, "", "binary"],
        [3n, "", "json"],
      ],
    );
    assert.deepEqual([all.newest?.offset, all.complete], [3n, true]);
    assert.equal(all.publications[0]?.publishedAt?.seconds, 1_800_000_000n);
    const since = { epoch: all.newest?.epoch ?? "", offset: 2n };
    const later = await push.call("history", { room, since });
    assert.deepEqual(
      later.publications.map(({ offset }) => offset),
      [3n],
    );
    const newest = await push.call("history", { room, limit: 1, reverse: true });
    assert.deepEqual(
      newest.publications.map(({ offset }) => offset),
      [3n],
    );
    assert.equal((await failureOf(push.call("history", { room: "chat" }))).code, Code.FAILED_PRECONDITION);
  });

  test("lists sessions page by page, of a user or in a room", async (context) => {
    const { push, client } = await start(context);
    const clients = await Promise.all(["ada", "bob", "ada", "bob", "ada"].map((user) => client(user)));
    const ids = clients.map(({ session }) => session.id);
    await clients[3]?.session.join("chat");
    const first = await push.call("sessions", { pageSize: 2 });
    const second = await push.call("sessions", { pageSize: 2, pageToken: first.nextPageToken });
    const third = await push.call("sessions", { pageSize: 2, pageToken: second.nextPageToken });
    const found = [first, second, third].flatMap((page) => page.sessions.map(({ id }) => id));
    assert.deepEqual([found, third.nextPageToken, first.total], [ids, "", 5]);
    const ofAda = await push.call("sessions", { user: "ada" });
    assert.deepEqual(
      ofAda.sessions.map(({ id }) => id),
      [ids[0], ids[2], ids[4]],
    );
    const [member, ...others] = (await push.call("sessions", { room: "chat" })).sessions;
    assert.deepEqual([member?.id, member?.rooms, member?.face, others], [ids[3], ["chat"], "fake", []]);
  });

  test("answers with no more than fits into a message", async (context) => {
    const { push, hub } = await start(context, { hub: { limits: { messageBytes: 1_000_000 } } });
    for (let count = 0; count < 5; count++) await hub.publish("log:1", "x".repeat(900_000));
    const first = await push.call("history", { room: "log:1" });
    const last = first.publications.at(-1)?.offset ?? 0n;
    assert.deepEqual([first.publications.length, last, first.complete], [2, 2n, true]);
    const since = { epoch: first.newest?.epoch ?? "", offset: last };
    const second = await push.call("history", { room: "log:1", since });
    assert.equal(second.publications[0]?.offset, 3n);
    const claims = { long: "y".repeat(1_500_000) };
    for (let count = 0; count < 3; count++) {
      await new FakeClient().connect(hub, { identity: { user: "ada", claims } });
    }
    const page = await push.call("sessions", { user: "ada" });
    assert.equal(page.sessions.length, 2);
    const next = await push.call("sessions", { user: "ada", pageToken: page.nextPageToken });
    assert.deepEqual([next.sessions.length, next.nextPageToken], [1, ""]);
  });

  test("names the field that cannot be meant", async (context) => {
    const { push } = await start(context, { hub: { limits: { messageBytes: 10 } } });
    const payload = text("x");
    const many = Array.from({ length: 1_001 }, (_, index) => String(index));
    const wrong: readonly (readonly [Promise<unknown>, string])[] = [
      [push.call("publish", { room: "", payload }), "room"],
      [push.call("publish", { room: "r".repeat(256), payload }), "room"],
      [push.call("publish", { room: "a", payload, idempotencyKey: "k".repeat(256) }), "idempotency_key"],
      [push.call("publish", { room: "a" }), "payload"],
      [push.call("publish", { room: "a", payload: text("x".repeat(11)) }), "payload"],
      [push.call("publish", { room: "a", payload, type: "t".repeat(256) }), "type"],
      [push.call("send", { payload }), "sessions"],
      [push.call("send", { payload, user: "ada", sessions: ["a"] }), "user"],
      [push.call("send", { payload, sessions: many }), "sessions"],
      [push.call("send", { payload, user: "ada", idempotencyKey: "k".repeat(256) }), "idempotency_key"],
      [push.call("join", { user: "ada" }), "room"],
      [push.call("disconnect", { user: "ada", code: 1006 }), "code"],
      [push.call("disconnect", { user: "ada", reason: "r".repeat(124) }), "reason"],
      [push.call("presence", {}), "room"],
      [push.call("history", {}), "room"],
      [push.call("sessions", { pageSize: 1_001 }), "page_size"],
      [push.call("sessions", { pageToken: "x" }), "page_token"],
    ];
    for (const [call, field] of wrong) {
      const failure = await failureOf(call);
      assert.deepEqual([failure.code, fieldsOf(failure)], [Code.INVALID_ARGUMENT, [field]], field);
    }
    const none = await failureOf(push.bytes("Publish", Buffer.of(0xff)));
    assert.deepEqual([none.code, none.message], [3, "the request is not a PublishRequest"]);
  });

  test("says which limit a join is over", async (context) => {
    const { push, client } = await start(context, { hub: { limits: { roomsPerSession: 1 } } });
    await client("ada");
    await push.call("join", { room: "a", user: "ada" });
    const failure = await failureOf(push.call("join", { room: "b", user: "ada" }));
    assert.equal(failure.code, Code.RESOURCE_EXHAUSTED);
    assert.match(failure.message, /rooms/);
    const [detail] = failure.status?.details ?? [];
    const quota = detail && anyUnpack(detail, QuotaFailureSchema);
    assert.equal(quota?.violations[0]?.description, failure.message);
  });
});

describe("the push API by REST", () => {
  test("has a URL for each method", async (context) => {
    const { url, client } = await start(context);
    const ada = await client("ada");
    const post = (path: string, body: unknown) => rest(`${url}${path}`, "POST", body);
    assert.deepEqual((await post("/rooms/log:1/members", { user: "ada" })).json["sessions"], 1);
    const published = await post("/rooms/log:1/publications", { payload: { json: { a: [1, "x"] } } });
    assert.equal(published.status, 200);
    await post("/publications", { room: "log:1", payload: { text: "plain" } });
    await post("/users/ada/messages", { payload: { text: "to ada" } });
    await post("/messages", { sessions: [ada.session.id], payload: { binary: "AP8=" } });
    assert.deepEqual(ada.frames, ['log:1> {"a":[1,"x"]}', "log:1> plain", "to ada", "0x00ff"]);
    const streamed = await fetch(`${url}/publications:stream`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}` },
      body: '{"room":"log:1","payload":{"text":"1"}}\n{"room":"","payload":{"text":"2"}}\n',
    });
    const counts = (await streamed.json()) as { published: string; refused: string };
    assert.deepEqual([counts.published, counts.refused], ["1", "1"]);
    const presence = await rest(`${url}/rooms/log:1/presence`);
    assert.deepEqual(presence.json["members"], [
      { session: ada.session.id, number: ada.session.number, user: "ada" },
    ]);
    const history = await rest(`${url}/rooms/log:1/history?limit=1&reverse=true`);
    assert.equal((history.json["publications"] as { offset: string }[])[0]?.offset, "3");
    assert.equal((await rest(`${url}/sessions?user=ada`)).json["total"], 1);
    assert.equal((await rest(`${url}/rooms/log:1/members?user=ada`, "DELETE")).status, 200);
    const ended = await post("/sessions:disconnect", { user: "ada", reason: "bye" });
    assert.deepEqual([ended.status, ada.closed], [200, { code: 1000, reason: "bye" }]);
    const gone = await post("/users/ada/messages", { payload: { text: "x" } });
    assert.deepEqual([gone.status, gone.json["code"]], [404, 5]);
  });
});

describe("the push API's door", () => {
  test("is shut to callers without a token, and with another one", async (context) => {
    const { address, url } = await start(context);
    const headers: readonly Readonly<Record<string, string>>[] = [
      {},
      { authorization: "Bearer " },
      { authorization: "Bearer t0p-s3cre" },
      { authorization: `Bearer ${token}x` },
      { authorization: token },
      { authorization: `Basic ${token}` },
    ];
    for (const metadata of headers) {
      const push = new PushClient(address, metadata);
      const failure = await failureOf(push.call("sessions", {}));
      const streaming = await failureOf(push.publishStream([{ room: "a", payload: text("x") }]));
      push.close();
      assert.deepEqual([failure.code, streaming.code], [Code.UNAUTHENTICATED, Code.UNAUTHENTICATED]);
      assert.match(failure.message, /authorization: Bearer/);
      const { authorization = "" } = metadata;
      assert.equal((await rest(`${url}/sessions`, "GET", undefined, { authorization })).status, 401);
    }
  });

  test("opens to each of its tokens, whatever the case of the scheme", async (context) => {
    const { address } = await start(context);
    for (const authorization of ["Bearer old", `bearer ${token}`, `BEARER  ${token}`]) {
      const push = new PushClient(address, { authorization });
      assert.equal((await push.call("sessions", {})).total, 0);
      push.close();
    }
  });

  test("is shut to browsers, but for the origins that are named", async (context) => {
    const access = { tokens: [token], origins: ["https://admin.example.com"] };
    const { address, url } = await start(context, { access });
    const codeFrom = async (origin: string) => {
      const push = new PushClient(address, { authorization: `Bearer ${token}`, origin });
      const code = await push.call("sessions", {}).then(
        () => Code.OK,
        (failure: PushFailure) => failure.code,
      );
      push.close();
      return [code, (await rest(`${url}/sessions`, "GET", undefined, { origin })).status];
    };
    assert.deepEqual(await codeFrom("https://evil.example"), [Code.PERMISSION_DENIED, 403]);
    assert.deepEqual(await codeFrom("null"), [Code.PERMISSION_DENIED, 403]);
    assert.deepEqual(await codeFrom("https://admin.example.com"), [Code.OK, 200]);
    const disguised = {
      origin: "https://evil.example",
      "grpc-metadata-origin": "https://admin.example.com",
    };
    assert.equal((await rest(`${url}/sessions`, "GET", undefined, disguised)).status, 403);
  });

  test("is shut to browsers on WebSockets too", async (context) => {
    const access = { tokens: [token], origins: ["https://admin.example.com"] };
    const { url } = await start(context, { access });
    const authorization = `Bearer ${token}`;
    const from = async (origin: string) => {
      const { messages } = await converse(`${url.replace("http", "ws")}/sessions`, [], {
        headers: { authorization, origin },
      });
      return JSON.stringify(messages);
    };
    assert.match(
      await from("https://evil.example"),
      /pages of https:\/\/evil\.example may not use the push API/,
    );
    assert.equal(await from("https://admin.example.com"), "[{}]");
  });

  test("needs no token where it has a port of its own, and is shut to browsers there too", async (context) => {
    const { address, url } = await start(context, { access: { tokens: "none" } });
    const push = new PushClient(address, {});
    assert.equal((await push.call("sessions", {})).total, 0);
    push.close();
    const headers = { origin: "http://localhost:3000" };
    assert.equal((await rest(`${url}/sessions`, "GET", undefined, headers)).status, 403);
  });

  test("cannot be made without a key by mistake", async (context) => {
    await assert.rejects(startPushServer(context, { access: { tokens: [] } }), /has no token/);
    await assert.rejects(startPushServer(context, { access: { tokens: [token, ""] } }), /an empty one/);
  });
});
