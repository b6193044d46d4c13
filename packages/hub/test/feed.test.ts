import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FakeClock, settled } from "@sluice/testkit/fake-clock";
import { Hub, MemoryBroker, Publication } from "../src/index.ts";
import { connect, type FakeLink } from "./support/fake-link.ts";
import { Gate } from "./support/gate.ts";
import { record } from "./support/record.ts";
import { UnreliableBroker } from "./support/unreliable-broker.ts";

const rooms = (): object => ({ history: { size: 5, ttlMs: 60_000 } });

interface Node {
  readonly hub: Hub;
  readonly broker: UnreliableBroker;
  readonly client: FakeLink;
  readonly told: string[];
}

async function node(options = {}): Promise<Node> {
  const broker = new UnreliableBroker();
  const hub = new Hub({ broker, rooms, ...options });
  const told = record(hub);
  const client = await connect(hub);
  await client.session.join("a");
  told.length = 0;
  return { hub, broker, client, told };
}

async function publish(hub: Hub, first: number, last: number): Promise<void> {
  for (let index = first; index <= last; index++) await hub.publish("a", String(index));
}

describe("what comes from the broker", () => {
  test("is passed by the second time", async () => {
    const { hub, broker, client } = await node();
    await publish(hub, 1, 2);
    broker.waiting.splice(1, 0, ...broker.waiting.slice(0, 1));
    broker.deliver(3);
    assert.deepEqual(client.frames, ["a#1:1", "a#2:2"]);
    assert.equal(hub.counts.repeated, 1);
  });

  test("is filled from the history where something is missing, and waits for that", async () => {
    const { hub, broker, client, told } = await node();
    await publish(hub, 1, 3);
    broker.deliver();
    broker.lose();
    const gate = new Gate();
    broker.historyGate = gate.opened;
    broker.deliver();
    await publish(hub, 4, 4);
    broker.deliver();
    await settled();
    assert.deepEqual(client.frames, ["a#1:1"]);
    gate.open();
    await settled();
    assert.deepEqual(client.frames, ["a#1:1", "a#2:2", "a#3:3", "a#4:4"]);
    assert.deepEqual(told, []);
    assert.deepEqual([hub.counts.holesFilled, hub.counts.holesLost], [1, 0]);
  });

  test("is put in order", async () => {
    const { hub, broker, client } = await node();
    await publish(hub, 1, 3);
    broker.waiting.reverse();
    broker.deliver(3);
    await settled();
    assert.deepEqual(client.frames, ["a#1:1", "a#2:2", "a#3:3"]);
  });

  test("is told as lost where the history does not have it, and how many", async () => {
    const { hub, broker, client, told } = await node();
    await publish(hub, 1, 8);
    broker.deliver();
    broker.lose(6);
    broker.deliver();
    await settled();
    assert.deepEqual(client.log.slice(1), ["a#1:1", "dropped lost a 6", "a#8:8"]);
    assert.deepEqual(told, ["drop 1 lost a 6"]);
    assert.equal(hub.counts.dropped.lost, 6);
    assert.equal(hub.counts.holesLost, 1);
    await publish(hub, 9, 9);
    broker.deliver();
    assert.deepEqual(client.frames.at(-1), "a#9:9");
  });

  test("is told as lost where the history cannot be had", async () => {
    const { hub, broker, client, told } = await node();
    await publish(hub, 1, 3);
    broker.lose(2);
    const gate = new Gate();
    broker.historyGate = gate.opened;
    broker.deliver();
    broker.failure = new Error("no broker");
    gate.open();
    await settled();
    assert.deepEqual(client.log.slice(1), ["dropped lost a 2", "a#3:3"]);
    assert.deepEqual(told, ["error - Error: no broker", "drop 1 lost a 2"]);
  });

  test("is filled in several pages, and over several holes", async () => {
    const { hub, broker, client, told } = await node({
      limits: { historyPage: 2 },
      rooms: () => ({ history: { size: 100, ttlMs: 60_000 } }),
    });
    await publish(hub, 1, 20);
    for (let index = 1; index <= 20; index++) {
      if (index === 1 || index === 9 || index === 12 || index > 17) broker.deliver();
      else broker.lose();
    }
    await settled();
    assert.deepEqual(
      client.frames,
      Array.from({ length: 20 }, (_, index) => `a#${index + 1}:${index + 1}`),
    );
    assert.deepEqual(told, []);
  });

  test("keeps no more than a page while it waits, and fetches the rest", async () => {
    const { hub, broker, client } = await node({
      limits: { historyPage: 3 },
      rooms: () => ({ history: { size: 100, ttlMs: 60_000 } }),
    });
    await publish(hub, 1, 2);
    broker.lose();
    const gate = new Gate();
    broker.historyGate = gate.opened;
    broker.deliver();
    await publish(hub, 3, 12);
    broker.deliver(10);
    gate.open();
    await settled();
    assert.deepEqual(
      client.frames,
      Array.from({ length: 12 }, (_, index) => `a#${index + 1}:${index + 1}`),
    );
  });

  test("is asked for after an interruption, when nothing follows that would show a hole", async () => {
    const { hub, broker, client, told } = await node();
    await publish(hub, 1, 3);
    broker.deliver();
    broker.lose(2);
    broker.interrupt();
    await settled();
    assert.deepEqual(client.frames, ["a#1:1", "a#2:2", "a#3:3"]);
    broker.interrupt();
    await settled();
    assert.deepEqual(told, []);
    assert.deepEqual([hub.counts.holesFilled, hub.counts.holesLost], [1, 0]);
  });

  test("is not told as lost after an interruption when nothing was", async () => {
    const { hub, broker, client, told } = await node();
    await publish(hub, 1, 1);
    broker.deliver();
    const gate = new Gate();
    broker.historyGate = gate.opened;
    broker.interrupt();
    await publish(hub, 2, 2);
    broker.deliver();
    broker.failure = new Error("no broker");
    gate.open();
    await settled();
    assert.deepEqual(client.frames, ["a#1:1", "a#2:2"]);
    assert.deepEqual(told, ["error - Error: no broker"]);
  });

  test("is asked for again if there is an interruption while it is asked for", async () => {
    const { hub, broker, client } = await node();
    const gate = new Gate();
    broker.historyGate = gate.opened;
    broker.interrupt();
    await settled();
    await publish(hub, 1, 1);
    broker.lose();
    broker.interrupt();
    gate.open();
    await settled();
    assert.deepEqual(client.frames, ["a#1:1"]);
  });

  test("may be lost after an interruption, which is told even where nobody can know", async () => {
    const { hub, broker, client, told } = await node();
    await publish(hub, 1, 8);
    broker.lose(8);
    broker.interrupt();
    await settled();
    assert.deepEqual(client.log.slice(1), ["dropped lost a 8"]);
    await publish(hub, 9, 9);
    broker.deliver();
    assert.deepEqual(client.frames, ["a#9:9"]);

    const plain = await node({ rooms: () => ({}) });
    plain.broker.interrupt();
    assert.deepEqual(plain.client.log.slice(1), ["dropped lost a 0"]);
    assert.deepEqual(plain.told, ["drop 1 lost a 0"]);
    assert.deepEqual(told, ["drop 1 lost a 8"]);
  });

  test("may be of another epoch, before which something was lost", async () => {
    const { hub, broker, client, told } = await node();
    await publish(hub, 1, 2);
    broker.deliver(2);
    const message = { data: "anew" };
    broker.waiting.push(new Publication({ room: "a", message, epoch: "other", offset: 7, publishedAt: 0 }));
    broker.deliver();
    assert.deepEqual(client.log.slice(1), ["a#1:1", "a#2:2", "dropped lost a 0", "a#7:anew"]);
    assert.deepEqual(told, ["drop 1 lost a 0"]);
    const other = await connect(hub);
    assert.deepEqual(await other.session.join("a"), {
      room: "a",
      epoch: "other",
      offset: 7,
      recovered: true,
    });
  });

  test("may be of no history at all, published by a node with other options", async () => {
    const { broker, client } = await node();
    broker.waiting.push(new Publication({ room: "a", message: { data: "x" }, publishedAt: 0 }));
    broker.deliver();
    assert.deepEqual(client.frames, ["a#0:x"]);
  });
});

