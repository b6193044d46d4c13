import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FakeClock } from "@sluice/testkit/fake-clock";
import { Hub, MemoryBroker, roomsByPattern } from "../src/index.ts";
import { connect, FakeLink, keyOf } from "./support/fake-link.ts";
import { Gate } from "./support/gate.ts";
import { record } from "./support/record.ts";

const history = { size: 100, ttlMs: 60_000 };

describe("a room", () => {
  test("reaches those that are in it, and nobody else", async () => {
    const hub = new Hub();
    const [a, b, c] = [await connect(hub), await connect(hub), await connect(hub)];
    assert.deepEqual(await a.session.join("room"), { room: "room", epoch: "", offset: 0, recovered: true });
    await b.session.join("room");
    assert.deepEqual([...a.session.rooms], ["room"]);
    assert.deepEqual(await hub.publish("room", "1"), { epoch: "", offset: 0, duplicate: false });
    await hub.publish("room", "2", { except: a.session.id });
    await b.session.leave("room");
    await b.session.leave("room");
    await hub.publish("room", "3");
    assert.deepEqual(a.frames, ["room#0:1", "room#0:3"]);
    assert.deepEqual(b.frames, ["room#0:1", "room#0:2"]);
    assert.deepEqual(c.frames, []);
    assert.deepEqual([...b.session.rooms], []);
    assert.equal(hub.roomCount, 1);
    await a.session.leave("room");
    assert.equal(hub.roomCount, 0);
  });

  test("has sessions that the application can go through", async () => {
    const hub = new Hub();
    const first = await connect(hub);
    const second = await connect(hub);
    await Promise.all([first.session.join("room"), second.session.join("room")]);
    assert.deepEqual([...hub.sessionsIn("room")], [first.session, second.session]);
    await first.session.leave("room");
    assert.deepEqual([...hub.sessionsIn("room")], [second.session]);
    assert.deepEqual([...hub.sessionsIn("another")], []);
  });

  test("is shown to a link whose wire shows rooms, but not that it is left at the end", async () => {
    const hub = new Hub({ limits: { roomsPerSession: 2 } });
    const told: string[] = [];
    const link = Object.assign(new FakeLink(), {
      roomChanged: (room: string, isIn: boolean) => told.push(`${isIn ? "in" : "out of"} ${room}`),
    });
    const { session } = await connect(hub, { rooms: [{ room: "denied" }] }, link);
    const joined = session.join("a");
    assert.deepEqual(told, ["in a"]);
    await Promise.all([joined, session.join("a"), session.join("b")]);
    await assert.rejects(session.join("c"), /at most 2 rooms/);
    await session.leave("a");
    session.close();
    assert.deepEqual(told, ["in a", "in b", "out of a"]);
  });

  test("is joined once, however often it is asked for", async () => {
    const hub = new Hub({ rooms: () => ({ presence: true }) });
    const told = record(hub);
    const { session, frames } = await connect(hub);
    await Promise.all([session.join("room"), session.join("room")]);
    await session.join("room");
    await hub.publish("room", "1");
    assert.deepEqual(frames, ["room#0:1"]);
    assert.deepEqual(told, ["connect 1", "room room 1 joined"]);
  });

  test("is joined at once where its broker subscribes at once and it keeps no history", async () => {
    const hub = new Hub();
    const { session, frames } = await connect(hub);
    const joining = session.join("room");
    void hub.publish("room", "1");
    void session.leave("room");
    void hub.publish("room", "2");
    assert.deepEqual(frames, ["room#0:1"]);
    assert.deepEqual(await joining, { room: "room", epoch: "", offset: 0, recovered: true });
  });

  test("does not give what is given out already to a session that joins meanwhile", async () => {
    const hub = new Hub();
    const { session } = await connect(hub);
    const late = await connect(hub);
    hub.onSentMessage(() => void late.session.join("room"));
    await session.join("room");
    await hub.publish("room", "1");
    await hub.publish("room", "2");
    assert.deepEqual(late.frames, ["room#0:2"]);
  });

  test("is not joined by a session that leaves it, or ends, before it is in", async () => {
    const hub = new Hub({ rooms: () => ({ history }) });
    const { session, frames } = await connect(hub);
    const joining = session.join("room");
    const leaving = session.leave("room");
    await assert.rejects(joining, /The session left the room "room" before it was in it/);
    await leaving;
    const again = session.join("room");
    await again;
    await hub.publish("room", "1");
    assert.deepEqual(frames, ["room#1:1"]);
    const other = await connect(hub);
    const late = other.session.join("other");
    other.lose();
    await assert.rejects(late, /left the room "other"/);
    assert.equal(hub.roomCount, 1);
  });

  test("may be left and joined again within one tick", async () => {
    const hub = new Hub({ rooms: () => ({ history }) });
    const { session, frames } = await connect(hub);
    const first = session.join("room");
    void session.leave("room");
    const second = session.join("room");
    await assert.rejects(first, /left the room/);
    await second;
    await hub.publish("room", "1");
    assert.deepEqual(frames, ["room#1:1"]);
    assert.deepEqual([...session.rooms], ["room"]);
  });

  test("tells who comes and goes, and who is there", async () => {
    const hub = new Hub({ rooms: roomsByPattern({ "chat:*": { presence: true } }) });
    const told = record(hub);
    const ada = await connect(hub, { identity: { user: "ada", info: { name: "Ada" } } });
    const twice = await connect(hub, { identity: { user: "ada" } });
    const nobody = await connect(hub);
    for (const { session } of [ada, twice, nobody]) await session.join("chat:1");
    await nobody.session.join("quiet");
    const presence = hub.presence("chat:1");
    assert.deepEqual(presence, {
      members: [
        { session: ada.session.id, number: 1, user: "ada", info: { name: "Ada" } },
        { session: twice.session.id, number: 2, user: "ada", info: undefined },
        { session: nobody.session.id, number: 3, user: "", info: undefined },
      ],
      sessions: 3,
      users: 1,
    });
    nobody.session.identify({ user: "grace" });
    assert.equal(hub.presence("chat:1").users, 2);
    await ada.session.leave("chat:1");
    twice.lose();
    assert.equal(hub.presence("chat:1").sessions, 1);
    assert.deepEqual(hub.presence("empty"), { members: [], sessions: 0, users: 0 });
    assert.deepEqual(
      told.filter((line) => line.startsWith("room")),
      [
        "room chat:1 1 joined",
        "room chat:1 2 joined",
        "room chat:1 3 joined",
        "room chat:1 1 left",
        "room chat:1 2 left",
      ],
    );
  });

  test("lets its handlers know what a session was in when it ended", async () => {
    const hub = new Hub();
    const { session } = await connect(hub);
    await session.join("room");
    let rooms: string[] = [];
    hub.onDisconnect((ended) => (rooms = [...ended.rooms]));
    session.close();
    assert.deepEqual(rooms, ["room"]);
  });

  test("gives everybody the same order, whatever handlers publish meanwhile", async () => {
    const hub = new Hub();
    const clients = [await connect(hub), await connect(hub), await connect(hub)];
    for (const { session } of clients) await session.join("room");
    hub.onSentMessage((session, text) => {
      if (text === "1") void hub.publish("room", `2 by ${session.number}`);
    });
    await hub.publish("room", "1");
    for (const { frames } of clients) {
      assert.deepEqual(frames, ["room#0:1", "room#0:2 by 1", "room#0:2 by 2", "room#0:2 by 3"]);
    }
  });

  test("survives members that leave, end and join while it is published to", async () => {
    const hub = new Hub();
    const clients = [await connect(hub), await connect(hub), await connect(hub)];
    for (const { session } of clients) await session.join("room");
    const late = await connect(hub);
    hub.onSentMessage((session) => {
      if (session.number !== 1) return;
      clients[1]?.session.close();
      void clients[2]?.session.leave("room");
      void late.session.join("room");
    });
    await hub.publish("room", "1");
    assert.deepEqual(
      clients.map(({ frames }) => frames.length),
      [1, 0, 0],
    );
    assert.deepEqual(late.frames, []);
    await late.session.join("room");
    await hub.publish("room", "2");
    assert.deepEqual(late.frames, ["room#0:2"]);
  });

  test("keeps no order of who is slow: others are not held up", async () => {
    const hub = new Hub();
    const [slow, quick] = [await connect(hub), await connect(hub)];
    slow.credit = 1;
    for (const { session } of [slow, quick]) await session.join("room");
    for (let index = 0; index < 10; index++) await hub.publish("room", String(index));
    assert.equal(slow.frames.length, 1);
    assert.equal(quick.frames.length, 10);
    slow.drain();
    assert.deepEqual(slow.frames, quick.frames);
  });

  test("has its history after its last member, until that is too old", async () => {
    const clock = new FakeClock();
    const broker = new MemoryBroker({ clock });
    const hub = new Hub({ clock, broker, rooms: () => ({ history }) });
    const first = await connect(hub);
    await first.session.join("room");
    const { epoch } = await hub.publish("room", "1");
    await first.session.leave("room");
    clock.advance(30_000);
    await hub.publish("room", "2");
    const again = await connect(hub);
    const joined = await again.session.join("room", { since: { epoch, offset: 1 } });
    assert.deepEqual(joined, { room: "room", epoch, offset: 2, recovered: true });
    assert.deepEqual(again.frames, ["room#2:2"]);
    again.lose();
    assert.equal(broker.size, 1);
    clock.advance(70_000);
    assert.equal(broker.size, 0);
    assert.equal(clock.size, 0);
  });

  test("without history leaves no memory", async () => {
    const broker = new MemoryBroker();
    const hub = new Hub({ broker });
    const client = await connect(hub);
    for (let index = 0; index < 100; index++) {
      await client.session.join(`room ${index}`);
      await hub.publish(`room ${index}`, "hello");
      await hub.publish(`nobody's ${index}`, "hello");
      await client.session.leave(`room ${index}`);
    }
    assert.equal(broker.size, 0);
    assert.equal(hub.roomCount, 0);
  });
});

