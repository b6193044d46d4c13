import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FakeClock, settled } from "@sluice/testkit/fake-clock";
import { Hub, HubError, type Session } from "../src/index.ts";
import { connect, FakeLink, keyOf, request } from "./support/fake-link.ts";
import { Gate } from "./support/gate.ts";
import { record } from "./support/record.ts";

describe("a session", () => {
  test("echoes, and knows what it is", async () => {
    const hub = new Hub({ clock: new FakeClock() });
    hub.onMessage((session, text) => session.send(text));
    const identity = { user: "ada", claims: { admin: true } };
    const client = await connect(hub, { identity });
    client.attachment?.receive("hello");
    assert.deepEqual(client.log, ["opened", "hello"]);

    const { session } = client;
    assert.match(session.id, /^[A-Za-z0-9_-]{22}$/);
    assert.equal(session.number, 1);
    assert.equal(session.user, "ada");
    assert.deepEqual(session.claims, { admin: true });
    assert.equal(session.identity, identity);
    assert.deepEqual(session.request, request);
    assert.equal(session.phase, "connected");
    assert.equal(session.face, "fake");
    assert.equal(session.generation, 1);
    assert.equal(session.connectedAt, 1_800_000_000_000);
    assert.equal(session.isClosed, false);
    assert.deepEqual([...session.rooms], []);
    assert.equal(hub.session(session.id), session);
    assert.equal(hub.sessionByNumber(1), session);
    assert.deepEqual(hub.sessionsOf("ada"), [session]);
    assert.deepEqual([...hub.sessions], [session]);
  });

  test("ends with its link, once, and leaves nothing", async () => {
    const hub = new Hub();
    const told = record(hub);
    const client = await connect(hub, { identity: { user: "ada" } });
    const { session } = client;
    client.lose();
    client.lose();
    session.close();
    assert.deepEqual(told, ["connect 1", "disconnect 1 1006 "]);
    assert.equal(session.phase, "closed");
    assert.equal(session.isClosed, true);
    assert.equal(hub.size, 0);
    assert.equal(hub.session(session.id), undefined);
    assert.equal(hub.sessionByNumber(1), undefined);
    assert.deepEqual(hub.sessionsOf("ada"), []);
    assert.equal(session.send("too late"), false);
    await assert.rejects(session.join("room"), new HubError("FAILED_PRECONDITION", "The session is over."));
    assert.deepEqual(hub.counts.closed, { 1006: 1 });
  });

  test("tells how the client closed its link before it tells the end", async () => {
    const hub = new Hub();
    const told = record(hub);
    const client = await connect(hub);
    client.lose({ code: 1001, reason: "leaving", clean: true });
    assert.deepEqual(told, ["connect 1", "close 1 1001 leaving", "disconnect 1 1001 leaving clean"]);
  });

  test("is closed by the server after everything that waits was sent", async () => {
    const hub = new Hub();
    const told = record(hub);
    const client = await connect(hub);
    client.credit = 1;
    for (const text of ["1", "2", "3"]) client.session.send(text);
    assert.deepEqual(client.frames, ["1"]);
    client.session.close(4000, "enough");
    assert.deepEqual(client.log, ["opened", "1", "2", "3", "close 4000"]);
    assert.deepEqual(client.closed, { code: 4000, reason: "enough" });
    client.lose({ code: 4000, reason: "enough", clean: true });
    assert.deepEqual(told, ["connect 1", "disconnect 1 4000 enough clean"]);
  });

  test("cannot be closed with what a close frame cannot say", async () => {
    const { session } = await connect(new Hub());
    for (const code of [999, 1004, 1005, 1006, 1015, 2999, 5000, 1000.5]) {
      assert.throws(() => session.close(code), RangeError);
    }
    assert.throws(() => session.close(1000, "é".repeat(62)), /123 bytes; this one has 124/);
    assert.equal(session.isClosed, false);
  });

  test("tells how many deliveries were never sent", async () => {
    const hub = new Hub();
    const told = record(hub);
    const client = await connect(hub);
    client.credit = 1;
    for (const text of ["1", "2", "3"]) client.session.send(text);
    client.lose();
    assert.deepEqual(told, ["connect 1", "drop 1 closed  2", "disconnect 1 1006 "]);
    assert.equal(hub.counts.dropped.closed, 2);
  });

  test("answers false while its link is full, and tells when all has left", async () => {
    const hub = new Hub();
    const told = record(hub);
    const client = await connect(hub);
    client.credit = 2;
    assert.equal(client.session.send("1"), true);
    assert.equal(client.session.send("2"), false);
    assert.equal(client.session.send("3"), false);
    client.drain(1);
    assert.deepEqual(client.frames, ["1", "2", "3"]);
    assert.deepEqual(told, ["connect 1"]);
    client.drain();
    assert.deepEqual(told, ["connect 1", "drain 1"]);
    assert.equal(client.session.send("4"), true);
    client.drain();
    assert.deepEqual(told, ["connect 1", "drain 1"]);
  });

  test("sends bytes, and messages that were made before", async () => {
    const hub = new Hub();
    const client = await connect(hub);
    client.session.send(Uint8Array.of(1, 2));
    assert.deepEqual(client.frames, ["<0102>"]);
  });

  test("pauses its link, and the links after that", async () => {
    const hub = new Hub();
    const resume = { key: keyOf(1), received: 0 };
    const first = await connect(hub, { resume });
    first.session.pause();
    assert.equal(first.isPaused, true);
    first.lose();
    const second = await connect(hub, { resume });
    assert.equal(second.isPaused, true);
    second.session.resume();
    assert.equal(second.isPaused, false);
  });

  test("pings, and tells of the pong", async () => {
    const hub = new Hub();
    const told = record(hub);
    const client = await connect(hub);
    client.session.ping();
    assert.equal(client.pings, 1);
    client.attachment?.pong();
    assert.deepEqual(told, ["connect 1", "pong 1"]);
  });

  test("may become another user's", async () => {
    const hub = new Hub();
    const { session } = await connect(hub);
    session.identify({ user: "ada", claims: { level: 1 } });
    assert.deepEqual(hub.sessionsOf("ada"), [session]);
    session.identify({ user: "grace" });
    assert.deepEqual(hub.sessionsOf("ada"), []);
    assert.deepEqual(hub.sessionsOf("grace"), [session]);
    session.close();
    assert.deepEqual(hub.sessionsOf("grace"), []);
    session.identify({ user: "late" });
    assert.deepEqual(hub.sessionsOf("late"), []);
  });

  test("keeps state", async () => {
    const { session } = await connect(new Hub());
    session.state.set("name", "Ada");
    session.state.set("name", "Ada Lovelace");
    assert.equal(session.state.get("name"), "Ada Lovelace");
    assert.equal(session.state.has("name"), true);
    assert.equal(session.state.size, 1);
    assert.deepEqual([...session.state.entries()], [["name", "Ada Lovelace"]]);
    assert.equal(session.state.delete("name"), true);
    assert.equal(session.state.delete("name"), false);
    assert.equal(session.state.get("name"), undefined);
  });
});

