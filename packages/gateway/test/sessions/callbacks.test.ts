import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fromBinary } from "@bufbuild/protobuf";
import { status as Code } from "@grpc/grpc-js";
import { createHttp2Backend } from "@sluice/rpc";
import { SessionCallbacks } from "../../src/sessions/callbacks/session-callbacks.ts";
import { StatusSchema } from "../../src/sessions/generated/google/rpc/status_pb.ts";
import type { MessageRequest } from "../../src/sessions/generated/sluice/session/v1/session_pb.ts";
import { SessionQueues } from "../../src/sessions/session-queues.ts";
import { FakeClient } from "./fake-client.ts";
import { Refusal } from "./scripted-handler.ts";
import { deferred, eventually, setScene } from "./support.ts";

const text = (value: string) => ({ data: { case: "text" as const, value } });
const send = (value: string) => ({ effect: { case: "send" as const, value: { payload: text(value) } } });
const textOf = ({ payload }: MessageRequest): string =>
  payload?.data.case === "text" ? payload.data.value : "not a text";

for (const streams of [0, 1, 3]) {
  const form = streams === 0 ? "in a call for each" : `on ${streams} streams`;

  describe(`callbacks ${form}`, () => {
    test("tell the backend of a session from its beginning to its end, in order", async (context) => {
      const scene = await setScene(context, {
        streams,
        script: {
          connect: () => ({
            identity: { user: "ada", claims: { role: "admin" } },
            effects: [send("welcome"), { effect: { case: "setState", value: { set: { seen: "1" } } } }],
          }),
          message: (request) => ({ effects: [send(`you said ${textOf(request)}`)] }),
        },
      });
      const client = await scene.client({
        path: "/ws",
        query: "room=a&room=b",
        headers: { "x-tenant": "t1" },
      });
      assert.deepEqual(await client.say("hello"), { ok: true });
      client.leave(1001, true);
      await scene.callbacks.drain(1_000);
      const { session } = client;
      assert.deepEqual(client.frames, ["welcome", "you said hello"]);
      assert.deepEqual(
        scene.backend.told.map((told) => told.case),
        ["connect", "message", "disconnect"],
      );
      const [connect] = scene.backend.of("connect");
      const { $typeName, ...envelope } = connect?.session ?? {};
      assert.equal($typeName, "sluice.session.v1.Session");
      assert.deepEqual(envelope, {
        id: session.id,
        number: session.number,
        user: "",
        headers: { "x-tenant": "t1" },
        state: {},
        rooms: [],
        face: "fake",
        address: "192.0.2.1",
        generation: 1,
        path: "/ws",
        query: { room: "a" },
      });
      const [message] = scene.backend.of("message");
      assert.equal(message?.sequence, 1n);
      assert.deepEqual(
        [message?.session?.user, message?.session?.claims, message?.session?.state],
        ["ada", { role: "admin" }, { seen: "1" }],
      );
      const [disconnect] = scene.backend.of("disconnect");
      assert.deepEqual(
        [disconnect?.code, disconnect?.clean, disconnect?.session?.id],
        [1001, true, session.id],
      );
    });

    test("carry out all effects, in their order, and report what is wrong with some", async (context) => {
      const scene = await setScene(context, {
        streams,
        hub: { limits: { messageBytes: 100 } },
        script: {
          message: ({ session }) => ({
            effects: [
              { effect: { case: "join", value: { room: "lobby" } } },
              { effect: { case: "publish", value: { room: "lobby", payload: text("one") } } },
              { effect: { case: "send", value: { session: "nobody", payload: text("lost") } } },
              { effect: { case: "join", value: { room: "x".repeat(256) } } },
              send("y".repeat(101)),
              { effect: { case: "send", value: { payload: text("x"), type: "t".repeat(256) } } },
              { effect: { case: "setState", value: { set: { big: "z".repeat(20_000) } } } },
              { effect: { case: undefined } },
              {
                effect: { case: "publish", value: { room: "lobby", payload: text("two"), exceptSelf: true } },
              },
              { effect: { case: "leave", value: { room: "lobby" } } },
              { effect: { case: "publish", value: { room: "lobby", payload: text("three") } } },
              { effect: { case: "setIdentity", value: { user: "bob", claims: { a: 1 } } } },
              {
                effect: {
                  case: "send",
                  value: { session: session?.id ?? "", payload: text("last"), type: "t" },
                },
              },
              { effect: { case: "close", value: { code: 2000, reason: "b".repeat(200) } } },
            ],
          }),
        },
      });
      const [client, other] = [await scene.client(), await scene.client()];
      await other.session.join("lobby");
      assert.deepEqual(await client.say("go"), { ok: true });
      assert.deepEqual(client.frames, ["lobby> one", "t:last"]);
      assert.deepEqual(other.frames, ["lobby> one", "lobby> two", "lobby> three"]);
      assert.equal(client.session.user, "bob");
      assert.deepEqual(client.closed, { code: 1000, reason: "b".repeat(123) });
      const problems = scene.reports.flatMap((report) => (report.kind === "effect" ? [report] : []));
      assert.deepEqual(
        problems.map(({ effect }) => effect),
        ["send", "join", "send", "send", "setState", "none", "close"],
      );
      assert.ok(
        problems.every(({ session, problem }) => session === client.session && problem !== "it failed"),
      );
      assert.equal(scene.callbacks.counts.effectsFailed, 7);
    });

    test("keep the order of a session while others go on, and stop reading whose messages wait", async (context) => {
      const slow = deferred();
      const scene = await setScene(context, {
        streams,
        script: {
          message: async (request) => {
            if (textOf(request) === "0") await slow.promise;
            return { reply: text(`re ${textOf(request)}`) };
          },
        },
      });
      const [one, other] = [await scene.client(), await scene.client()];
      const answers = Array.from({ length: 40 }, (_, index) => one.say(String(index)));
      assert.equal(one.isPaused, true);
      await other.say("quick");
      assert.deepEqual(scene.backend.of("message").map(textOf), ["0", "quick"]);
      slow.resolve();
      const replies = await Promise.all(answers);
      assert.deepEqual(
        replies.map((answer) => (answer.ok ? answer.reply?.data : answer)),
        Array.from({ length: 40 }, (_, index) => `re ${index}`),
      );
      assert.equal(one.isPaused, false);
      const mine = scene.backend.of("message").filter(({ session }) => session?.id === one.session.id);
      assert.deepEqual(
        mine.map(({ sequence }) => sequence),
        Array.from({ length: 40 }, (_, index) => BigInt(index + 1)),
      );
    });

    test("refuse a message that the backend refuses, with its status", async (context) => {
      const scene = await setScene(context, {
        streams,
        script: {
          message: () => {
            throw new Refusal(Code.FAILED_PRECONDITION, "the game is over");
          },
        },
      });
      const client = await scene.client();
      const answer = await client.say("move", { type: "7" });
      assert.ok(!answer.ok);
      assert.deepEqual([answer.code, answer.message], ["FAILED_PRECONDITION", "the game is over"]);
      const status = fromBinary(StatusSchema, answer.status ?? new Uint8Array());
      assert.deepEqual([status.code, status.message], [9, "the game is over"]);
      assert.equal(status.details[0]?.typeUrl, "type.googleapis.com/google.rpc.ErrorInfo");
      assert.equal(client.session.isClosed, false);
    });

    test("do not show a client how the backend broke", async (context) => {
      const scene = await setScene(context, {
        streams,
        script: {
          message: () => {
            throw new Error("the password of the database is wrong");
          },
        },
      });
      const answer = await (await scene.client()).say("hello");
      assert.ok(!answer.ok);
      assert.deepEqual([answer.code, answer.message], ["UNKNOWN", "the backend failed"]);
      const [report] = scene.reports;
      assert.ok(report?.kind === "failed");
      assert.match(report.status.message, /password/);
    });

    test("deny a client by the answer, by a status, and not at all", async (context) => {
      const scene = await setScene(context, {
        streams,
        script: {
          connect: ({ session }) => {
            if (session?.path === "/none") throw new Refusal(Code.UNAUTHENTICATED, "who are you?");
            if (session?.path === "/never") throw new Refusal(Code.PERMISSION_DENIED, "not you");
            return session?.path === "/deny"
              ? { deny: { reason: "closed today" }, effects: [send("x")] }
              : {};
          },
        },
      });
      const closed = async (path: string) => (await scene.client({ path })).closed;
      assert.deepEqual(await closed("/deny"), { code: 4403, reason: "closed today" });
      assert.deepEqual(await closed("/none"), { code: 4401, reason: "who are you?" });
      assert.deepEqual(await closed("/never"), { code: 4403, reason: "not you" });
      assert.equal(await closed("/ws"), undefined);
      assert.equal(scene.hub.size, 1);
      assert.equal(scene.callbacks.counts.denied, 3);
      await scene.hub.close();
      await scene.callbacks.drain(1_000);
      assert.equal(scene.backend.of("disconnect").length, 1);
    });

    test("tell of a resume, which the backend may deny", async (context) => {
      const scene = await setScene(context, {
        streams,
        script: {
          resume: ({ session }) =>
            session?.generation === 2
              ? { effects: [send("welcome back")] }
              : { deny: { code: 4900, reason: "too often" } },
        },
      });
      const resume = { key: "k".repeat(22), received: 0 };
      const first = await scene.client({ resume });
      first.leave();
      scene.clock.advance(1_500);
      const second = await scene.client({ resume });
      await eventually(() => second.frames.length === 1);
      second.leave();
      const third = await scene.client({ resume });
      await eventually(() => third.closed !== undefined);
      assert.deepEqual(third.closed, { code: 4900, reason: "too often" });
      const resumes = scene.backend.of("resume");
      assert.deepEqual(
        resumes.map(({ recovered, missedMs, session }) => [recovered, missedMs, session?.generation]),
        [
          [true, 1_500n, 2],
          [true, 0n, 3],
        ],
      );
      await scene.callbacks.drain(1_000);
      assert.deepEqual(
        scene.backend.of("disconnect").map(({ code }) => code),
        [4900],
      );
    });

    test("give the backend texts, bytes and JSON, and take all three", async (context) => {
      const scene = await setScene(context, {
        streams,
        script: { message: ({ payload }) => (payload === undefined ? {} : { reply: payload }) },
      });
      const client = await scene.client();
      const replyTo = async (...said: Parameters<FakeClient["say"]>) => {
        const answer = await client.say(...said);
        if (!answer.ok) return answer.message;
        const data = answer.reply?.data;
        return [typeof data === "string" ? data : data?.join(), answer.reply?.isJson];
      };
      assert.deepEqual(await replyTo("text"), ["text", false]);
      assert.deepEqual(await replyTo(""), ["", false]);
      assert.deepEqual(await replyTo(Buffer.of(0, 255)), ["0,255", false]);
      const json = '{"a":[1,null,"x",{"b":true}]}';
      assert.deepEqual(await replyTo(json, { isJson: true }), [json, true]);
      assert.deepEqual(await replyTo("null", { isJson: true }), ["null", true]);
      const deep = "[".repeat(31) + "]".repeat(31);
      assert.match(String(await replyTo(deep, { isJson: true })), /nested deeper than 30/);
      assert.match(String(await replyTo("[1e999]", { isJson: true })), /number that is too large/);
    });

    test("report an answer with more effects than the limit, and carry out none of them", async (context) => {
      const scene = await setScene(context, {
        streams,
        effects: 2,
        script: { message: () => ({ effects: [send("1"), send("2"), send("3")] }) },
      });
      const client = await scene.client();
      const answer = await client.say("hello");
      assert.ok(!answer.ok);
      assert.deepEqual([answer.code, client.frames], ["INTERNAL", []]);
      const [report] = scene.reports;
      assert.ok(report?.kind === "failed");
      assert.match(report.status.message, /3 effects, more than the maximum of 2/);
    });

    test("send the token of the gateway with everything", async (context) => {
      const scene = await setScene(context, { streams, metadata: { authorization: "Bearer secret" } });
      await (await scene.client()).say("hello");
      assert.ok(scene.backend.metadata.length > 0);
      for (const metadata of scene.backend.metadata) {
        assert.deepEqual(metadata.get("authorization"), ["Bearer secret"]);
      }
    });
  });
}