describe("recovery", () => {
  test("gives what was published since, before what comes next", async () => {
    const hub = new Hub({ rooms: () => ({ history }) });
    const { epoch } = await hub.publish("room", "1");
    for (const text of ["2", "3"]) await hub.publish("room", text);
    const client = await connect(hub);
    const joining = client.session.join("room", { since: { epoch, offset: 1 } });
    await hub.publish("room", "4");
    const joined = await joining;
    await hub.publish("room", "5");
    assert.equal(joined.recovered, true);
    assert.equal(joined.epoch, epoch);
    assert.deepEqual(client.frames, ["room#2:2", "room#3:3", "room#4:4", "room#5:5"]);
  });

  test("begins with the room's position where nothing is asked for", async () => {
    const hub = new Hub({ rooms: () => ({ history }) });
    const { epoch } = await hub.publish("room", "1");
    const client = await connect(hub);
    assert.deepEqual(await client.session.join("room"), { room: "room", epoch, offset: 1, recovered: true });
    assert.deepEqual(client.frames, []);
    const other = await connect(hub);
    const since = { epoch, offset: 1 };
    assert.deepEqual(await other.session.join("room", { since }), {
      room: "room",
      epoch,
      offset: 1,
      recovered: true,
    });
  });

  test("gives all or nothing", async () => {
    const clock = new FakeClock();
    const small = { size: 2, ttlMs: 1000 };
    const hub = new Hub({
      clock,
      limits: { historyPage: 3, outboxBytes: 1000 },
      rooms: roomsByPattern({ small: { history: small }, "*": { history } }),
    });
    const recover = async (
      room: string,
      epoch: string,
      offset: number,
    ): Promise<[boolean, number, number]> => {
      const client = await connect(hub);
      const joined = await client.session.join(room, { since: { epoch, offset } });
      await client.session.leave(room);
      return [joined.recovered, joined.offset, client.frames.length];
    };
    const { epoch } = await hub.publish("small", "1");
    for (const text of ["2", "3"]) await hub.publish("small", text);
    assert.deepEqual(await recover("small", epoch, 1), [true, 3, 2]);
    assert.deepEqual(await recover("small", epoch, 0), [false, 3, 0], "trimmed by size");
    assert.deepEqual(await recover("small", "another", 1), [false, 3, 0], "another epoch");
    assert.deepEqual(await recover("small", epoch, 4), [false, 3, 0], "from the future");
    assert.deepEqual(await recover("small", "", 0), [false, 3, 0], "from nowhere");
    clock.advance(1000);
    const keeper = await connect(hub);
    await keeper.session.join("small");

    const large = await hub.publish("large", "1");
    for (const text of ["2", "3", "4"]) await hub.publish("large", text);
    assert.deepEqual(await recover("large", large.epoch, 1), [true, 4, 3]);
    assert.deepEqual(await recover("large", large.epoch, 0), [false, 4, 0], "over historyPage");
    await hub.publish("large", "x".repeat(1000));
    assert.deepEqual(await recover("large", large.epoch, 4), [false, 5, 0], "over outboxBytes");
    assert.deepEqual(await recover("large", large.epoch, 5), [true, 5, 0], "nothing missed");
  });

  test("is not there in a room without history", async () => {
    const hub = new Hub();
    const client = await connect(hub);
    const joined = await client.session.join("room", { since: { epoch: "e", offset: 1 } });
    assert.deepEqual(joined, { room: "room", epoch: "", offset: 0, recovered: false });
  });

  test("leaves out what the session was excepted from", async () => {
    const hub = new Hub({ rooms: () => ({ history }) });
    const { epoch } = await hub.publish("room", "1");
    const client = await connect(hub);
    await hub.publish("room", "not for you", { except: client.session.id });
    await hub.publish("room", "3");
    await client.session.join("room", { since: { epoch, offset: 1 } });
    assert.deepEqual(client.frames, ["room#3:3"]);
  });

  test("is not mixed up by what handlers publish when somebody joins", async () => {
    const hub = new Hub({ rooms: () => ({ history, presence: true }) });
    hub.onRoom(({ room, session, change }) => hub.publish(room, `${session.number} ${change}`));
    const { epoch } = await hub.publish("room", "1");
    const client = await connect(hub);
    await client.session.join("room", { since: { epoch, offset: 0 } });
    assert.deepEqual(client.frames, ["room#1:1", "room#2:1 joined"]);
  });
});

