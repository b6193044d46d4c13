import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FakeClock } from "@sluice/testkit/fake-clock";
import { PacketType, type RecoveryOptions, type Room, Server, SessionAwareAdapter } from "../src/index.ts";

const pingInterval = 10_000;
const pingTimeout = 5000;
/** What was sent so long before a loss was noticed has surely arrived. */
const inDoubtMs = pingInterval + 3 * pingTimeout;

/** An adapter with sockets of names, without clients. */
class Bench {
  readonly clock: FakeClock = new FakeClock();
  readonly adapter: SessionAwareAdapter;

  constructor(recovery: RecoveryOptions = {}, limits = {}) {
    const io = new Server({
      connectionStateRecovery: recovery,
      clock: this.clock,
      pingInterval,
      pingTimeout,
      limits,
    });
    // It has been asked for, so it is there.
    assert.ok(io.engine);
    this.adapter = new SessionAwareAdapter(io.of("/"));
  }

  join(id: string, ...rooms: Room[]): void {
    void this.adapter.addAll(id, new Set([id, ...rooms]));
  }

  /** Sends an event, and answers its offset. */
  send(name: string, { to = [], except = [] }: { to?: Room[]; except?: Room[] } = {}): string {
    const packet = { type: PacketType.EVENT, data: [name] as unknown[] };
    void this.adapter.broadcast(packet, { rooms: new Set(to), except: new Set(except) });
    return String(packet.data[1]);
  }

  lose(id: string): void {
    const rooms = [...(this.adapter.socketRooms(id) ?? [])];
    this.adapter.persistSession({ sid: id, pid: `secret of ${id}`, rooms, data: { of: id } });
    void this.adapter.delAll(id);
  }

  /** Brings a socket back, and answers the names of the events that it missed; undefined where it is not recovered. */
  restore(id: string, offset?: string): string[] | undefined {
    const session = this.adapter.restoreSession(`secret of ${id}`, offset);
    if (session === undefined) return undefined;
    this.join(session.sid, ...session.rooms);
    return [...(session.missedMessages ?? [])].map(([text]) => /"([^"]*)"/.exec(String(text))?.[1] ?? "");
  }
}

