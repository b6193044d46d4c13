import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FakeClock, settled } from "@sluice/testkit/fake-clock";
import { type Delivery, Hub, type ResumeRequest } from "../src/index.ts";
import { connect, FakeFace, FakeLink, keyOf } from "./support/fake-link.ts";
import { Gate } from "./support/gate.ts";
import { record } from "./support/record.ts";

const key = keyOf(1);

describe("a session with a resume key", () => {
  test("waits for its client, and gives it what it missed, in order and once", async () => {
    const clock = new FakeClock();
    const hub = new Hub({ clock, graceMs: 30_000 });
    const told = record(hub);
    const first = await connect(hub, { resume: { key, received: 0 } });
    const { session } = first;
    await session.join("room");
    session.send("1");
    session.send("2");
    first.lose();
    assert.equal(session.phase, "away");
    assert.equal(hub.size, 1);
    assert.equal(session.send("3"), false);
    await hub.publish("room", "4");
    clock.advance(29_999);

    const second = await connect(hub, { resume: { key, received: 1 } });
    assert.ok("attachment" in second.result);
    assert.deepEqual(
      { ...second.result, attachment: undefined },
      { attachment: undefined, resumed: true, recovered: true, rooms: [] },
    );
    assert.equal(second.session, session);
    assert.equal(session.phase, "connected");
    assert.equal(session.generation, 2);
    assert.deepEqual(second.log, ["opened", "2", "3", "room#0:4"]);
    session.send("5");
    assert.deepEqual(second.frames.at(-1), "5");
    assert.deepEqual(told, ["connect 1", "away 1", "resume 1 true 29999", "drain 1"]);
    clock.advance(60_000);
    assert.equal(session.phase, "connected");
    assert.equal(clock.size, 0);
    assert.equal(hub.counts.resumed, 1);
  });

  test("is over when nobody comes back in time, for the reason for which the link was lost", async () => {
    const clock = new FakeClock();
    const hub = new Hub({ clock, graceMs: 1000 });
    const told = record(hub);
    const client = await connect(hub, { resume: { key, received: 0 } });
    await client.session.join("room");
    client.lose({ code: 1001, reason: "tab", clean: true });
    clock.advance(1000);
    assert.deepEqual(told, ["connect 1", "close 1 1001 tab", "away 1", "disconnect 1 1001 tab clean"]);
    assert.equal(hub.size, 0);
    assert.equal(hub.roomCount, 0);
    const again = await connect(hub, { resume: { key, received: 0 } });
    assert.notEqual(again.session, client.session);
  });

  test("may wait longer than a timer can", async () => {
    const clock = new FakeClock();
    const waits: number[] = [];
    const after = clock.after.bind(clock);
    clock.after = (milliseconds, call) => {
      waits.push(milliseconds);
      return after(milliseconds, call);
    };
    const hub = new Hub({ clock, graceMs: 2 ** 31 + 99 });
    const client = await connect(hub, { resume: { key, received: 0 } });
    client.lose();
    clock.advance(2 ** 31 + 98);
    assert.equal(client.session.phase, "away");
    clock.advance(1);
    assert.equal(client.session.phase, "closed");
    assert.deepEqual(waits, [2 ** 31 - 1, 100]);
  });

  test("is over at once when its client says farewell", async () => {
    const hub = new Hub();
    const client = await connect(hub, { resume: { key, received: 0 } });
    client.lose({ code: 1000, reason: "", clean: true });
    assert.equal(client.session.phase, "closed");
  });

  test("is taken over from a link that is still there", async () => {
    const hub = new Hub();
    const told = record(hub);
    const first = await connect(hub, { resume: { key, received: 0 } });
    first.session.send("1");
    const second = await connect(hub, { resume: { key, received: 0 } }, new FakeLink(new FakeFace("other")));
    assert.deepEqual(first.closed, { code: 4409, reason: "another connection took the session over" });
    assert.deepEqual(second.log, ["opened", "1"]);
    assert.equal(second.session.face, "other");
    first.lose();
    first.attachment?.receive("from the old one");
    first.attachment?.drained();
    first.attachment?.pong();
    assert.equal(second.session.phase, "connected");
    assert.equal(hub.counts.received, 0);
    assert.deepEqual(told, ["connect 1", "resume 1 true 0"]);
    await assert.rejects(first.attachment?.join("room") ?? Promise.resolve(), /The session is over/);
  });

  test("is resumed again and again, also while a link has not taken everything", async () => {
    const hub = new Hub();
    const first = await connect(hub, { resume: { key, received: 0 } });
    for (let index = 1; index <= 5; index++) first.session.send(String(index));
    first.lose();
    const slow = new FakeLink();
    slow.credit = 2;
    await connect(hub, { resume: { key, received: 1 } }, slow);
    assert.deepEqual(slow.frames, ["2", "3"]);
    slow.lose();
    const third = await connect(hub, { resume: { key, received: 2 } });
    assert.deepEqual(third.frames, ["3", "4", "5"]);
    third.session.send("6");
    third.lose();
    const fourth = await connect(hub, { resume: { key, received: 6 } });
    assert.deepEqual(fourth.frames, []);
  });

  test("ends when more was sent than is kept, and its client begins anew", async () => {
    const hub = new Hub({ limits: { replayCount: 2 } });
    const told = record(hub);
    const first = await connect(hub, { resume: { key, received: 0 } });
    for (let index = 1; index <= 4; index++) first.session.send(String(index));
    first.lose();
    const second = await connect(hub, { resume: { key, received: 1 } });
    assert.ok("attachment" in second.result);
    assert.equal(second.result.resumed, false);
    assert.equal(second.result.recovered, false);
    assert.deepEqual(second.log, ["opened"]);
    assert.deepEqual(told, ["connect 1", "away 1", "disconnect 1 4410 not recovered clean", "connect 2"]);
    assert.equal(hub.counts.notRecovered, 1);
    second.session.send("new");
    second.lose();
    const third = await connect(hub, { resume: { key, received: 0 } });
    assert.deepEqual(third.frames, ["new"]);
  });

  test("is not taken for the one before, when the client's link is lost before it knows of it", async () => {
    const clock = new FakeClock();
    const hub = new Hub({ clock, graceMs: 1000 });
    const first = await connect(hub, { resume: { key, received: 0 } });
    first.session.send("1");
    first.session.send("2");
    first.lose();
    clock.advance(1000);

    // Its client never sees that this one is new, and says the same again.
    const second = await connect(hub, { resume: { key, received: 2 } });
    for (const text of ["a", "b", "c"]) second.session.send(text);
    second.lose();
    const third = await connect(hub, { resume: { key, received: 2 } });
    assert.ok("attachment" in third.result);
    assert.deepEqual([third.result.resumed, third.result.recovered], [false, false]);
    assert.notEqual(third.session, second.session);

    third.session.send("d");
    third.lose();
    const fourth = await connect(hub, { resume: { key, received: 1 } });
    assert.equal(fourth.session, third.session);
    for (const text of ["e", "f"]) fourth.session.send(text);
    fourth.lose();
    const fifth = await connect(hub, { resume: { key, received: 2 } });
    assert.equal(fifth.session, third.session);
    assert.deepEqual(fifth.frames, ["f"]);
  });

  test("goes on after the delivery that its client names, again and again", async () => {
    const hub = new Hub();
    const first = await connect(hub, { resume: { key, received: 0 } });
    for (const text of ["a", "b", "c"]) first.session.send(text);
    first.lose();
    const after = (text: string): ResumeRequest => ({
      key,
      received: 0,
      isLast: ({ message }) => message.data === text,
    });
    const second = await connect(hub, { resume: after("b") });
    assert.equal(second.session, first.session);
    assert.deepEqual(second.frames, ["c"]);
    second.lose();
    const third = await connect(hub, { resume: after("b") });
    assert.deepEqual(third.frames, ["c"]);
    third.session.send("d");
    third.lose();
    const fourth = await connect(hub, { resume: after("d") });
    assert.deepEqual(fourth.frames, []);
    fourth.lose();
    const fifth = await connect(hub, { resume: after("d") });
    assert.deepEqual([fifth.session, fifth.frames.length], [first.session, 0]);
  });

  test("begins anew where the delivery that its client names is not known, or was sent twice", async () => {
    for (const sent of [["a", "b", "c"], ["x", "y", "x"], []]) {
      const hub = new Hub({ limits: { replayCount: 2 } });
      const first = await connect(hub, { resume: { key, received: 0 } });
      for (const text of sent) first.session.send(text);
      first.lose();
      const name = sent.includes("x") ? "x" : "a";
      const resume = { key, received: 0, isLast: ({ message }: Delivery) => message.data === name };
      // Of x and y, x is kept only once.
      const { result } = await connect(hub, { resume });
      assert.ok("attachment" in result);
      assert.deepEqual(
        [result.resumed, result.recovered],
        sent.includes("x") ? [true, true] : [false, false],
      );
      const refused = await connect(hub, { resume: { ...resume, key: keyOf(2), mustRecover: true } });
      assert.ok("code" in refused.result && refused.result.code === 4410);
      await hub.close();
    }
    const hub = new Hub();
    const first = await connect(hub, { resume: { key, received: 0 } });
    for (const text of ["x", "y", "x"]) first.session.send(text);
    first.lose();
    const second = await connect(hub, {
      resume: { key, received: 0, isLast: ({ message }) => message.data === "x" },
    });
    assert.notEqual(second.session, first.session);
  });

  test("is sent again what it was sent of a room before it left, and nothing that waited", async () => {
    const hub = new Hub();
    const first = await connect(hub, { resume: { key, received: 0 } });
    await first.session.join("a");
    await hub.publish("a", "1");
    first.session.send("2");
    first.lose();
    await hub.publish("a", "waits");
    await first.session.leave("a");
    await hub.publish("a", "later");
    first.session.send("3");

    const second = await connect(hub, { resume: { key, received: 0 } });
    assert.ok("attachment" in second.result && second.result.recovered);
    assert.deepEqual(second.frames, ["a#0:1", "2", "3"]);
    second.lose();
    const third = await connect(hub, { resume: { key, received: 2 } });
    assert.deepEqual(third.frames, ["3"]);
  });

  test("keeps no more bytes than it may", async () => {
    const hub = new Hub({ limits: { replayBytes: 300 } });
    const first = await connect(hub, { resume: { key, received: 0 } });
    for (const letter of ["a", "b", "c"]) first.session.send(letter.repeat(100));
    first.lose();
    const second = await connect(hub, { resume: { key, received: 1 } });
    assert.ok("attachment" in second.result);
    assert.equal(second.result.recovered, false);
  });

  test("is told what its client has had, and keeps the rest only", async () => {
    const hub = new Hub({ limits: { replayCount: 2 } });
    const first = await connect(hub, { resume: { key, received: 0 } });
    for (let index = 1; index <= 4; index++) {
      first.session.send(String(index));
      first.attachment?.received(index - 1);
    }
    first.lose();
    const second = await connect(hub, { resume: { key, received: 2 } });
    assert.deepEqual(second.frames, []);
  });

  test("does not believe that its client has had more than it was sent", async () => {
    const hub = new Hub();
    const first = await connect(hub, { resume: { key, received: 0 } });
    first.session.send("1");
    first.attachment?.received(2);
    assert.deepEqual(first.closed, { code: 4400, reason: "received 2 of 1 deliveries" });

    const other = await connect(hub, { resume: { key, received: 0 } });
    other.lose();
    const again = await connect(hub, { resume: { key, received: 1 } });
    assert.ok("attachment" in again.result);
    assert.equal(again.result.resumed, false);
    assert.equal(again.result.recovered, false);
  });

  test("is not there for another user with the same key", async () => {
    const hub = new Hub();
    const ada = await connect(hub, { identity: { user: "ada" }, resume: { key, received: 0 } });
    ada.session.send("for Ada");
    ada.lose();
    const eve = await connect(hub, { identity: { user: "eve" }, resume: { key, received: 0 } });
    assert.notEqual(eve.session, ada.session);
    assert.deepEqual(eve.frames, []);
    const back = await connect(hub, { identity: { user: "ada" }, resume: { key, received: 0 } });
    assert.deepEqual(back.frames, ["for Ada"]);
  });

  test("is gone for a wire that has no word for it", async () => {
    const hub = new Hub();
    const told = record(hub);
    const { result } = await connect(hub, { resume: { key, received: 3, mustRecover: true } });
    assert.deepEqual(result, { code: 4410, reason: "the session is gone, or what was missed of it" });
    assert.deepEqual(told, []);
    const fresh = await connect(hub, { resume: { key, received: 0, mustRecover: true } });
    assert.ok("attachment" in fresh.result);
    assert.equal(fresh.result.recovered, true);
  });

  test("does not survive its link in a hub without grace", async () => {
    const hub = new Hub({ graceMs: 0 });
    const client = await connect(hub, { resume: { key, received: 0 } });
    client.lose();
    assert.equal(client.session.phase, "closed");
    const again = await connect(hub, { resume: { key, received: 1 } });
    assert.ok("attachment" in again.result);
    assert.equal(again.result.recovered, false);
  });

  for (const [what, wrong] of [
    ["short", { key: "a".repeat(21), received: 0 }],
    ["long", { key: "a".repeat(129), received: 0 }],
    ["of other characters", { key: "ä".repeat(22), received: 0 }],
    ["with half a delivery", { key, received: 0.5 }],
    ["with less than nothing", { key, received: -1 }],
  ] as const) {
    test(`is not begun with a key that is ${what}`, async () => {
      const { result } = await connect(new Hub(), { resume: wrong });
      assert.ok("code" in result);
      assert.equal(result.code, 4400);
    });
  }

  test("takes the place of one that is being let in", async () => {
    const decision = new Gate();
    const hub = new Hub({
      admit: ({ number }) => (number === 1 ? decision.opened : undefined),
    });
    const told = record(hub);
    const first = connect(hub, { resume: { key, received: 0 } });
    const second = await connect(hub, { resume: { key, received: 0 } });
    assert.ok("attachment" in second.result);
    assert.equal(second.result.recovered, true);
    assert.deepEqual((await first).result, {
      code: 4409,
      reason: "another connection took the session over",
    });
    decision.open();
    await settled();
    assert.deepEqual(told, [
      "connect 2",
      "connect 1",
      "disconnect 1 4409 another connection took the session over clean",
    ]);
  });

  test("joins the rooms that its client asks for, those that it is in already at once", async () => {
    const hub = new Hub({ authorize: () => true, rooms: () => ({ history: { size: 10, ttlMs: 1000 } }) });
    const resume = { key, received: 0 };
    const first = await connect(hub, { resume, rooms: [{ room: "a" }] });
    await hub.publish("a", "1");
    first.lose();
    await hub.publish("a", "2");
    await hub.publish("b", "before");
    const second = await connect(hub, {
      resume: { key, received: 1 },
      rooms: [{ room: "a" }, { room: "b" }],
    });
    assert.ok("attachment" in second.result);
    assert.deepEqual(
      second.result.rooms.map((room) => ("offset" in room ? [room.room, room.offset, room.recovered] : room)),
      [
        ["a", 2, true],
        ["b", 1, true],
      ],
    );
    assert.deepEqual(second.log, ["opened", "a#2:2"]);
  });

  test("is who the new link says, unless the application has said who it is", async () => {
    const hub = new Hub();
    const resume = { key, received: 0 };
    const old = { user: "ada", claims: { level: 1 } };
    const fresh = { user: "ada", claims: { level: 2 } };
    const client = await connect(hub, { identity: old, resume });
    await connect(hub, { identity: fresh, resume });
    assert.deepEqual(client.session.claims, { level: 2 });
    client.session.identify({ user: "grace" });
    const again = await connect(hub, { identity: fresh, resume });
    assert.equal(again.session, client.session);
    assert.equal(client.session.user, "grace");
    assert.deepEqual(hub.sessionsOf("ada"), []);
  });

  test("waits for another link if its rooms cannot be joined in time", async () => {
    const clock = new FakeClock();
    const decision = new Gate<boolean>();
    const hub = new Hub({ clock, authorize: () => decision.opened });
    const told = record(hub);
    const resume = { key, received: 0 };
    const first = await connect(hub, { resume });
    first.session.send("1");
    first.lose();
    const connecting = connect(hub, { resume, rooms: [{ room: "a" }] });
    clock.advance(10_000);
    assert.deepEqual((await connecting).result, { code: 4408, reason: "not connected in time" });
    assert.equal(first.session.phase, "away");
    const third = await connect(hub, { resume });
    assert.deepEqual(third.log, ["opened", "1"]);
    decision.open(true);
    await settled();
    assert.deepEqual(told, ["connect 1", "away 1", "resume 1 true 0", "away 1", "resume 1 true 0"]);
    assert.equal(clock.size, 0);
  });

  test("ends while it is away if more waits for it than may", async () => {
    const hub = new Hub({ limits: { outboxBytes: 200 } });
    const told = record(hub);
    const client = await connect(hub, { resume: { key, received: 0 } });
    client.lose();
    client.session.send("a".repeat(100));
    client.session.send("b".repeat(100));
    assert.deepEqual(told, [
      "connect 1",
      "away 1",
      "drop 1 closed  1",
      "disconnect 1 4413 reads too slowly clean",
    ]);
  });
});