describe("history", () => {
  test("is read forwards and backwards, page by page", async () => {
    const hub = new Hub({ limits: { historyPage: 2 }, rooms: () => ({ history }) });
    const { epoch } = await hub.publish("room", "1");
    for (const text of ["2", "3"]) await hub.publish("room", text);
    const read = async (options = {}): Promise<unknown[]> => {
      const page = await hub.history("room", options);
      assert.deepEqual([page.epoch, page.offset], [epoch, 3]);
      return [...page.publications.map(({ message }) => message.data), page.complete];
    };
    assert.deepEqual(await read(), ["1", "2", true]);
    assert.deepEqual(await read({ since: { epoch, offset: 2 } }), ["3", true]);
    assert.deepEqual(await read({ reverse: true, limit: 1 }), ["3", true]);
    assert.deepEqual(await read({ reverse: true, since: { epoch, offset: 3 } }), ["2", "1", true]);
    assert.deepEqual(await read({ limit: 0 }), [true]);
    assert.deepEqual(await read({ since: { epoch: "other", offset: 1 } }), [false]);
  });

  test("is not there where the room keeps none, and not for what cannot be meant", async () => {
    const hub = new Hub({ rooms: roomsByPattern({ "kept:*": { history } }) });
    await assert.rejects(hub.history("room"), {
      code: "FAILED_PRECONDITION",
      message: 'The room "room" keeps no history.',
    });
    await assert.rejects(hub.history("kept:1", { limit: -1 }), { code: "INVALID_ARGUMENT" });
    await assert.rejects(hub.history("kept:1", { since: { epoch: "e", offset: 0.5 } }), {
      code: "INVALID_ARGUMENT",
    });
    await assert.rejects(hub.history("kept:1", { since: { epoch: "e".repeat(256), offset: 1 } }), {
      code: "INVALID_ARGUMENT",
    });
    assert.deepEqual(await hub.history("kept:1"), { epoch: "", offset: 0, publications: [], complete: true });
  });
});