describe("a client that returns", () => {
  test("is not recovered where it went through too many rooms since, and is where it heard of most", () => {
    for (const [heard, isRecovered] of [
      [0, false],
      [100, true],
    ] as const) {
      const bench = new Bench();
      bench.join("ann");
      const offsets = [bench.send("first")];
      for (let each = 1; each <= 300; each++) {
        bench.join("ann", `room ${each}`);
        offsets.push(bench.send(`in ${each}`, { to: [`room ${each}`] }));
        void bench.adapter.del("ann", `room ${each}`);
        bench.send(`not in ${each}`, { to: [`room ${each}`] });
      }
      bench.lose("ann");
      const missed = bench.restore("ann", offsets[heard]);
      const expected = Array.from({ length: 300 - heard }, (_, index) => `in ${heard + index + 1}`);
      assert.deepEqual(missed, isRecovered ? expected : undefined);
    }
  });

  test("has its id, rooms and data, and what it missed", () => {
    const bench = new Bench();
    bench.join("ann", "tea");
    const offset = bench.send("1", { to: ["tea"] });
    bench.lose("ann");
    bench.send("2");
    bench.send("other", { to: ["coffee"] });
    bench.send("excepted", { except: ["tea"] });
    bench.send("3", { to: ["ann", "coffee"] });
    const session = bench.adapter.restoreSession("secret of ann", offset);
    assert.ok(session);
    const { missedMessages, ...rest } = session;
    assert.deepEqual(rest, {
      sid: "ann",
      pid: "secret of ann",
      rooms: ["ann", "tea"],
      data: { of: "ann" },
      missedPackets: [],
    });
    assert.deepEqual(
      [...(missedMessages ?? [])].map(([text]) => String(text).replace(/"[^"]*"\]$/, "offset]")),
      ['2["2",offset]', '2["3",offset]'],
    );
  });

  test("that had no event yet has all since it came", () => {
    const bench = new Bench();
    bench.join("bob");
    bench.send("before");
    bench.join("ann");
    bench.send("1");
    bench.lose("ann");
    bench.send("2");
    assert.deepEqual(bench.restore("ann"), ["1", "2"]);
  });

  test("is lost and returns again and again, before it has all", () => {
    const bench = new Bench();
    bench.join("ann");
    bench.send("1");
    for (let time = 0; time < 3; time++) {
      bench.lose("ann");
      bench.clock.advance(10_000);
      assert.deepEqual(bench.restore("ann"), ["1"]);
    }
    bench.lose("ann");
    const offset = bench.send("2");
    assert.deepEqual(bench.restore("ann"), ["1", "2"]);
    bench.lose("ann");
    bench.send("3");
    assert.deepEqual(bench.restore("ann", offset), ["3"]);
  });

  test("returns once for each loss", () => {
    const bench = new Bench();
    bench.join("ann");
    assert.equal(bench.restore("ann"), undefined);
    bench.lose("ann");
    assert.deepEqual(bench.restore("ann"), []);
    assert.equal(bench.restore("ann"), undefined);
  });

  test("has what was sent while it was let in", () => {
    const bench = new Bench();
    bench.join("ann");
    bench.lose("ann");
    bench.send("1");
    const session = bench.adapter.restoreSession("secret of ann", undefined);
    void bench.adapter.addAll("ann", new Set(["ann"]));
    bench.send("2");
    assert.equal([...(session?.missedMessages ?? [])].length, 2);
  });

  test("has nothing from before it was in a room", () => {
    const bench = new Bench();
    bench.join("ann");
    bench.send("early", { to: ["tea"] });
    bench.join("ann", "tea");
    bench.send("late", { to: ["tea"] });
    bench.lose("ann");
    assert.deepEqual(bench.restore("ann"), ["late"]);
  });

  test("has what was sent to a room before it left that", () => {
    const bench = new Bench();
    bench.join("ann", "tea");
    bench.send("1", { to: ["tea"] });
    void bench.adapter.del("ann", "tea");
    bench.send("2", { to: ["tea"] });
    bench.join("ann", "tea");
    bench.send("3", { to: ["tea"] });
    void bench.adapter.del("ann", "tea");
    void bench.adapter.del("ann", "tea");
    bench.lose("ann");
    bench.send("4", { to: ["tea"] });
    assert.deepEqual(bench.restore("ann"), ["1", "3"]);
  });

  test("is excepted only by rooms that it was in then", () => {
    const bench = new Bench();
    bench.join("ann");
    bench.send("1", { except: ["muted"] });
    bench.join("ann", "muted");
    bench.send("2", { except: ["muted"] });
    void bench.adapter.del("ann", "muted");
    bench.send("3", { except: ["muted"] });
    bench.lose("ann");
    assert.deepEqual(bench.restore("ann"), ["1", "3"]);
  });

  const strangers = ["", "text", "0", "1.1", "abcdefgh.1"];
  for (const offset of strangers) {
    test(`is not recovered from ${JSON.stringify(offset)}, which is no offset of here`, () => {
      const bench = new Bench();
      bench.join("ann");
      bench.send("1");
      bench.lose("ann");
      assert.equal(bench.restore("ann", offset), undefined);
    });
  }

  test("is not recovered from an offset that is still to come, or written otherwise", () => {
    const wrong: ((offset: string) => string)[] = [
      (offset) => `${offset}0`,
      (offset) => offset.replace(".", ".-"),
      (offset) => offset.replace(".", ".0"),
      (offset) => `${offset} `,
      (offset) => `${offset}!`,
    ];
    for (const change of wrong) {
      const bench = new Bench();
      bench.join("ann");
      const offset = bench.send("1");
      bench.lose("ann");
      assert.equal(bench.restore("ann", change(offset)), undefined, change.toString());
    }
  });

  test("is not recovered after its time", () => {
    const bench = new Bench({ maxDisconnectionDuration: 60_000 });
    bench.join("ann");
    bench.lose("ann");
    bench.clock.advance(59_999);
    assert.deepEqual(bench.restore("ann"), []);
    bench.lose("ann");
    bench.clock.advance(60_000);
    assert.equal(bench.restore("ann"), undefined);
  });

  test("is not recovered when the server has closed", () => {
    const bench = new Bench();
    bench.join("ann");
    bench.lose("ann");
    void bench.adapter.close();
    assert.equal(bench.restore("ann"), undefined);
    assert.equal(bench.clock.size, 0);
  });
});

