import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Call, type CallStart, Code, MULTIPLEX_PROTOCOL } from "@sluice/protocol";
import { FakeClock, settled } from "@sluice/testkit/fake-clock";
import { Connection, type ConnectionOptions, type ConnectionState } from "../src/index.ts";
import { MemoryGateway } from "./support/memory-gateway.ts";
import { bytes, Recorder } from "./support/recorder.ts";

interface Setup {
  readonly gateway: MemoryGateway;
  readonly clock: FakeClock;
  readonly connection: Connection;
  readonly states: ConnectionState[];
  /** Opens a call, and sends `messages` on it. */
  readonly open: (start?: Partial<CallStart>, ...messages: string[]) => { call: Call; record: Recorder };
}

function setUp(options: Partial<ConnectionOptions> = {}): Setup {
  const gateway = new MemoryGateway();
  const clock = new FakeClock();
  const connection = new Connection({
    url: "wss://example.com/api",
    webSocket: gateway.webSocket,
    clock,
    random: () => 0.5,
    failFastAfter: 2,
    ...options,
  });
  const states: ConnectionState[] = [];
  connection.subscribe((state) => states.push(state));
  const open: Setup["open"] = (start = {}, ...messages) => {
    const record = new Recorder();
    const call = connection.open({ method: "a.B/C", ...start }, record);
    for (const message of messages) call.send(bytes(message));
    return { call, record };
  };
  return { gateway, clock, connection, states, open };
}

/** Answers each message with itself, and ends at the half-close. */
function echo(gateway: MemoryGateway): void {
  gateway.service = ({ call }) => ({
    message: (message) => void call.send(message.slice()),
    halfClose: () => call.end({ code: Code.OK, message: "" }),
  });
}

const kinds = (states: readonly ConnectionState[]): string[] => states.map(({ kind }) => kind);

