import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FakeClock } from "@sluice/testkit/fake-clock";
import { defaultHubLimits, Hub, type HubLimits } from "../src/index.ts";
import { RateLimit } from "../src/rate-limit.ts";
import { connect, keyOf } from "./support/fake-link.ts";
import { Gate } from "./support/gate.ts";
import { record } from "./support/record.ts";

const tested = new Set<string>();

/** A test of one limit. */
function limit(name: keyof HubLimits, does: string, run: () => Promise<void>): void {
  tested.add(name);
  test(`${name} ${does}`, run);
}

describe("limits", () => {
  limit("sessions", "refuses with 1013", async () => {
    const hub = new Hub({ limits: { sessions: 1 } });
    const first = await connect(hub);
    assert.deepEqual((await connect(hub)).result, { code: 1013, reason: "there are too many sessions" });
    first.lose();
    assert.ok("attachment" in (await connect(hub)).result);
  });

  limit("sessions", "ends what is away the longest, before it refuses", async () => {
    const hub = new Hub({ limits: { sessions: 2 } });
    const [first, second] = [
      await connect(hub, { resume: { key: keyOf(1), received: 0 } }),
      await connect(hub, { resume: { key: keyOf(2), received: 0 } }),
    ];
    const told = record(hub);
    second.lose();
    first.lose();
    assert.ok("attachment" in (await connect(hub)).result);
    assert.deepEqual(told, ["away 2", "away 1", "disconnect 2 1013 its place was needed clean", "connect 3"]);
    assert.equal(hub.size, 2);
  });

  limit("sessions", "ends what is away, also where that may be away forever", async () => {
    const hub = new Hub({ limits: { sessions: 1 }, graceMs: Infinity });
    const away = await connect(hub, { resume: { key: keyOf(1), received: 0 } });
    away.lose();
    assert.ok("attachment" in (await connect(hub)).result);
    assert.equal(away.session.isClosed, true);
  });

  limit("sessions", "ends nothing for a client that is not let in", async () => {
    const gate = new Gate();
    const hub = new Hub({
      limits: { sessions: 2, sessionsPerUser: 1 },
      admit: async ({ request: { path } }) => {
        if (path !== "/slow") return path === "/no" ? { code: 4403, reason: "no" } : undefined;
        await gate.opened;
        return { code: 4403, reason: "no" };
      },
    });
    const identity = { user: "ada" };
    const away = await connect(hub, { identity, resume: { key: keyOf(1), received: 0 } });
    await connect(hub);
    away.lose();
    for (let index = 0; index < 3; index++) {
      assert.deepEqual((await connect(hub, { path: "/no", identity })).result, { code: 4403, reason: "no" });
    }
    const slow = connect(hub, { path: "/slow" });
    // The place that could be made is spoken for.
    assert.deepEqual((await connect(hub)).result, { code: 1013, reason: "there are too many sessions" });
    gate.open();
    assert.deepEqual((await slow).result, { code: 4403, reason: "no" });
    assert.equal(away.session.phase, "away");
    assert.ok("attachment" in (await connect(hub)).result);
    assert.equal(away.session.isClosed, true);
  });

  limit("sessions", "refuses who is let in when the one that was away is back", async () => {
    const gate = new Gate();
    const hub = new Hub({
      limits: { sessions: 2 },
      admit: ({ request: { path } }) => (path === "/slow" ? gate.opened : undefined),
    });
    await connect(hub);
    const resume = { key: keyOf(1), received: 0 };
    (await connect(hub, { resume })).lose();
    const slow = connect(hub, { path: "/slow" });
    const { result } = await connect(hub, { resume });
    assert.ok("attachment" in result && result.resumed);
    gate.open();
    assert.deepEqual((await slow).result, { code: 1013, reason: "there are too many sessions" });
    assert.equal(hub.size, 2);
  });

  limit("sessionsPerUser", "ends one of them that is away, before it refuses", async () => {
    const hub = new Hub({
      limits: { sessionsPerUser: 1 },
      admit: ({ request: { path } }) => (path === "/as-ada" ? { identity: { user: "ada" } } : undefined),
    });
    const identity = { user: "ada" };
    const first = await connect(hub, { identity, resume: { key: keyOf(1), received: 0 } });
    first.lose();
    const second = await connect(hub, { path: "/as-ada", resume: { key: keyOf(2), received: 0 } });
    assert.ok("attachment" in second.result);
    assert.equal(first.session.isClosed, true);
    second.lose();
    assert.ok("attachment" in (await connect(hub, { identity })).result);
    assert.equal(second.session.isClosed, true);
  });

  limit("sessionsPerUser", "refuses with 4429, also for users whom `admit` finds out", async () => {
    const hub = new Hub({
      limits: { sessionsPerUser: 1 },
      admit: ({ request: { path } }) => (path === "/as-ada" ? { identity: { user: "ada" } } : undefined),
    });
    const refusal = { code: 4429, reason: "this user has too many sessions" };
    await connect(hub, { identity: { user: "ada" } });
    assert.deepEqual((await connect(hub, { identity: { user: "ada" } })).result, refusal);
    assert.deepEqual((await connect(hub, { path: "/as-ada" })).result, refusal);
    for (const identity of [{ user: "grace" }, { user: "" }, { user: "" }]) {
      assert.ok("attachment" in (await connect(hub, { identity })).result);
    }
  });

  limit("openingMs", "refuses with 4408, also while rooms are joined", async () => {
    const clock = new FakeClock();
    const hub = new Hub({ clock, limits: { openingMs: 100 }, authorize: () => new Promise(() => undefined) });
    const connecting = connect(hub, { rooms: [{ room: "a" }] });
    clock.advance(100);
    assert.deepEqual((await connecting).result, { code: 4408, reason: "not connected in time" });
    assert.equal(hub.size, 0);
    assert.equal(clock.size, 0);
  });

  limit("openingMs", "counts from the beginning, however long it took to decide who is let in", async () => {
    const clock = new FakeClock();
    const gate = new Gate();
    const hub = new Hub({
      clock,
      limits: { openingMs: 100 },
      admit: () => gate.opened,
      authorize: () => new Promise(() => undefined),
    });
    const connecting = connect(hub, { rooms: [{ room: "a" }] });
    const told = record(hub);
    clock.advance(99);
    gate.open();
    await gate.opened;
    while (told.length === 0) await Promise.resolve();
    clock.advance(1);
    assert.deepEqual((await connecting).result, { code: 4408, reason: "not connected in time" });
  });

  limit(
    "roomsPerSession",
    "rejects with RESOURCE_EXHAUSTED, and refuses who asks for more at once",
    async () => {
      const hub = new Hub({ limits: { roomsPerSession: 1 }, authorize: () => true });
      const { session } = await connect(hub);
      await session.join("a");
      await session.join("a");
      await assert.rejects(session.join("b"), {
        code: "RESOURCE_EXHAUSTED",
        message: "A session is in at most 1 rooms (limits.roomsPerSession).",
      });
      await session.leave("a");
      await session.join("b");
      const { result } = await connect(hub, { rooms: [{ room: "a" }, { room: "b" }] });
      assert.deepEqual(result, { code: 4400, reason: "at most 1 rooms" });
      assert.equal(hub.roomCount, 1);
    },
  );

  limit("roomNameBytes", "rejects with INVALID_ARGUMENT", async () => {
    const hub = new Hub({ limits: { roomNameBytes: 4 } });
    const { session } = await connect(hub);
    await session.join("éé");
    for (const room of ["", "ééa"]) {
      for (const attempt of [session.join(room), hub.publish(room, "x"), hub.history(room)]) {
        await assert.rejects(attempt, { code: "INVALID_ARGUMENT", message: /limits\.roomNameBytes/ });
      }
    }
  });

  limit(
    "messageBytes",
    "closes clients with 1009, and rejects publications with INVALID_ARGUMENT",
    async () => {
      const hub = new Hub({ limits: { messageBytes: 4 } });
      const client = await connect(hub);
      client.attachment?.receive("éé");
      assert.equal(client.closed, undefined);
      client.attachment?.receive("ééa");
      assert.deepEqual(client.closed, { code: 1009, reason: "a message has at most 4 bytes" });
      assert.equal(hub.counts.received, 1);
      await assert.rejects(hub.publish("a", Buffer.alloc(5)), {
        code: "INVALID_ARGUMENT",
        message: "A message has at most 4 bytes (limits.messageBytes); this one has 5.",
      });
    },
  );

  limit("messagesPerSecond", "closes with 4429 who goes on after the burst", async () => {
    const clock = new FakeClock();
    const hub = new Hub({ clock, limits: { messagesPerSecond: 10, messageBurst: 2 } });
    const client = await connect(hub);
    const send = (): void => client.attachment?.receive("x");
    send();
    send();
    clock.advance(100);
    send();
    assert.equal(client.closed, undefined);
    send();
    assert.deepEqual(client.closed, { code: 4429, reason: "more than 10 messages a second" });
    assert.equal(hub.counts.received, 3);
  });

  limit("messageBurst", "counts everything that a client wants", async () => {
    const hub = new Hub({ clock: new FakeClock(), limits: { messageBurst: 2 }, authorize: () => true });
    const client = await connect(hub);
    await client.attachment?.join("a");
    client.attachment?.receive("x");
    await assert.rejects(client.attachment?.leave("a") ?? Promise.resolve(), { code: "FAILED_PRECONDITION" });
    assert.equal(client.closed?.code, 4429);
  });

  limit("outboxBytes", "closes with 4413", async () => {
    const hub = new Hub({ limits: { outboxBytes: 200 } });
    const client = await connect(hub);
    client.credit = 1;
    for (let index = 0; index < 4; index++) client.session.send("0123456789");
    assert.deepEqual(client.closed, { code: 4413, reason: "reads too slowly" });
  });

  limit("replayCount", "forgets the oldest", () => replayed({ replayCount: 1 }));

  limit("replayBytes", "forgets the oldest", () => replayed({ replayBytes: 100 }));

  limit("historyPage", "bounds pages, and what can be recovered", async () => {
    const hub = new Hub({
      limits: { historyPage: 1 },
      rooms: () => ({ history: { size: 9, ttlMs: 1000 } }),
    });
    const { epoch } = await hub.publish("a", "1");
    await hub.publish("a", "2");
    assert.equal((await hub.history("a", { limit: 5 })).publications.length, 1);
    const { session } = await connect(hub);
    assert.equal((await session.join("a", { since: { epoch, offset: 0 } })).recovered, false);
  });

  limit("stateEntries", "throws RESOURCE_EXHAUSTED", async () => {
    const { session } = await connect(new Hub({ limits: { stateEntries: 1 } }));
    session.state.set("a", "1");
    session.state.set("a", "2");
    assert.throws(() => session.state.set("b", "1"), {
      code: "RESOURCE_EXHAUSTED",
      message: /limits\.stateEntries/,
    });
    assert.deepEqual([...session.state.entries()], [["a", "2"]]);
  });

  limit("stateBytes", "throws RESOURCE_EXHAUSTED", async () => {
    const { session } = await connect(new Hub({ limits: { stateBytes: 5 } }));
    session.state.set("a", "éé");
    assert.throws(() => session.state.set("a", "ééa"), {
      code: "RESOURCE_EXHAUSTED",
      message: /limits\.stateBytes/,
    });
    session.state.delete("a");
    session.state.set("b", "1234");
    assert.deepEqual([...session.state.entries()], [["b", "1234"]]);
  });

  limit("presenceMembers", "names no more, and counts them all", async () => {
    const hub = new Hub({ limits: { presenceMembers: 1 } });
    for (const user of ["ada", "grace"]) await (await connect(hub, { identity: { user } })).session.join("a");
    const { members, sessions, users } = hub.presence("a");
    assert.deepEqual([members.length, sessions, users], [1, 2, 2]);
  });

  test("all have a test here, and a name in the error of what cannot be meant", () => {
    assert.deepEqual([...tested].toSorted(), Object.keys(defaultHubLimits).toSorted());
    for (const name of Object.keys(defaultHubLimits)) {
      assert.throws(() => new Hub({ limits: { [name]: NaN } }), new RegExp(`limits\\.${name} is NaN`));
    }
  });

  test("maxMembers of a room rejects with RESOURCE_EXHAUSTED", async () => {
    const hub = new Hub({ rooms: () => ({ maxMembers: 1 }) });
    const [a, b] = [await connect(hub), await connect(hub)];
    await a.session.join("room");
    await assert.rejects(b.session.join("room"), {
      code: "RESOURCE_EXHAUSTED",
      message: 'The room "room" has at most 1 members (RoomOptions.maxMembers).',
    });
    a.lose();
    await b.session.join("room");
  });
});