describe("publishing", () => {
  test("happens once for one idempotency key", async () => {
    const clock = new FakeClock();
    const hub = new Hub({ clock, rooms: roomsByPattern({ kept: { history } }) });
    const client = await connect(hub);
    for (const room of ["kept", "plain"]) {
      await client.session.join(room);
      const first = await hub.publish(room, "1", { idempotencyKey: "k" });
      const second = await hub.publish(room, "1", { idempotencyKey: "k" });
      assert.deepEqual(second, { ...first, duplicate: true });
      assert.equal(first.duplicate, false);
    }
    assert.deepEqual(client.frames, ["kept#1:1", "plain#0:1"]);
    clock.advance(300_001);
    assert.equal((await hub.publish("plain", "1", { idempotencyKey: "k" })).duplicate, false);
  });

  test("to another epoch than the expected one is refused", async () => {
    const hub = new Hub({ rooms: roomsByPattern({ kept: { history } }) });
    const { epoch } = await hub.publish("kept", "1");
    assert.equal((await hub.publish("kept", "2", { expectedEpoch: epoch })).offset, 2);
    await assert.rejects(hub.publish("kept", "3", { expectedEpoch: "another" }), { code: "ABORTED" });
    await assert.rejects(hub.publish("plain", "3", { expectedEpoch: epoch }), {
      code: "FAILED_PRECONDITION",
    });
    assert.equal((await hub.history("kept")).offset, 2);
  });
});