describe("a connection", () => {
  test("connects at the first call, to its URL, and makes the call", async () => {
    const { gateway, connection, states, open } = setUp();
    echo(gateway);
    await settled();
    assert.equal(gateway.sockets.length, 0);
    assert.deepEqual(connection.state, { kind: "idle" });
    assert.equal(connection.hasBeenOpen, false);
    const { call, record } = open({ metadata: { "x-a": "1" } }, "one");
    call.halfClose();
    assert.deepEqual(connection.state, { kind: "connecting", attempt: 1 });
    await settled();
    assert.equal(gateway.last.url, "wss://example.com/api");
    assert.deepEqual(record.messages, ["one"]);
    assert.equal(record.ends[0]?.code, Code.OK);
    assert.deepEqual(gateway.calls[0]?.opening.metadata, Object.assign(Object.create(null), { "x-a": "1" }));
    assert.deepEqual(states, [{ kind: "connecting", attempt: 1 }, { kind: "open" }]);
    assert.equal(connection.hasBeenOpen, true);
  });

  test("connects without a call when it is told to, once", async () => {
    const { gateway, connection } = setUp();
    connection.connect();
    connection.connect();
    await settled();
    connection.connect();
    assert.equal(gateway.sockets.length, 1);
    assert.equal(connection.state.kind, "open");
  });

  test("tells its states to who was handed nothing but its subscribe", async () => {
    const { connection } = setUp();
    const seen: ConnectionState[] = [];
    const { subscribe } = connection;
    const stop = subscribe((state) => seen.push(state));
    connection.connect();
    await settled();
    stop();
    connection.close();
    await settled();
    assert.deepEqual(kinds(seen), ["connecting", "open"]);
  });

  test("tells nobody any more who has unsubscribed, and the others also when one of them throws", async () => {
    const { gateway, connection, states } = setUp();
    const thrown: unknown[] = [];
    const seen: string[] = [];
    process.setUncaughtExceptionCaptureCallback((error) => thrown.push(error));
    const stop = connection.subscribe(({ kind }) => {
      seen.push(kind);
      throw new Error("an observer's own");
    });
    connection.subscribe(({ kind }) => seen.push(`second ${kind}`));
    connection.connect();
    stop();
    await settled();
    assert.deepEqual(seen, ["second connecting", "second open"]);
    connection.subscribe(() => {
      throw new Error("an observer's own");
    });
    connection.close();
    await settled();
    assert.equal(seen.at(-1), "second closed");
    assert.equal(states.at(-1)?.kind, "closed");
    process.setUncaughtExceptionCaptureCallback(null);
    assert.match(String(thrown), /an observer's own/);
    assert.equal(gateway.last.closedWith?.[0], 1000);
  });

  test("waits longer after each failure, up to the maximum, by chance", async () => {
    const { gateway, clock, connection, states } = setUp({ backoff: { maxMs: 3000 } });
    gateway.mode = "refuse";
    connection.connect();
    await settled();
    await clock.advanceSettled(250 + 500 + 1000 + 1500 + 1500);
    const waits = states.flatMap((state) =>
      state.kind === "waiting" ? [[state.failures, state.delayMs]] : [],
    );
    assert.deepEqual(waits, [
      [1, 250],
      [2, 500],
      [3, 1000],
      [4, 1500],
      [5, 1500],
      [6, 1500],
    ]);
    assert.match(JSON.stringify(states.at(-1)), /the WebSocket closed with 1006: refused/);
    gateway.mode = "accept";
    await clock.advanceSettled(1500);
    assert.equal(connection.state.kind, "open");
  });

  test("lets calls wait for a second attempt, and no longer until one succeeds", async () => {
    const { gateway, clock, connection, open } = setUp();
    gateway.mode = "refuse";
    const waiting = open();
    await settled();
    assert.equal(waiting.record.ends.length, 0);
    assert.equal(connection.isFailing, false);
    await clock.advanceSettled(250);
    assert.equal(connection.isFailing, true);
    const [end] = waiting.record.ends;
    assert.equal(end?.code, Code.UNAVAILABLE);
    assert.equal(
      end?.message,
      "no connection to wss://example.com/api: the WebSocket closed with 1006: refused",
    );
    assert.equal(end?.unprocessed, true);
    const late = open();
    assert.deepEqual(late.record.ends, [], "not before open has returned");
    await settled();
    assert.equal(late.record.ends.length, 1);
    assert.equal(gateway.sockets.length, 2, "a call makes no attempt of its own");
    gateway.mode = "accept";
    connection.connect();
    await settled();
    echo(gateway);
    const { call, record } = open({}, "x");
    call.halfClose();
    await settled();
    assert.equal(record.ends[0]?.code, Code.OK);
    connection.close();
    assert.equal(clock.size, 0);
  });

  test("has a limit of time for the server's first word", async () => {
    for (const mode of ["silence", "mute"] as const) {
      const { gateway, clock, connection, states } = setUp({ connectTimeoutMs: 700 });
      gateway.mode = mode;
      connection.connect();
      await settled();
      await clock.advanceSettled(699);
      assert.equal(connection.state.kind, "connecting", mode);
      await clock.advanceSettled(1);
      assert.match(JSON.stringify(states.at(-1)), /no answer within 700 ms/);
      assert.equal(gateway.last.closedWith?.[0], 1000);
    }
  });

  test("does not speak with a server that selects another subprotocol", async () => {
    const { gateway, connection, states } = setUp();
    gateway.mode = "no-protocol";
    connection.connect();
    await settled();
    assert.match(JSON.stringify(states.at(-1)), /selected the subprotocol \\"\\", not sluice\.v1/);
    assert.equal(gateway.last.closedWith?.[0], 1000);
    assert.equal(gateway.last.sentBytes, 0);
  });

  test("tries again where the platform throws", async () => {
    const { gateway, connection, clock, states } = setUp();
    gateway.mode = "throw";
    connection.connect();
    await settled();
    assert.match(JSON.stringify(states.at(-1)), /SecurityError/);
    gateway.mode = "accept";
    await clock.advanceSettled(250);
    assert.equal(connection.state.kind, "open");
  });

  test("tells a call nothing before it is opened, also where the first attempt is the last", async () => {
    const { gateway, open } = setUp({ failFastAfter: 1 });
    gateway.mode = "throw";
    const { record } = open();
    assert.equal(record.ends.length, 0);
    await settled();
    assert.match(record.ends[0]?.message ?? "", /SecurityError/);
  });

  test("closes with the code of the error when the server does what it must not", async () => {
    for (const [data, code] of [
      ["text", 4400],
      [new ArrayBuffer(3), 4400],
      [new ArrayBuffer(70_000), 4413],
    ] as const) {
      const { gateway, open, states } = setUp();
      const { record } = open();
      await settled();
      gateway.last.emitData(data);
      await settled();
      assert.equal(gateway.last.closedWith?.[0], code);
      assert.equal(record.ends[0]?.code, Code.INTERNAL);
      assert.equal(states.at(-1)?.kind, "waiting");
    }
  });
});

describe("a connection that is lost", () => {
  test("ends its calls with UNAVAILABLE, and comes back by itself", async () => {
    const { gateway, clock, connection, states, open } = setUp();
    const { record } = open();
    await settled();
    await clock.advanceSettled(6000);
    gateway.last.drop();
    assert.equal(record.ends[0]?.code, Code.UNAVAILABLE);
    assert.equal(record.ends[0]?.unprocessed, undefined);
    assert.deepEqual(connection.state, {
      kind: "waiting",
      failures: 0,
      reason: "the WebSocket closed with 1006",
      delayMs: 250,
    });
    await clock.advanceSettled(250);
    assert.deepEqual(kinds(states), ["connecting", "open", "waiting", "connecting", "open"]);
  });

  test("tells its calls what the platform said of it", async () => {
    const { gateway, open } = setUp();
    const { record } = open();
    await settled();
    gateway.last.emit("error", { message: "reset by the peer" });
    gateway.last.drop();
    assert.equal(record.ends[0]?.message, "the connection closed with 1006: reset by the peer");
  });

  test("is made anew at once for a call that comes meanwhile", async () => {
    const { gateway, clock, open } = setUp();
    echo(gateway);
    open();
    await settled();
    await clock.advanceSettled(6000);
    gateway.last.drop();
    const { call, record } = open({}, "after");
    call.halfClose();
    await settled();
    assert.deepEqual(record.messages, ["after"]);
    assert.equal(gateway.sockets.length, 2);
  });

  test("counts as a failure when it was open for a short time only", async () => {
    const { gateway, connection, clock, open } = setUp();
    for (const failures of [1, 2]) {
      if (failures === 1) connection.connect();
      else await clock.advanceSettled(250);
      await settled();
      gateway.last.drop(1011, "trouble");
      const { state } = connection;
      assert.equal(state.kind === "waiting" ? state.failures : undefined, failures);
    }
    const { record } = open();
    await settled();
    assert.match(record.ends[0]?.message ?? "", /closed with 1011: trouble/);
  });

  test("hands calls that never left to the next one", async () => {
    const { gateway, clock, open } = setUp();
    gateway.limits = { maxCalls: 1 };
    const first = open();
    const second = open({}, "late");
    await settled();
    await clock.advanceSettled(6000);
    assert.equal(gateway.calls.length, 1, "the second one waits for its place");
    gateway.last.drop();
    await settled();
    assert.equal(first.record.ends.length, 1);
    assert.deepEqual(second.record.ends, []);
    assert.deepEqual(gateway.calls[1]?.messages, [bytes("late")]);
  });

  test("is noticed without a word of the network, by what does not come", async () => {
    const { gateway, clock, states, open } = setUp();
    const { record } = open();
    await settled();
    await clock.advanceSettled(20_000 + 9_999);
    assert.equal(record.ends.length, 0, "the server answers a ping");
    gateway.last.isCut = true;
    await clock.advanceSettled(50_000);
    assert.equal(record.ends[0]?.code, Code.UNAVAILABLE);
    assert.match(record.ends[0]?.message ?? "", /4408/);
    assert.equal(gateway.sockets[0]?.closedWith?.[0], 4408);
    assert.deepEqual(kinds(states).slice(0, 5), ["connecting", "open", "waiting", "connecting", "open"]);
  });

  test("is made anew at once when the page is online again", async () => {
    const events = new EventTarget();
    const platform = globalThis as Record<string, unknown>;
    platform["addEventListener"] = events.addEventListener.bind(events);
    platform["removeEventListener"] = events.removeEventListener.bind(events);
    try {
      const { gateway, connection, clock } = setUp();
      gateway.mode = "refuse";
      connection.connect();
      await settled();
      gateway.mode = "accept";
      events.dispatchEvent(new Event("online"));
      await settled();
      assert.equal(connection.state.kind, "open");
      events.dispatchEvent(new Event("online"));
      await clock.advanceSettled(10_000);
      assert.equal(gateway.sockets.length, 2);
    } finally {
      delete platform["addEventListener"];
      delete platform["removeEventListener"];
    }
  });
});

describe("a server that goes away", () => {
  test("keeps its calls, while new ones go to another socket", async () => {
    const { gateway, clock, states, open } = setUp();
    const old = open({}, "before");
    await settled();
    await clock.advanceSettled(6000);
    gateway.last.server.goAway("deploy");
    await settled();
    assert.match(JSON.stringify(states.at(-1)), /the server goes away: deploy/);
    const fresh = open({}, "new");
    await settled();
    assert.equal(gateway.sockets.length, 2);
    assert.deepEqual(gateway.calls[1]?.messages, [bytes("new")]);
    old.call.send(bytes("after"));
    await settled();
    assert.deepEqual(gateway.calls[0]?.messages, [bytes("before"), bytes("after")]);
    gateway.calls[0]?.call.end({ code: Code.OK, message: "" });
    await settled();
    assert.equal(old.record.ends[0]?.code, Code.OK);
    assert.equal(gateway.sockets[0]?.isOver, true);
    assert.deepEqual(fresh.record.ends, []);
    assert.deepEqual(kinds(states).slice(2), ["waiting", "connecting", "open"]);
  });

  test("gets the calls that it did not take made again, with all that was sent", async () => {
    const { gateway, clock, open } = setUp();
    open();
    await settled();
    await clock.advanceSettled(6000);
    const first = gateway.last;
    // The two cross on the wire.
    first.server.goAway("deploy");
    const { call, record } = open({ timeout: 10_000 }, "one", "two");
    call.halfClose();
    await settled();
    assert.equal(gateway.sockets.length, 2);
    const [, taken] = gateway.calls;
    assert.deepEqual(taken?.messages, [bytes("one"), bytes("two")]);
    assert.equal(taken?.isHalfClosed, true);
    assert.deepEqual(record.ends, []);
  });

  test("is told to the caller when too much was sent to keep it", async () => {
    const { gateway, clock, open } = setUp({ maxRetryBytes: 5 });
    open();
    await settled();
    await clock.advanceSettled(6000);
    gateway.last.server.goAway();
    const { record } = open({}, "one", "two");
    await settled();
    assert.equal(record.ends[0]?.code, Code.UNAVAILABLE);
    assert.equal(gateway.calls.length, 1);
  });
});

describe("a call", () => {
  test("ends at its deadline, wherever it is then", async () => {
    const { gateway, clock, open } = setUp({ connectTimeoutMs: 100_000 });
    gateway.mode = "silence";
    const waiting = open({ timeout: 1000 });
    await clock.advanceSettled(1000);
    assert.equal(waiting.record.ends[0]?.code, Code.DEADLINE_EXCEEDED);
    assert.equal(
      waiting.record.ends[0]?.message,
      "not done within 1000 ms, and not sent: no connection in time",
    );

    const running = setUp();
    const { record } = running.open({ timeout: 1000 });
    await settled();
    assert.equal(running.gateway.calls[0]?.opening.timeout, 1000);
    await running.clock.advanceSettled(1000);
    assert.equal(record.ends[0]?.code, Code.DEADLINE_EXCEEDED);
    assert.equal(record.ends[0]?.message, "not done within 1000 ms");
    assert.equal(running.gateway.calls[0]?.ends[0]?.code, Code.CANCELLED);
    assert.deepEqual(open({ timeout: 0 }).record.ends, [], "not before open has returned");
  });

  test("tells the server what is left of its time", async () => {
    const { gateway, clock, open } = setUp();
    gateway.mode = "refuse";
    open({ timeout: 1000 });
    await settled();
    gateway.mode = "accept";
    await clock.advanceSettled(250);
    assert.equal(gateway.calls[0]?.opening.timeout, 750);
  });

  test("is not made when its time is over, however late its timer is", async () => {
    const fake = new FakeClock();
    let late = 0;
    const clock = { now: () => fake.now() + late, after: fake.after.bind(fake) };
    const { gateway, open } = setUp({ clock });
    const { record } = open({ timeout: 1000 });
    late = 1000;
    await settled();
    const none = open({ timeout: 0 });
    assert.deepEqual(none.record.ends, [], "not before open has returned");
    await settled();
    for (const { ends } of [record, none.record]) assert.equal(ends[0]?.code, Code.DEADLINE_EXCEEDED);
    assert.equal(gateway.calls.length, 0);
  });

  test("has no timer for a deadline that no timer can wait for", async () => {
    const { gateway, clock, open } = setUp();
    const { record } = open({ timeout: 2 ** 40 });
    await settled();
    await clock.advanceSettled(1);
    assert.equal(gateway.calls[0]?.opening.timeout, 0xffff_ffff);
    assert.deepEqual(record.ends, []);
  });

  test("holds its sender up while it waits for a connection, and bounds what waits", async () => {
    const { gateway, open } = setUp({ limits: { maxWaitingBytes: 200_000 } });
    const { call, record } = open();
    assert.equal(call.send(new Uint8Array(65_000)), true);
    assert.equal(call.send(new Uint8Array(1000)), false);
    await settled();
    assert.equal(record.drains, 1);
    assert.equal(gateway.calls[0]?.messages.length, 2);

    const other = setUp({ limits: { maxWaitingBytes: 200_000 } });
    other.gateway.mode = "silence";
    const greedy = other.open();
    greedy.call.send(new Uint8Array(200_001));
    assert.equal(greedy.call.send(new Uint8Array(1)), false);
    assert.equal(greedy.record.ends[0]?.code, Code.RESOURCE_EXHAUSTED);
    assert.equal(greedy.record.ends[0]?.message, "more than 200000 bytes wait for a connection");
  });

  test("sends no more than the WebSocket has room for", async () => {
    const { gateway, clock, open } = setUp();
    const { call } = open();
    await settled();
    const socket = gateway.last;
    socket.bufferedAmount = 65_536;
    for (let index = 0; index < 6; index++) call.send(new Uint8Array(16_000));
    await settled();
    const before = socket.sentBytes;
    assert.ok(before < 40_000, `${before} bytes were sent`);
    await clock.advanceSettled(40);
    assert.equal(socket.sentBytes, before);
    socket.bufferedAmount = 0;
    await clock.advanceSettled(4);
    assert.ok(socket.sentBytes > 96_000);
    assert.equal(clock.size, 1, "the keepalive is the only timer");
    // What comes is an occasion, too.
    socket.bufferedAmount = 65_536;
    call.send(new Uint8Array(10));
    call.send(new Uint8Array(10));
    await settled();
    call.send(new Uint8Array(10));
    const stopped = socket.sentBytes;
    socket.bufferedAmount = 0;
    gateway.calls[0]?.call.headers({});
    await settled();
    assert.ok(socket.sentBytes > stopped);
  });
});

describe("close", () => {
  test("ends everything, and leaves nothing behind", async () => {
    for (const mode of ["accept", "refuse", "silence"] as const) {
      const { gateway, connection, clock, states, open } = setUp();
      gateway.mode = mode;
      const { record } = open({ timeout: 60_000 });
      await settled();
      connection.close();
      connection.close();
      connection.connect();
      await settled();
      assert.equal(record.ends.length, 1);
      assert.equal(record.ends[0]?.code, Code.UNAVAILABLE);
      assert.match(record.ends[0]?.message ?? "", /the client closed the connection/);
      const late = open();
      await settled();
      assert.equal(late.record.ends[0]?.code, Code.UNAVAILABLE);
      assert.equal(clock.size, 0);
      assert.equal(states.filter(({ kind }) => kind === "closed").length, 1);
      assert.equal(gateway.sockets.length, 1);
    }
  });

  test("closes sockets that are left behind, too", async () => {
    const { gateway, connection, clock, open } = setUp();
    const { record } = open();
    await settled();
    await clock.advanceSettled(6000);
    gateway.last.server.goAway();
    await settled();
    connection.connect();
    await settled();
    connection.close();
    assert.equal(record.ends.length, 1);
    assert.deepEqual(
      gateway.sockets.map(({ closedWith }) => closedWith?.[0]),
      [1000, 1000],
    );
    assert.equal(clock.size, 0);
  });
});

describe("options", () => {
  const { webSocket } = new MemoryGateway();
  const urlOf = (url: string | URL): string => new Connection({ url, webSocket }).url;

  test("take a URL of four schemes", () => {
    assert.equal(urlOf("ws://a/"), "ws://a/");
    assert.equal(urlOf("wss://a:1/b?c#d"), "wss://a:1/b?c");
    assert.equal(urlOf("http://a"), "ws://a/");
    assert.equal(urlOf(new URL("https://a/b")), "wss://a/b");
    assert.throws(() => urlOf("ftp://a"), /ftp:\/\/a\/: a WebSocket has a URL of ws, wss, http or https/);
    const wrong = {
      name: "TypeError",
      message: /^the option url is "\/relative", which is no URL; only in a page/,
    };
    assert.throws(() => urlOf("/relative"), wrong);
  });

  test("that make no sense are refused by their names", () => {
    const url = "ws://a";
    for (const [name, value] of [
      ["connectTimeoutMs", 0],
      ["failFastAfter", -1],
      ["keepaliveIntervalMs", Number.NaN],
      ["keepaliveTimeoutMs", 0],
      ["maxRetryBytes", -1],
    ] as const) {
      assert.throws(
        () => new Connection({ url, webSocket, [name]: value }),
        new RegExp(`${name} is ${value}`),
      );
    }
    assert.throws(() => new Connection({ url, webSocket, backoff: { maxMs: 0 } }), /maxMs is 0/);
    assert.throws(() => new Connection({ url, webSocket, limits: { maxCalls: 1.5 } }), /maxCalls is 1.5/);
  });

  test("need a class of WebSockets where the platform has none", { skip: "WebSocket" in globalThis }, () => {
    assert.throws(() => new Connection({ url: "ws://a" }), /give one as the option webSocket/);
  });

  test("offer the subprotocol alone", () => {
    const offered: string[] = [];
    const webSocketSpy = function (_url: string, protocol: string): never {
      offered.push(protocol);
      throw new Error("enough");
    };
    new Connection({ url: "ws://a", webSocket: webSocketSpy as never, clock: new FakeClock() }).connect();
    assert.deepEqual(offered, [MULTIPLEX_PROTOCOL]);
  });
});