/** Two deliveries, of which only the second can be had again. */
async function replayed(limits: Partial<HubLimits>): Promise<void> {
  const hub = new Hub({ limits });
  for (const received of [0, 1]) {
    const key = keyOf(received);
    const first = await connect(hub, { resume: { key, received: 0 } });
    first.session.send("1");
    first.session.send("2");
    first.lose();
    const { result, frames } = await connect(hub, { resume: { key, received } });
    assert.ok("attachment" in result);
    assert.equal(result.recovered, received === 1);
    assert.deepEqual(frames, received === 1 ? ["2"] : []);
  }
}

describe("a rate limit", () => {
  test("lets the burst pass, then the rate, and is full again after a silence", () => {
    const rate = new RateLimit(10, 3);
    let full = 0;
    const taken = (now: number, times: number): number => {
      let count = 0;
      for (let index = 0; index < times; index++) {
        const next = rate.take(full, now);
        if (next === undefined) continue;
        full = next;
        count++;
      }
      return count;
    };
    assert.equal(taken(1000, 5), 3);
    assert.equal(taken(1099, 5), 0);
    assert.equal(taken(1100, 5), 1);
    assert.equal(taken(1350, 5), 2);
    assert.equal(taken(9000, 5), 3);
  });

  test("may be none", () => {
    for (const rate of [
      new RateLimit(Infinity, Infinity),
      new RateLimit(Infinity, 1),
      new RateLimit(1, Infinity),
    ]) {
      for (let index = 0; index < 1000; index++) assert.notEqual(rate.take(5, 5), undefined);
    }
  });
});