describe("what is kept for clients that return", () => {
  test("is at most maxPackets; over it whoever missed more is not recovered", () => {
    const bench = new Bench({ maxPackets: 3 });
    bench.join("ann");
    bench.lose("ann");
    for (const name of ["1", "2", "3"]) bench.send(name);
    assert.deepEqual(bench.restore("ann"), ["1", "2", "3"]);
    bench.lose("ann");
    bench.send("4");
    assert.equal(bench.restore("ann"), undefined);
  });

  test("is at most maxBytes as it is sent; over it whoever missed more is not recovered", () => {
    const bench = new Bench({ maxBytes: 100 });
    bench.join("ann");
    const bytes = `2["${"x".repeat(20)}","${bench.send("")}"]`.length;
    const fits = Math.floor(100 / bytes);
    bench.lose("ann");
    const offset = bench.send("");
    bench.join("bob");
    for (let sent = 0; sent < fits; sent++) bench.send("x".repeat(20));
    assert.equal(bench.restore("ann", offset)?.length, fits);
    bench.lose("ann");
    bench.send("x".repeat(20));
    assert.equal(bench.restore("ann", offset), undefined);
  });

  test("is nothing where nobody is there and nobody can return", () => {
    const bench = new Bench();
    assert.equal(bench.send("1"), "undefined");
    bench.join("ann");
    assert.notEqual(bench.send("2"), "undefined");
    void bench.adapter.delAll("ann");
    assert.equal(bench.send("3"), "undefined");
  });

  test("is nothing that may be lost, and nothing that asks for answers", () => {
    const bench = new Bench();
    bench.join("ann");
    const volatile = { type: PacketType.EVENT, data: ["volatile", 1] };
    void bench.adapter.broadcast(volatile, { rooms: new Set(), flags: { volatile: true } });
    const asking = { type: PacketType.EVENT, data: ["asking"], id: 1 };
    void bench.adapter.broadcast(asking, { rooms: new Set() });
    assert.deepEqual(volatile.data, ["volatile", 1]);
    assert.deepEqual(asking.data, ["asking"]);
    bench.lose("ann");
    assert.deepEqual(bench.restore("ann"), []);
  });

  test("is what it was when it was sent", () => {
    const bench = new Bench();
    bench.join("ann");
    const state = { name: "before" };
    const packet = { type: PacketType.EVENT, data: ["state", state] };
    void bench.adapter.broadcast(packet, { rooms: new Set() });
    state.name = "after";
    bench.lose("ann");
    const session = bench.adapter.restoreSession("secret of ann", undefined);
    assert.match(String([...(session?.missedMessages ?? [])][0]), /"name":"before"/);
  });

  test("are as many sessions as may be connected; the oldest is forgotten first", () => {
    const bench = new Bench({}, { connections: 2 });
    for (const id of ["ann", "bob", "cyd"]) {
      bench.join(id);
      bench.lose(id);
    }
    assert.equal(bench.restore("ann"), undefined);
    assert.deepEqual(bench.restore("bob"), []);
    assert.deepEqual(bench.restore("cyd"), []);
  });
});

describe("a client that was quiet on a busy server", () => {
  test("is recovered, since what was sent long before its loss was not for it or has arrived", () => {
    const bench = new Bench({ maxPackets: 100 });
    bench.join("ann");
    const offset = bench.send("1");
    bench.join("bob", "tea");
    for (let sent = 0; sent < 150; sent++) bench.send("busy", { to: ["tea"] });
    bench.clock.advance(inDoubtMs + 1);
    bench.lose("ann");
    bench.send("2");
    assert.deepEqual(bench.restore("ann", offset), ["2"]);
  });

  test("is not recovered where what may not have arrived is forgotten", () => {
    const bench = new Bench({ maxPackets: 100 });
    bench.join("ann");
    const offset = bench.send("1");
    bench.join("bob", "tea");
    for (let sent = 0; sent < 150; sent++) bench.send("busy", { to: ["tea"] });
    bench.clock.advance(inDoubtMs - 1);
    bench.lose("ann");
    assert.equal(bench.restore("ann", offset), undefined);
  });

  test("has what was sent to it again, and may not have arrived the second time", () => {
    const bench = new Bench();
    bench.join("ann");
    bench.lose("ann");
    bench.send("1");
    bench.clock.advance(100_000);
    assert.deepEqual(bench.restore("ann"), ["1"]);
    bench.clock.advance(inDoubtMs);
    bench.lose("ann");
    assert.deepEqual(bench.restore("ann"), ["1"]);
    bench.clock.advance(inDoubtMs + 1);
    bench.lose("ann");
    assert.deepEqual(bench.restore("ann"), []);
  });
});

test("the adapter of recovery says which option it needs", () => {
  assert.throws(() => new SessionAwareAdapter(new Server().of("/")), {
    message: "a SessionAwareAdapter needs the option connectionStateRecovery of the server",
  });
});
