import assert from "node:assert/strict";
import { once } from "node:events";
import { constants, type ServerHttp2Stream } from "node:http2";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import {
  createHttp2Backend,
  RpcError,
  type BackendState,
  type Http2Backend,
  type Http2BackendOptions,
} from "@sluice/rpc";
import { startEchoServer } from "@sluice/testkit";
import { FakeClock } from "@sluice/testkit/fake-clock";
import { converse, eventually, message, open, repeat, run, say, sleep, type Opened } from "./harness.ts";
import {
  answer,
  framed,
  grpcHeaders,
  startScriptedServer,
  type Script,
  type ScriptedServerOptions,
} from "./scripted-server.ts";

const hello = message([1, "hello"]);

function create(context: TestContext, target: string, options?: Http2BackendOptions): Http2Backend {
  const backend = createHttp2Backend(target, options);
  context.after(() => backend.close(0));
  return backend;
}

async function scripted(context: TestContext, script: Script, options?: ScriptedServerOptions) {
  const server = await startScriptedServer(script, options);
  context.after(() => server.close());
  return server;
}

/** A TCP server that does with a socket what a test says. */
async function listen(context: TestContext, handle: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    handle(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  context.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The address of a port on which nobody listens. */
async function closedAddress(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return `127.0.0.1:${port}`;
}

function untilState(backend: Http2Backend, kind: BackendState["kind"]): Promise<void> {
  return new Promise((resolve) => {
    const check = (state: BackendState): void => {
      if (state.kind !== kind) return;
      stop();
      resolve();
    };
    const stop = backend.onState(check);
    check(backend.state());
  });
}

function states(backend: Http2Backend): string[] {
  const seen: string[] = [];
  backend.onState(({ kind }) => seen.push(kind));
  return seen;
}

function openAll(backend: Http2Backend, count: number): Opened[] {
  return Array.from({ length: count }, () => {
    const opened = open(backend, converse);
    opened.call.send(hello);
    return opened;
  });
}

const answerHello = (stream: ServerHttp2Stream): void => answer(stream, framed(hello));

describe("connecting", () => {
  test("begins with the first call", async (context) => {
    const server = await scripted(context, answerHello);
    const backend = create(context, server.address);
    const seen = states(backend);
    assert.deepEqual(backend.state(), { kind: "idle" });
    const call = run(backend, say, [hello]);
    assert.deepEqual(backend.state(), { kind: "connecting" });
    assert.deepEqual(backend.counters(), { openCalls: 0, waitingCalls: 1, connections: 1 });
    assert.equal((await call).status?.code, 0);
    assert.deepEqual(backend.state(), { kind: "ready" });
    assert.deepEqual(seen, ["connecting", "ready"]);
  });

  test("begins without a call when it is asked for", async (context) => {
    const server = await scripted(context, answerHello);
    const backend = create(context, server.address);
    backend.connect();
    backend.connect();
    await untilState(backend, "ready");
    assert.deepEqual(backend.counters(), { openCalls: 0, waitingCalls: 0, connections: 1 });
  });

  for (const form of ["http://127.0.0.1:", "dns:///localhost:", "localhost:", "ipv4:127.0.0.1:"]) {
    test(`reaches ${form}port`, async (context) => {
      const server = await scripted(context, answerHello);
      const backend = create(context, server.address.replace("127.0.0.1:", form));
      assert.equal((await run(backend, say, [hello])).status?.code, 0);
    });
  }

  test("reaches a Unix socket, with the authority localhost", async (context) => {
    const server = await startEchoServer();
    context.after(() => server.close());
    const path = join(tmpdir(), `sluice-backend-${process.pid}.sock`);
    const relay = createServer((socket) => {
      const onward = connect(server.port, "127.0.0.1");
      for (const each of [socket, onward]) each.on("error", () => {});
      socket.pipe(onward).pipe(socket);
    }).listen(path);
    await once(relay, "listening");
    context.after(() => relay.close());
    const backend = create(context, `unix:${path}`);
    assert.equal((await run(backend, say, [hello])).status?.code, 0);
    assert.equal(server.calls.records[0]?.authority, "localhost");
  });

  test("sends another authority when it is told to", async (context) => {
    const server = await startEchoServer();
    context.after(() => server.close());
    const backend = create(context, server.address, { authority: "orders.example.com" });
    await run(backend, say, [hello]);
    assert.equal(server.calls.records[0]?.authority, "orders.example.com");
  });

  test("refuses an address that it cannot understand", () => {
    assert.throws(() => createHttp2Backend("nowhere"), RpcError);
    assert.throws(() => createHttp2Backend("http://localhost:1", { tls: {} }), /says no TLS, but TLS is set/);
  });
});

describe("a backend that cannot be reached", () => {
  test("fails the calls with the reason, and nothing before open has returned", async (context) => {
    const address = await closedAddress();
    const backend = create(context, address, { clock: new FakeClock() });
    const first = open(backend, say);
    assert.equal(first.heard.status, undefined);
    const reason = `the backend ${address} cannot be reached: connect ECONNREFUSED ${address}`;
    assert.deepEqual(await first.heard.ended(), { code: 14, message: reason, isUnprocessed: true });
    const state = { kind: "backoff", error: `connect ECONNREFUSED ${address}`, failures: 1 };
    assert.deepEqual(backend.state(), state);

    const second = open(backend, say);
    assert.equal(second.heard.status, undefined);
    assert.equal(second.call.send(hello), true);
    assert.deepEqual(await second.heard.ended(), { code: 14, message: reason, isUnprocessed: true });
    assert.deepEqual(backend.counters(), { openCalls: 0, waitingCalls: 0, connections: 0 });
  });

  test("names every address of a host", async (context) => {
    const address = await closedAddress();
    const backend = create(context, address.replace("127.0.0.1", "localhost"), { clock: new FakeClock() });
    assert.match((await open(backend, say).heard.ended()).message, /connect ECONNREFUSED 127\.0\.0\.1/);
  });

  test("says that a name does not exist", async (context) => {
    const backend = create(context, "no-such-host.invalid:1", { clock: new FakeClock() });
    assert.match(
      (await open(backend, say).heard.ended()).message,
      /(ENOTFOUND|EAI_AGAIN) no-such-host\.invalid/,
    );
  });

  test("is tried again with growing patience, without a call", async (context) => {
    const clock = new FakeClock();
    const backend = create(context, await closedAddress(), { clock, random: () => 0.5 });
    backend.connect();
    for (const [index, wait] of [100, 160, 256].entries()) {
      await eventually(() => {
        const state = backend.state();
        return state.kind === "backoff" && state.failures === index + 1;
      });
      assert.deepEqual(clock.pending.map(Math.round), [wait]);
      clock.advance(wait);
      assert.equal(backend.state().kind, "backoff", "calls still fail while the next attempt is under way");
    }
  });

  test("is found when it comes up, and the calls that were first do not wait for it", async (context) => {
    const clock = new FakeClock();
    const address = await closedAddress();
    const backend = create(context, address, { clock });
    const seen = states(backend);
    assert.equal((await open(backend, say).heard.ended()).code, 14);
    await scripted(context, answerHello, { port: Number(address.split(":")[1]) });
    clock.advance(200);
    await untilState(backend, "ready");
    assert.equal((await run(backend, say, [hello])).status?.code, 0);
    assert.deepEqual(seen, ["connecting", "backoff", "ready"]);
  });

  test("is tried at once when connect is called", async (context) => {
    const address = await closedAddress();
    const backend = create(context, address, { clock: new FakeClock() });
    await open(backend, say).heard.ended();
    await scripted(context, answerHello, { port: Number(address.split(":")[1]) });
    backend.connect();
    await untilState(backend, "ready");
  });

  test("is given up after the connect timeout", async (context) => {
    const clock = new FakeClock();
    const backend = create(context, await listen(context, () => {}), { clock });
    const { heard } = open(backend, say);
    assert.deepEqual(clock.pending, [20_000]);
    clock.advance(20_000);
    assert.match((await heard.ended()).message, /cannot be reached: no HTTP\/2 connection after 20000 ms/);
  });

  test("is told by the deadline when that comes first", async (context) => {
    const clock = new FakeClock();
    const backend = create(context, await listen(context, () => {}), { clock });
    const { heard } = open(backend, say, { timeout: 500 });
    clock.advance(500);
    const status = await heard.ended();
    assert.equal(status.code, 4);
    assert.match(
      status.message,
      /deadline of 500 ms passed while it waited for a connection to the backend 127/,
    );
    assert.equal(backend.counters().waitingCalls, 0);
  });

  test("may be an HTTP/1.1 server", async (context) => {
    const address = await listen(context, (socket) => {
      socket.once("data", () => socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"));
    });
    const backend = create(context, address, { clock: new FakeClock() });
    const { code, message: text } = await open(backend, say).heard.ended();
    assert.equal(code, 14);
    assert.match(text, /cannot be reached: Protocol error .*; is it a gRPC server, and does it want TLS/);
  });

  test("may hang up", async (context) => {
    const address = await listen(context, (socket) => socket.destroy());
    const backend = create(context, address, { clock: new FakeClock() });
    assert.match(
      (await open(backend, say).heard.ended()).message,
      /it closed the connection before HTTP\/2 was agreed; is it a gRPC server/,
    );
  });
});

describe("a connection that is lost", () => {
  test("ends its calls with UNAVAILABLE at once, paused ones too", async (context) => {
    const server = await startEchoServer();
    context.after(() => server.close());
    const backend = create(context, server.address);
    const opened = openAll(backend, 3);
    await Promise.all(opened.map(({ heard }) => heard.until(({ messages }) => messages.length > 0)));
    opened[1]?.call.pause();
    opened[2]?.call.halfClose();
    server.reset();
    for (const { heard } of opened) {
      const { code, message: text, isUnprocessed } = await heard.ended();
      if (heard === opened[2]?.heard && code === 0) continue;
      assert.deepEqual([code, isUnprocessed], [14, undefined]);
      assert.match(text, /^the connection to the backend 127\.0\.0\.1:\d+ was lost: /);
    }
    await eventually(() => backend.counters().openCalls === 0 && backend.counters().connections === 0);
  });

  test("is made again by the next call, on the same port", async (context) => {
    const clock = new FakeClock();
    const server = await startEchoServer();
    const backend = create(context, server.address, { clock });
    assert.equal((await run(backend, say, [hello])).status?.code, 0);
    clock.advance(60_000);
    await server.kill();
    await untilState(backend, "idle");

    assert.match((await run(backend, say, [hello])).status?.message ?? "", /ECONNREFUSED/);
    const next = await startEchoServer({ port: server.port });
    context.after(() => next.close());
    clock.advance(1_000);
    await untilState(backend, "ready");
    assert.equal((await run(backend, say, [hello])).status?.code, 0);
  });

  test("is made again without a call when connect was called", async (context) => {
    const clock = new FakeClock();
    const server = await startEchoServer();
    context.after(() => server.close());
    const backend = create(context, server.address, { clock });
    backend.connect();
    await untilState(backend, "ready");
    clock.advance(60_000);
    server.reset();
    await untilState(backend, "connecting");
    await untilState(backend, "ready");
  });

  test("soon after it was made counts as a failure", async (context) => {
    const clock = new FakeClock();
    const server = await startEchoServer();
    context.after(() => server.close());
    const backend = create(context, server.address, { clock });
    backend.connect();
    await untilState(backend, "ready");
    clock.advance(999);
    server.reset();
    await untilState(backend, "backoff");
    clock.advance(200);
    await untilState(backend, "ready");
    assert.equal(server.connections.accepted, 2);
  });
});

describe("GOAWAY", () => {
  test("lets running calls finish and sends new ones elsewhere", async (context) => {
    const server = await startEchoServer();
    context.after(() => server.close());
    const clock = new FakeClock();
    const backend = create(context, server.address, { clock });
    const [running] = openAll(backend, 1) as [Opened];
    await running.heard.until(({ messages }) => messages.length === 1);
    clock.advance(5_000);
    server.goAway(60_000);
    await untilState(backend, "idle");
    assert.equal((await run(backend, say, [hello])).status?.code, 0);
    assert.equal(server.connections.accepted, 2);

    running.call.send(hello);
    await running.heard.until(({ messages }) => messages.length === 2);
    running.call.halfClose();
    assert.equal((await running.heard.ended()).code, 0);
    await eventually(() => backend.counters().connections === 1);
  });

  test("makes a stream that was never looked at run on another connection", async (context) => {
    const server = await scripted(context, (stream) => {
      if (server.streams.length === 1) {
        // As if the server had decided to go before it saw this stream.
        stream.session?.goaway(constants.NGHTTP2_NO_ERROR, 2 ** 31 - 1);
        stream.close(constants.NGHTTP2_REFUSED_STREAM);
      } else {
        const parts: Buffer[] = [];
        stream.on("data", (part: Buffer) => parts.push(part));
        stream.on("end", () => answer(stream, Buffer.concat(parts)));
      }
    });
    const backend = create(context, server.address);
    const heard = await run(backend, converse, [message([1, "a"]), message([1, "b"])]);
    assert.equal(heard.status?.code, 0, heard.status?.message);
    assert.deepEqual(heard.texts, ["a", "b"]);
    assert.equal(server.streams.length, 2);
  });

  test("with an error ends the calls with what the server said", async (context) => {
    const server = await scripted(context, (stream) => {
      stream.respond({ ...grpcHeaders });
      stream.session?.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM, undefined, Buffer.from("too_many_pings"));
    });
    const { code, message: text } = await open(create(context, server.address), repeat).heard.ended();
    assert.equal(code, 14);
    assert.match(text, /was lost: the backend sent GOAWAY with ENHANCE_YOUR_CALM \(too_many_pings\)/);
  });
});

describe("a refused stream", () => {
  test("is tried again once, with all its messages", async (context) => {
    const server = await scripted(context, (stream) => {
      if (server.streams.length === 1) return stream.close(constants.NGHTTP2_REFUSED_STREAM);
      return answerHello(stream);
    });
    const backend = create(context, server.address);
    const heard = await run(backend, say, [hello]);
    assert.equal(heard.status?.code, 0);
    assert.equal(server.streams.length, 2);
    assert.equal(backend.counters().connections, 1);
  });

  test("ends the call when it is refused twice", async (context) => {
    const server = await scripted(context, (stream) => stream.close(constants.NGHTTP2_REFUSED_STREAM));
    const heard = await run(create(context, server.address), say, [hello]);
    assert.equal(heard.status?.code, 14);
    assert.match(heard.status.message, /REFUSED_STREAM/);
    assert.equal(server.streams.length, 2);
  });

  test("is not tried again after the server has answered", async (context) => {
    const server = await scripted(context, (stream) => {
      stream.respond({ ...grpcHeaders });
      stream.write(framed(hello));
      stream.once("data", () => stream.close(constants.NGHTTP2_REFUSED_STREAM));
    });
    const { call, heard } = open(create(context, server.address), converse);
    await heard.until(({ messages }) => messages.length === 1);
    call.send(hello);
    assert.equal((await heard.ended()).code, 14);
    assert.equal(server.streams.length, 1);
  });

  test("is not tried again when more was sent than is kept", async (context) => {
    const server = await scripted(context, (stream) => {
      let received = 0;
      stream.on("data", (part: Buffer) => {
        received += part.length;
        if (received > 65_000) stream.close(constants.NGHTTP2_REFUSED_STREAM);
      });
    });
    const { call, heard } = open(create(context, server.address), converse);
    call.send(Buffer.alloc(70_000));
    assert.equal((await heard.ended()).code, 14);
    assert.equal(server.streams.length, 1);
  });

  test("lets a call that waited for room go on", async (context) => {
    const server = await scripted(context, (stream) => {
      if (server.streams.length === 1) return stream.close(constants.NGHTTP2_REFUSED_STREAM);
      stream.resume();
      return answerHello(stream);
    });
    const { call, heard } = open(create(context, server.address, { sendBufferBytes: 1_000 }), converse);
    assert.equal(call.send(Buffer.alloc(2_000)), false);
    await heard.until(({ events }) => events.includes("drain"));
    call.halfClose();
    assert.equal((await heard.ended()).code, 0);
  });
});

describe("a backend that limits its streams", () => {
  test("gets as many connections as the calls need, and no more", async (context) => {
    const server = await startEchoServer({ maxConcurrentStreams: 10 });
    context.after(() => server.close());
    const backend = create(context, server.address);
    const opened = openAll(backend, 30);
    await Promise.all(opened.map(({ heard }) => heard.until(({ messages }) => messages.length === 1)));
    assert.deepEqual(backend.counters(), { openCalls: 30, waitingCalls: 0, connections: 3 });
    assert.equal(server.connections.accepted, 3);
    for (const { call } of opened) call.halfClose();
    for (const { heard } of opened) assert.equal((await heard.ended()).code, 0);
  });

  test("makes the calls wait when it has the most connections", async (context) => {
    const server = await startEchoServer({ maxConcurrentStreams: 2 });
    context.after(() => server.close());
    const backend = create(context, server.address, { maxConnections: 2 });
    const opened = openAll(backend, 12);
    await Promise.all(
      opened.slice(0, 4).map(({ heard }) => heard.until(({ messages }) => messages.length === 1)),
    );
    assert.deepEqual(backend.counters(), { openCalls: 4, waitingCalls: 8, connections: 2 });
    for (const { call, heard } of opened) {
      call.halfClose();
      assert.equal((await heard.ended()).code, 0);
      assert.deepEqual(heard.texts, ["hello"]);
    }
    assert.equal(server.connections.accepted, 2);
  });

  test("refuses a call when too many wait", async (context) => {
    const server = await startEchoServer({ maxConcurrentStreams: 1 });
    context.after(() => server.close());
    const backend = create(context, server.address, { maxConnections: 1, maxWaitingCalls: 2 });
    const opened = openAll(backend, 2);
    await opened[0]?.heard.until(({ messages }) => messages.length === 1);
    openAll(backend, 1);
    const { code, message: text } = await open(backend, say).heard.ended();
    assert.equal(code, 8);
    assert.match(text, /^2 calls already wait for the backend 127.*, which is the maximum$/);
  });

  test("forgets a waiting call that is cancelled", async (context) => {
    const server = await startEchoServer({ maxConcurrentStreams: 1 });
    context.after(() => server.close());
    const backend = create(context, server.address, { maxConnections: 1 });
    const [first, second, third] = openAll(backend, 3) as [Opened, Opened, Opened];
    await first.heard.until(({ messages }) => messages.length === 1);
    second.call.cancel();
    first.call.cancel();
    await third.heard.until(({ messages }) => messages.length === 1);
    assert.equal(server.calls.started, 2);
  });

  test("keeps a connection beyond the first only as long as it is used", async (context) => {
    const clock = new FakeClock();
    const server = await startEchoServer({ maxConcurrentStreams: 1 });
    context.after(() => server.close());
    const backend = create(context, server.address, { clock });
    const opened = openAll(backend, 3);
    await Promise.all(opened.map(({ heard }) => heard.until(({ messages }) => messages.length === 1)));
    for (const { call } of opened) call.halfClose();
    await Promise.all(opened.map(({ heard }) => heard.ended()));
    await eventually(() => backend.counters().openCalls === 0);
    assert.equal(backend.counters().connections, 3);
    clock.advance(59_999);
    assert.equal(backend.counters().connections, 3);
    clock.advance(1);
    await eventually(() => backend.counters().connections === 1);
    assert.equal(backend.state().kind, "ready");
  });

  test("of none makes the calls wait, and opens no further connection", async (context) => {
    const server = await scripted(context, answerHello, { settings: { maxConcurrentStreams: 0 } });
    const backend = create(context, server.address);
    const opened = openAll(backend, 5);
    await untilState(backend, "ready");
    assert.deepEqual(backend.counters(), { openCalls: 0, waitingCalls: 5, connections: 1 });
    for (const session of server.sessions) session.settings({ maxConcurrentStreams: 1 });
    for (const { heard, call } of opened) {
      call.halfClose();
      assert.equal((await heard.ended()).code, 0);
    }
  });

  test("may change its limit", async (context) => {
    const server = await scripted(context, (stream) => stream.respond({ ...grpcHeaders }), {
      settings: { maxConcurrentStreams: 1 },
    });
    const backend = create(context, server.address, { maxConnections: 1 });
    const opened = openAll(backend, 3);
    await opened[0]?.heard.until(({ received }) => received !== undefined);
    assert.deepEqual(backend.counters(), { openCalls: 1, waitingCalls: 2, connections: 1 });
    for (const session of server.sessions) session.settings({ maxConcurrentStreams: 3 });
    await Promise.all(opened.map(({ heard }) => heard.until(({ received }) => received !== undefined)));
  });
});

/** A server that answers the settings and then falls silent. */
async function silent(
  context: TestContext,
  clock: FakeClock,
  options: Http2BackendOptions["keepalive"] = {},
) {
  const server = await startEchoServer();
  context.after(() => server.close());
  let isSilent = false;
  const address = await listen(context, (socket) => {
    const onward = connect(server.port, "127.0.0.1");
    socket.on("data", (chunk) => isSilent || onward.write(chunk));
    onward.on("data", (chunk) => socket.write(chunk));
    socket.on("close", () => onward.destroy());
  });
  const backend = create(context, address, { clock, keepalive: options });
  const { call, heard } = open(backend, converse);
  call.send(hello);
  await heard.until(({ messages }) => messages.length === 1);
  return { backend, heard, call, fall: () => (isSilent = true) };
}

describe("keepalive", () => {
  test("ends the calls of a connection that does not answer", async (context) => {
    const clock = new FakeClock();
    const { heard, fall } = await silent(context, clock);
    clock.advance(310_000);
    fall();
    clock.advance(310_000);
    assert.equal(heard.status, undefined);
    clock.advance(20_000);
    const { code, message: text } = await heard.ended();
    assert.equal(code, 14);
    assert.match(text, /was lost: the backend did not answer a keepalive ping within 20000 ms/);
  });

  test("is content with an answer", async (context) => {
    const clock = new FakeClock();
    const { heard, call } = await silent(context, clock, { intervalMs: 1_000, timeoutMs: 100 });
    for (let round = 0; round < 3; round++) {
      clock.advance(1_000);
      clock.advance(1_000);
      await eventually(() => clock.pending[0] !== 100);
    }
    call.halfClose();
    assert.equal((await heard.ended()).code, 0);
  });
});

test("a backend that finds the pings too many gets half as many, one that complains of something else does not", async (context) => {
  const clock = new FakeClock();
  const intervals: (number | undefined)[] = [];
  let said = "";
  const server = await scripted(context, (stream) => {
    intervals.push(clock.pending[0]);
    stream.session?.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM, undefined, Buffer.from(said));
  });
  const backend = create(context, server.address, { clock, keepalive: { intervalMs: 1_000 } });
  for (said of ["too_many_pings", "too_many_pings", "too many calls", "too_many_pings"]) {
    assert.equal((await open(backend, repeat).heard.ended()).code, 14);
    // Connections that last so short are not made again at once.
    clock.advance(5_000);
    await eventually(() => backend.state().kind === "ready");
  }
  assert.deepEqual(intervals, [1_000, 2_000, 4_000, 4_000]);
});

describe("closing", () => {
  test("lets running calls end and takes no new ones", async (context) => {
    const server = await startEchoServer();
    context.after(() => server.close());
    const backend = createHttp2Backend(server.address);
    const [running] = openAll(backend, 1) as [Opened];
    await running.heard.until(({ messages }) => messages.length === 1);
    const closed = backend.close(60_000);
    assert.equal(backend.state().kind, "draining");
    assert.deepEqual(await open(backend, say).heard.ended(), {
      code: 14,
      message: "the gateway is shutting down",
      isUnprocessed: true,
    });
    running.call.send(hello);
    await running.heard.until(({ messages }) => messages.length === 2);
    running.call.halfClose();
    assert.equal((await running.heard.ended()).code, 0);
    await closed;
    assert.equal(backend.state().kind, "closed");
    assert.deepEqual(backend.counters(), { openCalls: 0, waitingCalls: 0, connections: 0 });
    assert.equal((await open(backend, say).heard.ended()).code, 14);
  });

  test("ends the calls that take longer with UNAVAILABLE", async (context) => {
    const clock = new FakeClock();
    const server = await startEchoServer();
    context.after(() => server.close());
    const backend = createHttp2Backend(server.address, { clock });
    const { call, heard } = open(backend, sleep);
    call.send(message());
    call.halfClose();
    await server.calls.until(({ open: running }) => running === 1);
    const closed = backend.close(5_000);
    clock.advance(4_999);
    assert.equal(heard.status, undefined);
    clock.advance(1);
    const { code, message: text } = await heard.ended();
    assert.equal(code, 14);
    assert.match(text, /the gateway is shutting down/);
    await closed;
    assert.deepEqual(clock.pending, []);
  });

  test("again shortens the time", async (context) => {
    const server = await startEchoServer();
    context.after(() => server.close());
    const backend = createHttp2Backend(server.address);
    const [running] = openAll(backend, 1) as [Opened];
    await running.heard.until(({ messages }) => messages.length === 1);
    const patient = backend.close(60_000);
    await backend.close(0);
    await patient;
    assert.equal((await running.heard.ended()).code, 14);
    await backend.close(0);
  });

  test("ends the calls that wait", async (context) => {
    const backend = createHttp2Backend(await listen(context, () => {}));
    const { heard } = open(backend, say);
    await backend.close(60_000);
    const status = { code: 14, message: "the gateway is shutting down", isUnprocessed: true };
    assert.deepEqual(heard.status, status);
  });

  test("of a backend that was never used, or is in a back-off, is at once", async () => {
    const clock = new FakeClock();
    const idle = createHttp2Backend("localhost:1", { clock });
    await idle.close(60_000);
    const failing = createHttp2Backend(await closedAddress(), { clock });
    await open(failing, say).heard.ended();
    await failing.close(60_000);
    failing.connect();
    assert.equal(failing.state().kind, "closed");
    assert.deepEqual(clock.pending, []);
  });
});
