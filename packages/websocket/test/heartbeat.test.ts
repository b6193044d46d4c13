import assert from "node:assert/strict";
import { Duplex } from "node:stream";
import { describe, test, type TestContext } from "node:test";
import { FakeClock } from "@sluice/testkit/fake-clock";
import {
  defaultHeartbeat,
  Heartbeat,
  type HeartbeatOptions,
  type WebSocketConnection,
  type WebSocketHandlers,
} from "../src/index.ts";
import { defaultLimits } from "../src/limits.ts";
import { SocketConnection } from "../src/socket-connection.ts";
import { frame } from "./support/frames.ts";
import { Journal } from "./support/journal.ts";

const mask = Buffer.from([1, 2, 3, 4]);
const PING = 0x89;
const PONG = 0x8a;

/** The far end of a connection, which shows what was written and sends what a test says. */
class Peer extends Duplex {
  /** Frames that were written, as `ping 00000001`, `close 1001 reason`, `other`. */
  readonly seen: string[] = [];
  readonly payloads: Buffer[] = [];
  /** Whether what is written is taken at once. */
  stuck: (() => void)[] | undefined;

  override _read(): void {}

  override _write(data: Buffer, _encoding: BufferEncoding, done: () => void): void {
    for (let at = 0; at < data.length;) {
      const length = data[at + 1]! & 0x7f;
      const payload = Buffer.from(data.subarray(at + 2, at + 2 + length));
      if (data[at] === PING) {
        this.payloads.push(payload);
        this.seen.push(`ping ${payload.toString("hex")}`);
      } else if (data[at] === 0x88) {
        this.seen.push(`close ${payload.readUInt16BE()} ${payload.subarray(2).toString()}`);
      } else this.seen.push("other");
      at += length < 126 ? 2 + length : data.length;
    }
    if (this.stuck === undefined) done();
    else this.stuck.push(done);
  }

  /** Sends a frame as a client does. */
  async sends(first: number, payload: Uint8Array | string): Promise<void> {
    this.push(frame(first, payload, mask));
    await settled();
  }

  /** Sends a close frame, and ends its side. */
  async closes(code: number): Promise<void> {
    await this.sends(0x88, Buffer.from([code >> 8, code & 0xff]));
    this.push(null);
  }

  /** Answers the last ping. */
  async answers(): Promise<void> {
    await this.sends(PONG, this.payloads.at(-1)!);
  }
}

/** Waits until what was written in this turn of the event loop has arrived. */
function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

interface Scene {
  readonly clock: FakeClock;
  readonly heartbeat: Heartbeat;
  readonly peer: Peer;
  readonly journal: Journal;
  readonly connection: WebSocketConnection;
  /** Lets time pass, and what is then sent arrive. */
  readonly pass: (milliseconds: number) => Promise<void>;
}

function scene(
  context: TestContext,
  options: Partial<HeartbeatOptions>,
  random: () => number = () => 0.999_999,
  handlers: (journal: Journal) => WebSocketHandlers = (journal) => journal,
): Scene {
  const clock = new FakeClock();
  const heartbeat = new Heartbeat(options, { clock, random });
  const peer = new Peer();
  const journal = new Journal();
  const connection = open(peer, heartbeat.watch(handlers(journal)), clock);
  context.after(() => peer.destroy());
  const pass = (milliseconds: number): Promise<void> => {
    clock.advance(milliseconds);
    return settled();
  };
  return { clock, heartbeat, peer, journal, connection, pass };
}

function open(socket: Duplex, handlers: WebSocketHandlers, clock: FakeClock): WebSocketConnection {
  const limits = defaultLimits;
  return new SocketConnection(socket, Buffer.alloc(0), {
    role: "server",
    handlers,
    protocol: "",
    limits,
    clock,
  });
}

