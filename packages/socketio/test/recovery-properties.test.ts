import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FakeClock } from "@sluice/testkit/fake-clock";
import * as fc from "fast-check";
import { PacketType, type RecoveryOptions, type Room, Server, SessionAwareAdapter } from "../src/index.ts";

const pingInterval = 1000;
const pingTimeout = 500;
const inDoubtMs = pingInterval + 3 * pingTimeout;
const allRooms = ["tea", "coffee", "milk"];

/** A packet on its way, or one that a client has missed. */
interface Sent {
  readonly name: string;
  readonly offset: string;
  readonly at: number;
}

/** One client, what it has, and what a server that forgets nothing would give it. */
class Model {
  readonly #clock = new FakeClock();
  readonly #adapter: SessionAwareAdapter;
  readonly #other = "other";
  #id = "ann 0";
  #rooms = new Set<Room>();
  #isConnected = false;
  #offset: string | undefined;
  /** What was sent and has not arrived, and what was sent while the client was away. */
  #missing: Sent[] = [];
  #count = 0;
  #lives = 0;
  recovered = 0;
  refused = 0;

  constructor(recovery: RecoveryOptions) {
    const clock = this.#clock;
    const io = new Server({ connectionStateRecovery: recovery, clock, pingInterval, pingTimeout });
    assert.ok(io.engine);
    this.#adapter = new SessionAwareAdapter(io.of("/"));
    void this.#adapter.addAll(this.#other, new Set([this.#other]));
    this.#begin();
  }

  send(to: readonly Room[], except: readonly Room[]): void {
    const name = `event ${++this.#count}`;
    const packet = { type: PacketType.EVENT, data: [name] as unknown[] };
    void this.#adapter.broadcast(packet, { rooms: new Set(to), except: new Set(except) });
    const isMeant = to.length === 0 || to.some((room) => this.#rooms.has(room));
    if (!isMeant || except.some((room) => this.#rooms.has(room))) return;
    this.#missing.push({ name, offset: String(packet.data[1]), at: this.#clock.now() });
  }

  join(room: Room): void {
    if (!this.#isConnected) return;
    this.#rooms.add(room);
    void this.#adapter.addAll(this.#id, new Set([room]));
  }

  leave(room: Room): void {
    if (!this.#isConnected) return;
    this.#rooms.delete(room);
    void this.#adapter.del(this.#id, room);
  }

  /** Some of what is on its way arrives. */
  arrive(count: number): void {
    if (this.#isConnected) this.#receive(Math.min(count, this.#missing.length));
  }

  /** Time passes. Who did not answer a ping for so long would not be connected. */
  pass(milliseconds: number): void {
    this.#clock.advance(milliseconds);
    if (!this.#isConnected) return;
    const inDoubt = this.#clock.now() - inDoubtMs;
    this.#receive(this.#missing.filter(({ at }) => at < inDoubt).length);
  }

  lose(): void {
    if (!this.#isConnected) return;
    this.#isConnected = false;
    const rooms = [...(this.#adapter.socketRooms(this.#id) ?? [])];
    this.#adapter.persistSession({ sid: this.#id, pid: this.#id, rooms, data: undefined });
    void this.#adapter.delAll(this.#id);
  }

  /** The client comes back: it has all that it missed, or begins anew. */
  comeBack(mustRecover: boolean): void {
    if (this.#isConnected) return;
    const session = this.#adapter.restoreSession(this.#id, this.#offset);
    if (session === undefined) {
      assert.equal(mustRecover, false, "the client was not recovered");
      this.refused++;
      this.#begin();
      return;
    }
    this.recovered++;
    void this.#adapter.addAll(this.#id, new Set(session.rooms));
    const missed = [...(session.missedMessages ?? [])].map(
      ([text]) => /"(event \d+)"/.exec(String(text))?.[1],
    );
    assert.deepEqual(
      missed,
      this.#missing.map(({ name }) => name),
    );
    assert.deepEqual(this.#adapter.socketRooms(this.#id), this.#rooms);
    this.#isConnected = true;
    const at = this.#clock.now();
    this.#missing = this.#missing.map((sent) => ({ ...sent, at }));
  }

  #begin(): void {
    this.#id = `ann ${++this.#lives}`;
    this.#rooms = new Set([this.#id]);
    this.#offset = undefined;
    this.#missing = [];
    this.#isConnected = true;
    void this.#adapter.addAll(this.#id, new Set([this.#id]));
  }

  #receive(count: number): void {
    const arrived = this.#missing.splice(0, count);
    this.#offset = arrived.at(-1)?.offset ?? this.#offset;
  }
}

/** One step, with its name. */
type Step = readonly [run: (model: Model) => void, name: string];

const room = fc.constantFrom(...allRooms);
const few = fc.subarray(allRooms, { maxLength: 2 });

/** What may happen, each time within so many milliseconds. */
function steps(longestMs: number, mustRecover: boolean): fc.Arbitrary<Step[]> {
  const send = fc
    .tuple(few, few)
    .map(([to, except]): Step => [
      (model) => model.send(to, except),
      `send to ${to.join()} but ${except.join()}`,
    ]);
  const join = room.map((name): Step => [(model) => model.join(name), `join ${name}`]);
  const leave = room.map((name): Step => [(model) => model.leave(name), `leave ${name}`]);
  const arrive = fc.nat(3).map((count): Step => [(model) => model.arrive(count), `arrive ${count}`]);
  const pass = fc.nat(longestMs).map((ms): Step => [(model) => model.pass(ms), `pass ${ms}`]);
  const lose: Step = [(model) => model.lose(), "lose"];
  const comeBack: Step = [(model) => model.comeBack(mustRecover), "come back"];
  const some = fc.oneof(
    { weight: 6, arbitrary: send },
    { weight: 3, arbitrary: fc.oneof(join, leave) },
    { weight: 4, arbitrary: fc.oneof(arrive, pass) },
    { weight: 4, arbitrary: fc.constantFrom(lose, comeBack) },
  );
  return fc.array(some, { maxLength: 80, size: "max" });
}

describe("a client that comes back, whatever happened", () => {
  test("has all that it missed, in order and once", () => {
    let recovered = 0;
    fc.assert(
      fc.property(steps(inDoubtMs, true), (all) => {
        // Room and time for all that can happen in a run.
        const model = new Model({ maxDisconnectionDuration: 60 * inDoubtMs });
        for (const [run] of all) run(model);
        recovered += model.recovered;
      }),
      { numRuns: 300 },
    );
    assert.ok(recovered > 500, `${recovered} were recovered`);
  });

  test("has that or nothing, where there are bounds", () => {
    let recovered = 0;
    let refused = 0;
    fc.assert(
      fc.property(steps(2 * inDoubtMs, false), fc.integer({ min: 1, max: 5 }), (all, maxPackets) => {
        const model = new Model({ maxDisconnectionDuration: 4 * inDoubtMs, maxPackets });
        for (const [run] of all) run(model);
        recovered += model.recovered;
        refused += model.refused;
      }),
      { numRuns: 300 },
    );
    assert.ok(recovered > 200, `${recovered} were recovered`);
    assert.ok(refused > 100, `${refused} were not`);
  });
});
