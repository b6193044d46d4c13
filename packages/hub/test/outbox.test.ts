import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { Delivery } from "../src/delivery.ts";
import { Hub, Message, Publication, roomsByPattern } from "../src/index.ts";
import { Outbox } from "../src/outbox.ts";
import { connect, type FakeLink, keyOf } from "./support/fake-link.ts";
import { record } from "./support/record.ts";

const rooms = roomsByPattern({ oldest: { slow: "drop_oldest" }, latest: { slow: "latest" } });
/** What one publication of 100 bytes counts for. */
const each = 100 + 64 + 6;

async function slowClient(
  outboxBytes: number,
  options = {},
): Promise<{ hub: Hub; told: string[]; client: FakeLink }> {
  const hub = new Hub({ rooms, limits: { outboxBytes } });
  const told = record(hub);
  const client = await connect(hub, options);
  for (const room of ["oldest", "latest", "strict"]) await client.session.join(room);
  client.credit = 1;
  client.session.send("full");
  return { hub, told, client };
}

function text(name: string): string {
  return name.padEnd(100, ".");
}

function shown(frames: readonly string[]): string[] {
  return frames.map((frame) => frame.replaceAll(".", ""));
}

describe("the outbox of a slow client", () => {
  test("closes it where the policy is to close", async () => {
    const { hub, told, client } = await slowClient(2 * each);
    await hub.publish("strict", text("1"));
    await hub.publish("strict", text("2"));
    assert.equal(client.session.isClosed, false);
    await hub.publish("strict", text("3"));
    assert.deepEqual(client.closed, { code: 4413, reason: "reads too slowly" });
    assert.deepEqual(shown(client.frames), ["full"]);
    assert.deepEqual(told.slice(1), ["drop 1 closed  2", "disconnect 1 4413 reads too slowly clean"]);
    assert.deepEqual(hub.counts.closed, { 4413: 1 });
  });

  test("closes it over a message to itself", async () => {
    const { client } = await slowClient(100);
    client.session.send(text("1"));
    assert.equal(client.closed?.code, 4413);
  });

  test("drops the oldest of the room, and tells that before the rest", async () => {
    const { hub, told, client } = await slowClient(3 * each);
    client.session.send(text("direct"));
    for (const name of ["1", "2", "3", "4"]) await hub.publish("oldest", text(name));
    client.drain();
    assert.deepEqual(shown(client.log).slice(2), [
      "dropped slow oldest 2",
      "direct",
      "oldest#0:3",
      "oldest#0:4",
    ]);
    assert.deepEqual(told.slice(1), ["drop 1 slow oldest 1", "drop 1 slow oldest 1", "drain 1"]);
    assert.equal(hub.counts.dropped.slow, 2);
  });

  test("keeps the latest of the room only, and tells that before the rest", async () => {
    const { hub, told, client } = await slowClient(3 * each);
    client.session.send(text("direct"));
    for (const name of ["1", "2", "3", "4"]) await hub.publish("latest", text(name));
    client.drain();
    assert.deepEqual(shown(client.log).slice(2), [
      "dropped slow latest 2",
      "direct",
      "latest#0:3",
      "latest#0:4",
    ]);
    assert.deepEqual(told.slice(1), ["drop 1 slow latest 2", "drain 1"]);
  });

  test("drops what does not fit even then", async () => {
    const { hub, client } = await slowClient(2 * each);
    client.session.send(text("a"));
    client.session.send(text("b"));
    for (const room of ["oldest", "latest"]) await hub.publish(room, text("1"));
    client.drain();
    assert.deepEqual(shown(client.log).slice(2), [
      "dropped slow oldest 1",
      "dropped slow latest 1",
      "a",
      "b",
    ]);
  });

  test("counts what waits in its link", async () => {
    const { hub, client } = await slowClient(2 * each);
    client.bufferedAmount = each + 1;
    await hub.publish("strict", text("1"));
    assert.equal(client.closed?.code, 4413);
  });

  test("takes any size while the link is willing", async () => {
    const hub = new Hub({ limits: { outboxBytes: 10 } });
    const client = await connect(hub);
    assert.equal(client.session.send("x".repeat(1000)), true);
  });

  test("forgets what waits of a room that the client leaves", async () => {
    const { hub, client } = await slowClient(1000);
    await hub.publish("strict", "1");
    client.session.send("direct");
    await hub.publish("strict", "2");
    await client.session.leave("strict");
    client.drain();
    assert.deepEqual(client.frames, ["full", "direct"]);
  });

  test("is told of what was dropped while it was away, once it is back", async () => {
    const hub = new Hub({ rooms, limits: { outboxBytes: 2 * each } });
    const told = record(hub);
    const resume = { key: keyOf(1), received: 0 };
    const client = await connect(hub, { resume });
    await client.session.join("oldest");
    client.lose();
    for (const name of ["1", "2", "3"]) await hub.publish("oldest", text(name));
    const again = await connect(hub, { resume });
    assert.ok("attachment" in again.result);
    assert.deepEqual([again.result.resumed, again.result.recovered], [true, false]);
    assert.deepEqual(shown(again.log), ["opened", "dropped slow oldest 1", "oldest#0:2", "oldest#0:3"]);
    assert.ok(told.includes("resume 1 false 0") || told.some((line) => line.startsWith("resume 1 false")));
  });
});