describe("callbacks", () => {
  test("call only the hooks that are configured", async (context) => {
    const scene = await setScene(context, { hooks: ["disconnect"] });
    const client = await scene.client();
    const answer = await client.say("hello", { type: "7" });
    assert.ok(!answer.ok);
    assert.deepEqual([answer.code, answer.message], ["UNIMPLEMENTED", "the backend does not take this"]);
    client.leave();
    await scene.callbacks.drain(1_000);
    assert.deepEqual(
      scene.backend.told.map((told) => told.case),
      ["disconnect"],
    );
  });

  test("refuse messages when those that wait are too many bytes together", async (context) => {
    const slow = deferred();
    const scene = await setScene(context, {
      queues: new SessionQueues({ bytes: 10 }),
      script: { message: () => slow.promise.then(() => ({})) },
    });
    const [one, other] = [await scene.client(), await scene.client()];
    const first = one.say("12345678");
    const refused = await other.say("123");
    assert.ok(!refused.ok);
    assert.deepEqual(
      [refused.code, refused.message],
      ["RESOURCE_EXHAUSTED", "too many messages wait for the backend; try again later"],
    );
    slow.resolve();
    assert.deepEqual(await first, { ok: true });
    assert.deepEqual(await other.say("123"), { ok: true });
    assert.deepEqual(
      scene.backend.of("message").map(({ sequence }) => sequence),
      [1n, 1n],
    );
  });

  test("tell the backend the token of a client whose identity is left to it", async (context) => {
    const scene = await setScene(context, {
      script: { connect: ({ token }) => ({ identity: { user: `user of ${token}` } }) },
    });
    const client = await scene.client({ identity: await scene.callbacks.identify("t0k3n") });
    assert.equal(client.session.user, "user of t0k3n");
    assert.deepEqual(client.session.claims, {});
  });

  test("tell of the end of a client that left while it was decided", async (context) => {
    const slow = deferred();
    const scene = await setScene(context, { script: { connect: () => slow.promise.then(() => ({})) } });
    const client = new FakeClient();
    const connecting = client.connect(scene.hub);
    await eventually(() => scene.backend.of("connect").length === 1);
    client.leave();
    slow.resolve();
    await connecting;
    await scene.callbacks.drain(1_000);
    assert.deepEqual(
      scene.backend.told.map((told) => told.case),
      ["connect", "disconnect"],
    );
  });

  test("name the option that cannot be meant", () => {
    const backend = createHttp2Backend("127.0.0.1:1");
    const make = (options: object) => () => new SessionCallbacks({ backend, hooks: ["message"], ...options });
    assert.throws(make({ hooks: [] }), /callbacks\.hooks is empty/);
    assert.throws(make({ hooks: ["open"] }), /callbacks\.hooks has open/);
    assert.throws(make({ deadlineMs: 0 }), /callbacks\.deadlineMs is 0/);
    assert.throws(make({ streams: 65 }), /callbacks\.streams is 65/);
    assert.throws(make({ disconnects: { perSecond: -1 } }), /callbacks\.perSecond is -1/);
  });
});