describe("Heartbeat", () => {
  test("pings at each interval, and measures how long the pong takes", async (context) => {
    const { heartbeat, peer, journal, connection, pass } = scene(context, { intervalMs: 1000 });
    await pass(950);
    assert.deepEqual(peer.seen, []);
    assert.equal(heartbeat.latencyOf(connection), undefined);
    await pass(50);
    assert.deepEqual(peer.seen, ["ping 00000001"]);
    await pass(30);
    await peer.answers();
    assert.equal(heartbeat.latencyOf(connection), 30);
    await pass(970);
    assert.deepEqual(peer.seen, ["ping 00000001", "ping 00000002"]);
    await pass(200);
    await peer.answers();
    assert.equal(heartbeat.latencyOf(connection), 200);
    assert.equal(journal.entries.length, 2);
  });

  test("sends the first ping after half an interval or later, by chance", async (context) => {
    const { peer, pass } = scene(context, { intervalMs: 1000 }, () => 0);
    await pass(450);
    assert.deepEqual(peer.seen, []);
    await pass(50);
    assert.deepEqual(peer.seen, ["ping 00000001"]);
  });

  test("terminates a connection whose peer gives no sign of life, and says why", async (context) => {
    const { peer, journal, pass } = scene(context, { intervalMs: 1000, patienceMs: 500 });
    await pass(1450);
    assert.deepEqual(peer.seen, ["ping 00000001"]);
    assert.equal(journal.closed, undefined);
    await pass(100);
    const closed = await journal.end();
    assert.equal(closed.code, 1006);
    assert.equal(closed.clean, false);
    assert.equal(closed.cause?.code, "timeout");
    assert.match(closed.cause?.message ?? "", /no sign of life within 500 ms of a ping/);
    assert.ok(peer.destroyed);
  });

  test("sees life in any bytes: a peer that sends a long message cannot answer", async (context) => {
    const { peer, journal, pass } = scene(context, { intervalMs: 1000, patienceMs: 500 });
    await pass(1050);
    const message = frame(0x82, Buffer.alloc(5000), mask);
    for (let at = 0; at < message.length; at += 1000) {
      peer.push(message.subarray(at, at + 1000));
      await pass(490);
    }
    assert.equal(journal.closed, undefined);
    assert.deepEqual(peer.seen, ["ping 00000001"]);
    await peer.answers();
    await pass(50);
    assert.deepEqual(peer.seen.slice(1), ["ping 00000002"]);
    await pass(600);
    assert.equal((await journal.end()).cause?.code, "timeout");
  });

  test("sees life in a peer that takes what waits for it, and not in one that does not", async (context) => {
    const { peer, journal, connection, pass } = scene(context, { intervalMs: 1000, patienceMs: 500 });
    peer.stuck = [];
    for (let count = 0; count < 4; count++) {
      connection.send(Buffer.alloc(40_000));
      await settled();
    }
    await pass(1000);
    for (let count = 0; count < 4; count++) {
      await pass(480);
      // A frame of this size is written in two parts.
      for (let part = 0; part < 2; part++) {
        peer.stuck.shift()?.();
        await settled();
      }
    }
    assert.equal(journal.closed, undefined);
    await pass(1100);
    assert.equal((await journal.end()).cause?.code, "timeout");
  });

  test("has patience with a peer whom the application does not read", async (context) => {
    const { peer, journal, connection, pass } = scene(context, { intervalMs: 1000, patienceMs: 500 });
    connection.pause();
    await pass(5000);
    assert.equal(journal.closed, undefined);
    connection.resume();
    await peer.answers();
    await pass(400);
    assert.equal(journal.closed, undefined);
    assert.equal(peer.seen.length, 2);
  });

  test("reads what waits before it judges, when the process was held up", async (context) => {
    const { clock, peer, journal, pass } = scene(context, { intervalMs: 1000, patienceMs: 500 });
    await pass(1050);
    peer.push(frame(PONG, peer.payloads[0]!, mask));
    clock.jump(60_000);
    await settled();
    assert.equal(journal.closed, undefined);
    await pass(100);
    assert.equal(peer.payloads.length, 2);
    clock.jump(60_000);
    clock.jump(60_000);
    assert.equal((await journal.end()).cause?.code, "timeout");
  });

  test("reads what waits before it judges, when the application reads again since a moment ago", async (context) => {
    const { clock, peer, journal, connection, pass } = scene(context, {
      intervalMs: 1000,
      patienceMs: 500,
    });
    await pass(1050);
    connection.pause();
    peer.push(frame(PONG, peer.payloads[0]!, mask));
    await pass(440);
    connection.resume();
    // The time is over before the socket has told of the pong.
    clock.advance(20);
    await settled();
    assert.equal(journal.closed, undefined);
    await pass(550);
    assert.equal(peer.payloads.length, 2);
  });

  test("takes no pong for the answer that it did not ask for", async (context) => {
    const { heartbeat, peer, journal, connection, pass } = scene(context, { intervalMs: 1000 });
    await peer.sends(PONG, "");
    await pass(1050);
    await peer.sends(PONG, "else");
    await peer.sends(PONG, "something else");
    assert.equal(heartbeat.latencyOf(connection), undefined);
    await pass(20);
    await peer.answers();
    assert.ok(heartbeat.latencyOf(connection)! >= 20);
    assert.equal(journal.entries.length, 4);
  });

  test("closes a connection without messages with 1001; pings and pongs are none", async (context) => {
    const { peer, journal, pass } = scene(context, { intervalMs: 300, idleMs: 2000 });
    for (let count = 0; count < 5; count++) {
      await pass(350);
      await peer.answers();
      await peer.sends(PING, "x");
    }
    await pass(150);
    assert.equal(
      peer.seen.some((each) => each.startsWith("close")),
      false,
    );
    await pass(150);
    assert.equal(peer.seen.at(-1), "close 1001 no message for 2000 ms");
    await peer.closes(1001);
    const closed = await journal.end();
    assert.deepEqual([closed.code, closed.clean], [1001, true]);
  });

  test("does not close a connection with messages, or with calls of touch()", async (context) => {
    const off = { intervalMs: Infinity, idleMs: 1000 };
    const { heartbeat, peer, journal, connection, pass } = scene(context, off);
    await pass(900);
    await peer.sends(0x81, "hello");
    await pass(900);
    heartbeat.touch(connection);
    await pass(900);
    assert.deepEqual(peer.seen, []);
    assert.deepEqual(journal.entries, ["text hello"]);
    await pass(150);
    assert.deepEqual(peer.seen, ["close 1001 no message for 1000 ms"]);
  });

  test("counts what a handler that takes views gets", async (context) => {
    const off = { intervalMs: Infinity, idleMs: 1000 };
    const { peer, journal, pass } = scene(context, off, undefined, (each) => ({
      view: (connection, data, isBinary) => each.message(connection, data, isBinary),
    }));
    await pass(900);
    await peer.sends(0x81, "hello");
    await pass(900);
    assert.deepEqual([journal.entries, peer.seen], [["text hello"], []]);
    await pass(150);
    assert.deepEqual(peer.seen, ["close 1001 no message for 1000 ms"]);
  });

  for (const [chance, ends] of [
    [0, 10_000],
    [0.5, 9000],
    [0.999_999, 8000],
  ] as const) {
    test(`closes with 1001 at the maximum age less the jitter: after ${ends} ms with chance ${chance}`, async (context) => {
      const options = { intervalMs: Infinity, patienceMs: 200, maxAgeMs: 10_000, ageJitter: 0.2 };
      const { peer, pass } = scene(context, options, () => chance);
      await pass(ends - 10);
      assert.deepEqual(peer.seen, []);
      await pass(20);
      assert.deepEqual(peer.seen, ["close 1001 please reconnect"]);
    });
  }

  test("leaves a connection that closes to its own timer", async (context) => {
    const { heartbeat, peer, connection, pass } = scene(context, { intervalMs: 1000 });
    connection.close(4000, "bye");
    await pass(5000);
    assert.deepEqual(peer.seen, ["close 4000 bye"]);
    assert.equal(heartbeat.size, 0);
  });

  test("looks after 1,000 connections with one timer, and with none when they are gone", async (context) => {
    const clock = new FakeClock();
    const heartbeat = new Heartbeat({ intervalMs: 1000 }, { clock });
    const handlers = heartbeat.watch({});
    const peers = Array.from({ length: 1000 }, () => new Peer());
    context.after(() => peers.forEach((peer) => peer.destroy()));
    for (const peer of peers) open(peer, handlers, clock);
    assert.deepEqual([heartbeat.size, clock.size, clock.started], [1000, 1, 1]);
    clock.advance(1000);
    await settled();
    assert.ok(peers.every((peer) => peer.seen.length === 1));
    assert.ok(clock.started <= 25, `${clock.started} timers`);
    for (const peer of peers) peer.destroy();
    await settled();
    clock.advance(100);
    assert.deepEqual([heartbeat.size, clock.size], [0, 0]);
  });

  test("passes everything on to the handlers, with their own this", async (context) => {
    const { peer, journal, connection, pass } = scene(context, { intervalMs: 1000, idleMs: 60_000 });
    await peer.sends(0x82, Buffer.from([1, 2]));
    await peer.sends(PING, "p");
    peer.stuck = [];
    while (connection.send(Buffer.alloc(30_000)));
    await settled();
    while (peer.stuck.length > 0) {
      peer.stuck.shift()!();
      await settled();
    }
    peer.stuck = undefined;
    await pass(1050);
    await peer.answers();
    await peer.closes(1000);
    await journal.end();
    const kinds = journal.entries.map((entry) => entry.split(" ")[0]);
    assert.deepEqual(kinds, ["binary", "ping", "drain", "pong", "close"]);
  });

  test("refuses to look after a connection that another heartbeat has", (context) => {
    const clock = new FakeClock();
    const peer = new Peer();
    context.after(() => peer.destroy());
    const twice = new Heartbeat({}, { clock }).watch(new Heartbeat({}, { clock }).watch({}));
    assert.throws(() => open(peer, twice, clock), /has a heartbeat already/);
  });

  const wrong: readonly [options: Partial<HeartbeatOptions>, says: RegExp][] = [
    [{ intervalMs: 0 }, /heartbeat\.intervalMs is 0: it must be a number of milliseconds above 0/],
    [{ patienceMs: -1 }, /heartbeat\.patienceMs is -1/],
    [{ idleMs: NaN }, /heartbeat\.idleMs is NaN/],
    [{ maxAgeMs: 0 }, /heartbeat\.maxAgeMs is 0/],
    [{ ageJitter: 1.1 }, /heartbeat\.ageJitter is 1\.1: it must be a number from 0 to 1/],
    [{ ageJitter: NaN }, /heartbeat\.ageJitter is NaN/],
  ];
  for (const [options, says] of wrong) {
    test(`refuses ${JSON.stringify(options)}`, () => {
      assert.throws(
        () => new Heartbeat(options),
        (error) => error instanceof RangeError && says.test(error.message),
      );
    });
  }

  test("has the defaults that it documents", () => {
    assert.deepEqual(defaultHeartbeat, {
      intervalMs: 25_000,
      patienceMs: 20_000,
      idleMs: Infinity,
      maxAgeMs: Infinity,
      ageJitter: 0.1,
    });
  });
});