describe("an outbox", () => {
  const [a, b] = ["a", "b"].map(
    (room) => (name: string) => new Publication({ room, message: { data: name }, publishedAt: 0 }),
  );

  test("keeps order and bytes through everything", () => {
    const outbox = new Outbox();
    const left = (): string[] => {
      const names: string[] = [];
      for (let next = outbox.shift(); next !== undefined; next = outbox.shift())
        names.push(String(next.message.data));
      assert.deepEqual([outbox.size, outbox.bytes], [0, 0]);
      return names;
    };
    assert.ok(a !== undefined && b !== undefined);
    for (const delivery of [a("1"), b("2"), a("3"), b("4"), a("5")]) outbox.push(delivery);
    assert.equal(outbox.bytes, 5 * 66);
    assert.equal(outbox.dropOldest("b"), true);
    assert.equal(outbox.dropOldest("none"), false);
    assert.equal(outbox.dropOldest("a"), true);
    assert.equal(outbox.bytes, 3 * 66);
    outbox.prepend([Message.from("0")]);
    assert.deepEqual(left(), ["0", "3", "4", "5"]);
    for (const delivery of [a("1"), b("2"), a("3")]) outbox.push(delivery);
    outbox.shift();
    assert.equal(outbox.dropAll("a"), 1);
    assert.equal(outbox.dropAll("a"), 0);
    assert.deepEqual(left(), ["2"]);
  });

  test("moves up as it empties", () => {
    const outbox = new Outbox();
    for (let index = 0; index < 1000; index++) {
      outbox.push(Message.from(String(index)));
      if (index >= 10) assert.equal(outbox.shift()?.message.data, String(index - 10));
    }
    assert.equal(outbox.size, 10);
  });

  test("has what a list would have", () => {
    const someRoom = fc.constantFrom("a", "b", "c");
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ does: fc.constant("push"), room: someRoom }) },
      { weight: 3, arbitrary: fc.record({ does: fc.constant("dropOldest"), room: someRoom }) },
      fc.record({ does: fc.constantFrom("shift", "dropAll", "prepend"), room: someRoom }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200, size: "max" }), (steps) => {
        const outbox = new Outbox();
        let list: Told[] = [];
        for (const { does, room } of steps) {
          const next = new Told(room);
          const oldest = list.find((one) => one.room === room);
          if (does === "push") {
            outbox.push(next);
            list.push(next);
          } else if (does === "prepend") {
            outbox.prepend([next]);
            list.unshift(next);
          } else if (does === "shift") assert.equal(outbox.shift(), list.shift());
          else if (does === "dropOldest") {
            assert.equal(outbox.dropOldest(room), oldest !== undefined);
            list = list.filter((one) => one !== oldest);
          } else {
            const left = list.filter((one) => one.room !== room);
            assert.equal(outbox.dropAll(room), list.length - left.length);
            list = left;
          }
          assert.deepEqual([outbox.size, outbox.bytes], [list.length, list.length * Told.bytes]);
        }
        for (const one of list) assert.equal(outbox.shift(), one);
        assert.equal(outbox.shift(), undefined);
      }),
    );
  });

  test("does not look through all that waits for each that it drops", () => {
    const outbox = new Outbox();
    for (let index = 0; index < 10_000; index++) outbox.push(new Told("other"));
    outbox.push(new Told("room"));
    Told.asked = 0;
    for (let index = 0; index < 10_000; index++) {
      assert.equal(outbox.dropOldest("room"), true);
      outbox.push(new Told("room"));
    }
    assert.equal(outbox.size, 10_001);
    assert.ok(Told.asked < 100_000, `it asked ${Told.asked} times for a room`);
  });
});

/** A delivery that tells how often it was looked at. */
class Told extends Delivery {
  static readonly bytes: number = 65;
  static asked = 0;
  readonly message: Message = Message.from("");
  readonly #room: string;

  constructor(room: string) {
    super();
    this.#room = room;
  }

  get room(): string {
    Told.asked++;
    return this.#room;
  }

  protected encode(): undefined {
    return undefined;
  }
}