describe("room options", () => {
  test("are those of the most specific pattern", () => {
    const rule = roomsByPattern({
      "*": { maxMembers: 1 },
      "chat:*": { maxMembers: 2 },
      "chat:vip:*": { maxMembers: 3 },
      "chat:vip": { maxMembers: 4 },
    });
    for (const [room, maxMembers] of [
      ["other", 1],
      ["chat:1", 2],
      ["chat:vip:1", 3],
      ["chat:vip", 4],
      ["chat:vipx", 2],
    ] as const) {
      assert.equal(rule(room).maxMembers, maxMembers, room);
    }
    assert.deepEqual(roomsByPattern({ "a*": { presence: true } })("b"), {});
  });

  test("that cannot be meant are refused, by pattern", () => {
    for (const [options, message] of [
      [{ history: { size: 0, ttlMs: 1 } }, /rooms\["a"\]: history\.size is 0/],
      [{ history: { size: 1.5, ttlMs: 1 } }, /history\.size is 1\.5/],
      [{ history: { size: 1, ttlMs: 0 } }, /history\.ttlMs is 0/],
      [{ maxMembers: 0 }, /maxMembers is 0/],
    ] as const) {
      assert.throws(() => roomsByPattern({ a: options }), message);
    }
    assert.throws(() => roomsByPattern({ "a*b": {} }), /has a \* that is not at its end/);
  });

  test("of a rule that fails refuse the room, and tell the application", async () => {
    const hub = new Hub({
      rooms: () => {
        throw new Error("no such room");
      },
    });
    const told = record(hub);
    const client = await connect(hub);
    await assert.rejects(client.session.join("a"), {
      code: "FAILED_PRECONDITION",
      message: 'The options of the room "a" are wrong.',
    });
    assert.deepEqual(told, ["connect 1", "error - Error: no such room"]);
    assert.deepEqual([...client.session.rooms], []);
  });
});

describe("a link that is taken over while rooms are joined", () => {
  test("is refused, and the session goes on", async () => {
    const decision = new Gate<boolean>();
    const hub = new Hub({ authorize: () => decision.opened });
    const resume = { key: keyOf(1), received: 0 };
    const first = connect(hub, { resume, rooms: [{ room: "a" }] });
    const link = new FakeLink();
    await connect(hub, { resume }, link);
    decision.open(true);
    assert.deepEqual((await first).result, {
      code: 4409,
      reason: "another connection took the session over",
    });
    assert.deepEqual(link.log, ["opened"]);
    assert.equal(link.session.phase, "connected");
  });
});
