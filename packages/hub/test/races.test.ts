import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FakeClock, settled } from "@sluice/testkit/fake-clock";
import { Hub, HubError } from "../src/index.ts";
import { connect, FakeLink, keyOf } from "./support/fake-link.ts";
import { Gate } from "./support/gate.ts";
import { record } from "./support/record.ts";

const key = keyOf(1);

describe("what happens at once", () => {
  test("is told to each handler in the order in which it happened", async () => {
    const hub = new Hub();
    const told: string[] = [];
    hub.onConnect((session) => session.close(4000, "no"));
    hub.onConnect(() => told.push("connect"));
    hub.onDisconnect(() => told.push("disconnect"));
    await connect(hub);
    assert.deepEqual(told, ["connect", "disconnect"]);
  });

  test("lets nobody in once a handler has closed the hub", async () => {
    const clock = new FakeClock();
    const hub = new Hub({ clock });
    const told = record(hub);
    await connect(hub, { resume: { key, received: 0 } });
    hub.onDisconnect(() => hub.close());
    const late = await connect(hub, { resume: { key, received: 7 } });
    assert.deepEqual(late.result, { code: 1001, reason: "the server goes away" });
    assert.equal(hub.size, 0);
    assert.deepEqual(told, ["connect 1", "disconnect 1 4410 not recovered clean"]);
  });

  test("settles for a client that goes while its rooms are joined, and may come back", async () => {
    const asked = new Gate<boolean>();
    const hub = new Hub({ authorize: () => asked.opened });
    const link = new FakeLink();
    const attached = connect(hub, { resume: { key, received: 0 }, rooms: [{ room: "room" }] }, link);
    link.lose();
    const { result, session } = await attached;
    assert.deepEqual(result, { code: 1006, reason: "" });
    assert.equal(session.phase, "away");
    asked.open(true);
  });

  test("does nothing for a client whose session was closed while it was asked whether it may", async () => {
    const asked = new Gate<boolean>();
    const hub = new Hub({ authorize: () => asked.opened });
    const other = await connect(hub);
    await other.session.join("room");
    const client = await connect(hub);
    const over = new HubError("FAILED_PRECONDITION", "The session is over.");
    const rejected = Promise.all([
      assert.rejects(client.attachment!.publish("room", { data: "published" }), over),
      assert.rejects(client.attachment!.say(other.session.number, { data: "said" }), over),
    ]);
    client.session.close(4403, "out");
    asked.open(true);
    await rejected;
    await settled();
    assert.deepEqual(other.frames, []);
  });
});

describe("what was dropped", () => {
  test("is told again to a client that may not have heard of it", async () => {
    const hub = new Hub({ limits: { outboxBytes: 160 }, rooms: () => ({ slow: "latest" }) });
    const first = await connect(hub, { resume: { key, received: 0 } });
    await first.session.join("room");
    first.credit = 1;
    for (const text of ["1", "2", "3", "4"]) await hub.publish("room", text);
    first.drain();
    assert.deepEqual(first.log, ["opened", "room#0:1", "dropped slow room 2", "room#0:4"]);
    first.lose();
    // The socket was lost with all but the first.
    const second = await connect(hub, { resume: { key, received: 1 } });
    assert.ok("attachment" in second.result);
    assert.equal(second.result.recovered, false);
    assert.deepEqual(second.log, ["opened", "dropped slow room 2", "room#0:4"]);
    second.lose();
    // What came behind it shows that it was heard.
    const third = await connect(hub, { resume: { key, received: 2 } });
    assert.ok("attachment" in third.result);
    assert.equal(third.result.recovered, true);
    assert.deepEqual(third.log, ["opened"]);
  });
});

describe("what is sent again", () => {
  test("takes no place from what waits, so that who comes back is not too slow", async () => {
    const asked = new Gate<boolean>();
    const limits = { outboxBytes: 200, replayBytes: 200 };
    const hub = new Hub({ limits, authorize: () => asked.opened });
    const first = await connect(hub, { resume: { key, received: 0 } });
    // Each counts for 65 bytes.
    for (const text of ["1", "2", "3"]) first.session.send(text);
    first.lose();
    first.session.send("4");
    const link = new FakeLink();
    const second = connect(hub, { resume: { key, received: 0 }, rooms: [{ room: "room" }] }, link);
    first.session.send("5");
    first.session.send("6");
    asked.open(true);
    await second;
    assert.deepEqual(link.frames, ["1", "2", "3", "4", "5", "6"]);
    // The bound is what it was.
    link.credit = 1;
    for (const text of ["7", "8", "9", "10", "11"]) link.session.send(text);
    assert.equal(link.closed?.code, 4413);
  });
});

describe("a message's type", () => {
  test("counts as its data does: over the limit, and for what waits", async () => {
    const hub = new Hub({ limits: { messageBytes: 10 }, authorize: () => true });
    const client = await connect(hub);
    await assert.rejects(
      client.attachment!.publish("room", { data: "12345", type: "123456" }),
      /has at most 10 bytes .* this one has 11/,
    );
    client.attachment?.receive("12345", { type: "123456" });
    assert.equal(client.closed?.code, 1009);
  });
});