describe("joining while it is published", () => {
  test("gives each publication once, whether it comes by the history or live", async () => {
    const { hub, broker } = await node({ rooms: () => ({ history: { size: 100, ttlMs: 60_000 } }) });
    const { epoch } = await hub.history("a", { limit: 0 });
    await publish(hub, 1, 3);
    broker.deliver(3);
    const gate = new Gate();
    broker.historyGate = gate.opened;
    const client = await connect(hub);
    const joining = client.session.join("a", { since: { epoch, offset: 1 } });
    await settled();
    await publish(hub, 4, 5);
    broker.deliver(2);
    gate.open();
    const joined = await joining;
    await publish(hub, 6, 6);
    broker.deliver();
    assert.deepEqual([joined.recovered, joined.offset], [true, 5]);
    assert.deepEqual(client.frames, ["a#2:2", "a#3:3", "a#4:4", "a#5:5", "a#6:6"]);
  });

  test("does not repeat what the history had before it came live", async () => {
    const { hub, broker, client: member } = await node();
    await publish(hub, 1, 3);
    broker.deliver();
    const { epoch } = await hub.history("a", { limit: 0 });
    const client = await connect(hub);
    const joined = await client.session.join("a", { since: { epoch, offset: 0 } });
    assert.deepEqual([joined.recovered, joined.offset], [true, 3]);
    assert.deepEqual(client.frames, ["a#1:1", "a#2:2", "a#3:3"]);
    assert.equal(hub.presence("a").sessions, 2);
    await publish(hub, 4, 4);
    broker.deliver(3);
    assert.deepEqual(client.frames.slice(3), ["a#4:4"]);
    assert.deepEqual(member.frames, ["a#1:1", "a#2:2", "a#3:3", "a#4:4"]);
  });

  test("is not recovered if something is lost meanwhile", async () => {
    const { hub, broker } = await node();
    const { epoch } = await hub.publish("a", "1");
    broker.deliver();
    const gate = new Gate();
    broker.historyGate = gate.opened;
    const client = await connect(hub);
    const joining = client.session.join("a", { since: { epoch, offset: 0 } });
    await settled();
    broker.historyGate = undefined;
    await publish(hub, 2, 9);
    broker.lose(7);
    broker.deliver();
    await settled();
    gate.open();
    assert.deepEqual(await joining, { room: "a", epoch, offset: 9, recovered: false });
    assert.deepEqual(client.log, ["opened"]);
  });

  test("is recovered up to where something is lost, which is told then", async () => {
    const { hub, broker } = await node();
    const { epoch } = await hub.publish("a", "1");
    broker.deliver();
    const client = await connect(hub);
    const gate = new Gate();
    broker.historyGate = gate.opened;
    const joining = client.session.join("a", { since: { epoch, offset: 0 } });
    await settled();
    await publish(hub, 2, 9);
    broker.lose(7);
    broker.deliver();
    gate.open();
    assert.deepEqual(await joining, { room: "a", epoch, offset: 1, recovered: true });
    await settled();
    assert.deepEqual(client.log, ["opened", "a#1:1", "dropped lost a 7", "a#9:9"]);
  });

  test("is not recovered if more comes meanwhile than may wait", async () => {
    const { hub, broker } = await node({ limits: { outboxBytes: 300 } });
    const { epoch } = await hub.publish("a", "1");
    broker.deliver();
    const gate = new Gate();
    broker.historyGate = gate.opened;
    const client = await connect(hub);
    const joining = client.session.join("a", { since: { epoch, offset: 0 } });
    await settled();
    for (let index = 0; index < 3; index++) await hub.publish("a", "x".repeat(100));
    broker.deliver(3);
    gate.open();
    assert.deepEqual(await joining, { room: "a", epoch, offset: 4, recovered: false });
    assert.deepEqual(client.frames, []);
  });

  test("misses nothing of what comes while the room is subscribed", async () => {
    const broker = new UnreliableBroker();
    const hub = new Hub({ broker, rooms });
    const gate = new Gate();
    broker.historyGate = gate.opened;
    const client = await connect(hub);
    const joining = client.session.join("a");
    await settled();
    await publish(hub, 1, 2);
    broker.deliver(2);
    gate.open();
    const { offset } = await joining;
    await publish(hub, 3, 3);
    broker.deliver();
    const seen = client.frames.map((frame) => Number(frame.slice(2, 3)));
    assert.deepEqual(
      seen,
      [1, 2, 3].filter((each) => each > offset),
    );
  });

  test("fails where the broker cannot be reached, and leaves nothing", async () => {
    const broker = new UnreliableBroker();
    const hub = new Hub({ broker, rooms });
    const told = record(hub);
    const client = await connect(hub);
    broker.failure = new Error("no broker");
    const unavailable = { code: "UNAVAILABLE", message: "This cannot be done now." };
    await Promise.all([
      assert.rejects(client.session.join("a"), unavailable),
      assert.rejects(hub.publish("a", "x"), unavailable),
      assert.rejects(hub.history("a"), unavailable),
    ]);
    assert.deepEqual([...client.session.rooms], []);
    assert.equal(hub.roomCount, 0);
    assert.ok(told.includes("error 1 Error: no broker"));
    broker.failure = undefined;
    assert.equal((await client.session.join("a")).recovered, true);
  });

  test("fails where the history cannot be reached, and the room stays with the others", async () => {
    const { hub, broker } = await node();
    const { epoch } = await hub.publish("a", "1");
    broker.deliver();
    const client = await connect(hub);
    broker.failure = new Error("no broker");
    await assert.rejects(client.session.join("a", { since: { epoch, offset: 0 } }), { code: "UNAVAILABLE" });
    assert.deepEqual([...client.session.rooms], []);
    assert.equal(hub.presence("a").sessions, 1);
  });
});

test("A room that is left while it is subscribed is not live afterwards", async () => {
  const clock = new FakeClock();
  const broker = new UnreliableBroker(new MemoryBroker({ clock }));
  const hub = new Hub({ broker, rooms, clock });
  const gate = new Gate();
  broker.historyGate = gate.opened;
  const client = await connect(hub);
  const joining = client.session.join("a");
  client.lose();
  gate.open();
  await assert.rejects(joining, { code: "FAILED_PRECONDITION" });
  assert.equal(hub.roomCount, 0);
  assert.equal(clock.size, 0);
});