describe("a client that connects", () => {
  test("is let in by an application that takes its time, as somebody", async () => {
    const clock = new FakeClock();
    const hub = new Hub({
      clock,
      admit: async (session) => {
        assert.equal(session.phase, "opening");
        assert.equal(hub.session(session.id), session);
        assert.deepEqual([...hub.sessions], []);
        session.state.set("plan", "free");
        session.send("first");
        await session.join("lobby");
        return { identity: { user: "ada" } };
      },
    });
    hub.onConnect((session) => session.send(`welcome, ${session.user}`));
    const client = await connect(hub);
    assert.ok("attachment" in client.result);
    assert.deepEqual(client.log, ["opened", "first", "welcome, ada"]);
    assert.deepEqual([...client.session.rooms], ["lobby"]);
    assert.equal(client.session.state.get("plan"), "free");
    assert.equal(clock.size, 0);
  });

  test("is refused with the application's code, and is never told of", async () => {
    const hub = new Hub({ admit: () => ({ code: 4403, reason: "banned" }) });
    const told = record(hub);
    const client = await connect(hub);
    assert.deepEqual(client.result, { code: 4403, reason: "banned" });
    assert.deepEqual(client.log, []);
    assert.deepEqual(told, []);
    assert.equal(client.session.isClosed, true);
    assert.equal(hub.size, 0);
    assert.deepEqual(hub.counts.refused, { 4403: 1 });
  });

  test("is refused with 1011 when the decision fails", async () => {
    const hub = new Hub({ admit: () => Promise.reject(new Error("no database")) });
    const told = record(hub);
    const client = await connect(hub);
    assert.ok("code" in client.result);
    assert.equal(client.result.code, 1011);
    assert.deepEqual(told, ["error 1 Error: no database"]);
  });

  test("is refused with 1011 when it is refused with what a close frame cannot say", async () => {
    const hub = new Hub({ admit: () => ({ code: 403, reason: "banned" }) });
    const told = record(hub);
    const { result } = await connect(hub);
    assert.ok("code" in result);
    assert.equal(result.code, 1011);
    assert.deepEqual(told, ["error 1 RangeError: 403 is no close code that can be sent."]);
  });

  test("is refused when it is not decided in time; if it is let in later, that ends at once", async () => {
    const clock = new FakeClock();
    const decision = new Gate();
    const hub = new Hub({ clock, admit: () => decision.opened });
    const told = record(hub);
    const connecting = connect(hub);
    clock.advance(9_999);
    assert.equal(hub.size, 0);
    clock.advance(1);
    const { result } = await connecting;
    assert.deepEqual(result, { code: 4408, reason: "not connected in time" });
    assert.deepEqual(told, []);
    decision.open();
    await settled();
    assert.deepEqual(told, ["connect 1", "disconnect 1 4408 not connected in time clean"]);
    assert.equal(hub.size, 0);
    assert.equal(clock.size, 0);
  });

  test("frees its place when it leaves while it is decided", async () => {
    let admitted: Session | undefined;
    const hub = new Hub({
      admit: async (session) => {
        admitted = session;
        await new Promise(() => undefined);
      },
    });
    const told = record(hub);
    const link = new FakeLink();
    const attaching = hub.attach(link, request);
    link.lose({ reason: "gone" });
    assert.deepEqual(await attaching, { code: 1006, reason: "gone" });
    assert.equal(admitted?.isClosed, true);
    assert.deepEqual(told, []);
  });

  test("may leave from within its own greeting", async () => {
    const hub = new Hub();
    const told = record(hub);
    const link = new FakeLink();
    link.whenOpened = () => link.lose();
    await connect(hub, {}, link);
    assert.deepEqual(told, ["connect 1", "disconnect 1 1006 "]);
    assert.deepEqual(link.log, ["opened"]);
  });

  test("is told why by an application that sends it away at once", async () => {
    const hub = new Hub();
    const told = record(hub);
    hub.onConnect((session) => {
      session.send("this server is full");
      session.close(4403, "full");
    });
    const client = await connect(hub);
    assert.deepEqual(client.log, ["opened", "this server is full", "close 4403"]);
    assert.deepEqual(client.closed, { code: 4403, reason: "full" });
    assert.deepEqual(told, ["connect 1", "disconnect 1 4403 full clean"]);
  });

  test("may bring the id of its session, if that is one and nobody's", async () => {
    const hub = new Hub();
    const id = "/chat#fyr0aGzO7kQx";
    const { session, result } = await connect(hub, { id });
    assert.ok("attachment" in result);
    assert.equal(session.id, id);
    assert.equal(hub.session(id), session);
    const second = await connect(hub, { id });
    assert.deepEqual(second.result, { code: 1013, reason: "another session has this id" });
    session.close();
    assert.ok("attachment" in (await connect(hub, { id })).result);
    for (const wrong of [
      "",
      "short",
      "0123456789abcde ",
      "0123456789abcde\n",
      "x".repeat(129),
      `${id}\ud800`,
    ]) {
      const { result: refused } = await connect(hub, { id: wrong });
      assert.ok("code" in refused && refused.code === 4400, JSON.stringify(wrong));
      assert.match(refused.reason, /16 to 128 characters/);
    }
  });

  test("with a resume key brings an id for a new session only", async () => {
    const hub = new Hub();
    const resume = { key: keyOf(1), received: 0 };
    const first = await connect(hub, { id: "first-id-of-this-client", resume });
    first.lose();
    const second = await connect(hub, { id: "second-id-of-this-client", resume });
    assert.equal(second.session.id, "first-id-of-this-client");
  });

  test("is refused by a hub that is closed", async () => {
    const hub = new Hub();
    await hub.close();
    const { result } = await connect(hub);
    assert.deepEqual(result, { code: 1001, reason: "the server goes away" });
  });
});

describe("the hub", () => {
  test("closes everything with one reason, and every disconnect is told once", async () => {
    const clock = new FakeClock();
    const hub = new Hub({
      clock,
      admit: (session) => (session.number < 3 ? undefined : new Promise(() => undefined)),
    });
    const told = record(hub);
    const first = await connect(hub);
    const away = await connect(hub, { resume: { key: keyOf(1), received: 0 } });
    away.lose();
    const opening = connect(hub);
    await hub.close(1012, "restart");
    await hub.close();
    assert.equal(hub.isClosed, true);
    assert.deepEqual(first.closed, { code: 1012, reason: "restart" });
    assert.deepEqual((await opening).result, { code: 1012, reason: "restart" });
    assert.deepEqual(told, [
      "connect 1",
      "connect 2",
      "away 2",
      "disconnect 1 1012 restart clean",
      "disconnect 2 1012 restart clean",
    ]);
    assert.equal(hub.size, 0);
    assert.equal(clock.size, 0);
    await assert.rejects(hub.publish("a", "b"), /The hub is closed/);
    await assert.rejects(hub.history("a"), /The hub is closed/);
  });

  test("tells handlers that fail to those of errors, and goes on", async () => {
    const hub = new Hub();
    const told = record(hub);
    hub.onMessage(() => {
      throw new Error("thrown");
    });
    hub.onMessage(async () => {
      throw new Error("rejected");
    });
    hub.onMessage((session, text) => session.send(text));
    const client = await connect(hub);
    client.attachment?.receive("still here");
    await Promise.resolve();
    assert.deepEqual(client.frames, ["still here"]);
    assert.deepEqual(told, ["connect 1", "error 1 Error: thrown", "error 1 Error: rejected"]);
    assert.equal(hub.counts.errors, 2);
  });

  test("warns of errors that nobody wants to know", async () => {
    const hub = new Hub();
    hub.onPong(() => {
      throw new Error("unseen");
    });
    const warned = new Promise<Error>((resolve) => process.once("warning", resolve));
    const client = await connect(hub);
    client.attachment?.pong();
    assert.match((await warned).message, /A handler of the hub failed: Error: unseen/);
  });

  test("tells of what is sent, from the moment on at which somebody wants to know", async () => {
    const hub = new Hub();
    const client = await connect(hub);
    client.session.send("before");
    const sent: string[] = [];
    hub.onSentMessage((_session, text) => sent.push(text));
    hub.onSentMessageBinary((_session, bytes) => sent.push(Buffer.from(bytes).toString("hex")));
    client.session.send("after");
    client.session.send(Uint8Array.of(255));
    client.credit = 1;
    client.session.send("full");
    client.session.send("waits");
    assert.deepEqual(sent, ["after", "ff", "full"]);
    client.session.close();
    assert.deepEqual(sent, ["after", "ff", "full", "waits"]);
  });

  test("knows whether anybody is told of what clients say", () => {
    const hub = new Hub();
    hub.onConnect(() => {});
    assert.equal(hub.isHeard, false);
    for (const name of ["onMessage", "onMessageBinary", "onReceive"] as const) {
      const another = new Hub();
      another[name](() => {});
      assert.equal(another.isHeard, true);
    }
  });

  test("gives text and bytes to their own handlers, with what the client said of them", async () => {
    const hub = new Hub();
    const got: unknown[] = [];
    hub.onMessage((_session, text, { type, isJson, from }) => got.push([text, type, isJson, from]));
    hub.onMessageBinary((_session, bytes, { type, isJson, from }) =>
      got.push([[...bytes], type, isJson, from]),
    );
    const client = await connect(hub);
    client.attachment?.receive('{"a":1}', { type: "json", isJson: true });
    client.attachment?.receive(Uint8Array.of(7));
    assert.deepEqual(got, [
      ['{"a":1}', "json", true, 1],
      [[7], "", false, 1],
    ]);
    assert.equal(hub.counts.received, 2);
  });

  test("lets an application answer what a client said, once", async () => {
    const hub = new Hub();
    const client = await connect(hub);
    const answers: unknown[] = [];
    const answer = (given: unknown): unknown => answers.push(given);
    client.attachment?.receive("unheard", { answer });
    hub.onReceive((_session, { data }, reply) => {
      reply({ ok: false, code: "NOT_FOUND", message: String(data) });
      reply({ ok: true });
    });
    client.attachment?.receive("heard", { answer });
    client.attachment?.receive(Uint8Array.of(1));
    assert.deepEqual(answers, [{ ok: true }, { ok: false, code: "NOT_FOUND", message: "heard" }]);
  });

  test("broadcasts to all, to some, to others, to several", async () => {
    const hub = new Hub();
    const [a, b, c] = [await connect(hub), await connect(hub), await connect(hub)];
    const sent = (): string[] => [a, b, c].map(({ frames }) => frames.splice(0).join());
    assert.equal(hub.broadcast("all"), 3);
    assert.deepEqual(sent(), ["all", "all", "all"]);
    assert.equal(
      hub.broadcastFilter("odd", ({ number }) => number % 2 === 1),
      2,
    );
    assert.deepEqual(sent(), ["odd", "", "odd"]);
    assert.equal(hub.broadcastOthers("others", b.session), 2);
    assert.deepEqual(sent(), ["others", "", "others"]);
    assert.equal(hub.broadcast("one", { except: [a.session, b.session] }), 1);
    assert.deepEqual(sent(), ["", "", "one"]);
    c.lose();
    assert.equal(hub.broadcastMultiple("several", [b.session, c.session]), 1);
    assert.deepEqual(sent(), ["", "several", ""]);
    assert.equal(hub.counts.delivered, 3 + 2 + 2 + 1 + 1);
  });

  test("encodes what goes to many once for each face", async () => {
    const { FakeFace } = await import("./support/fake-link.ts");
    const hub = new Hub();
    const [one, other] = [new FakeFace("one"), new FakeFace("other")];
    for (let index = 0; index < 4; index++) {
      await connect(hub, {}, new FakeLink(index % 2 === 0 ? one : other));
    }
    hub.broadcast("hello");
    assert.deepEqual([one.encoded, other.encoded], [1, 1]);
    for (const session of hub.sessions) await session.join("room");
    await hub.publish("room", "hello");
    assert.deepEqual([one.encoded, other.encoded], [2, 2]);
  });

  test("does not mind times and limits that can be meant, and refuses the others", () => {
    assert.throws(() => new Hub({ graceMs: -1 }), /graceMs is -1/);
    assert.throws(() => new Hub({ limits: { outboxBytes: 0 } }), /limits\.outboxBytes is 0/);
    assert.doesNotThrow(() => new Hub({ limits: { sessions: Infinity }, graceMs: Infinity }));
  });
});
