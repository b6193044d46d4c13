import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { after, before, describe, test } from "node:test";
import {
  Code,
  ConnectError,
  createClient,
  createContextKey,
  createContextValues,
  type Client,
  type Interceptor,
  type Transport,
} from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { startFaultProxy } from "@sluice/testkit";
import { EventWebSocket } from "@sluice/websocket";
import { createTransport, type MultiplexTransport, type TransportOptions } from "../src/connect/index.ts";
import type { ConnectionState } from "../src/index.ts";
import { Echo } from "./generated/echo_pb.ts";
import { startEchoGateway, startGateway } from "./support/gateway.ts";
import { steadyCount } from "./support/steady-count.ts";

let sluice: Awaited<ReturnType<typeof startEchoGateway>>;
const transports: MultiplexTransport[] = [];
before(async () => {
  sluice = await startEchoGateway();
});
after(async () => {
  for (const transport of transports) transport.close();
  await sluice.close();
});

function connect(options: Partial<TransportOptions> = {}): {
  client: Client<typeof Echo>;
  transport: MultiplexTransport;
} {
  const transport = createTransport({ url: sluice.ws, webSocket: EventWebSocket, ...options });
  transports.push(transport);
  return { client: createClient(Echo, transport), transport };
}

async function failure(work: Promise<unknown>): Promise<ConnectError> {
  const error: unknown = await work.catch((reason: unknown) => reason);
  assert.ok(error instanceof ConnectError, String(error));
  return error;
}

/** Resolves with the first state of a kind from now on. */
function stateOf(
  { connection }: MultiplexTransport,
  kind: ConnectionState["kind"],
): Promise<ConnectionState> {
  return new Promise((resolve) => {
    const stop = connection.subscribe((state) => {
      if (state.kind !== kind) return;
      stop();
      resolve(state);
    });
  });
}

async function* broken(): AsyncGenerator<{ text: string }> {
  yield { text: "a" };
  throw new ConnectError("out of paper", Code.DataLoss);
}

describe("a transport", () => {
  test("applies interceptors, with the URL, headers, context and messages of calls", async () => {
    const key = createContextKey("nobody");
    const seen: unknown[] = [];
    const interceptor: Interceptor = (next) => async (request) => {
      seen.push(request.url, request.contextValues.get(key), request.stream);
      request.header.set("x-added", "1");
      const response = await next(request);
      response.header.set("x-answered", "2");
      return response;
    };
    const { client } = connect({ interceptors: [interceptor] });
    const contextValues = createContextValues().set(key, "ada");
    let answered: string | null = null;
    const reply = await client.say(
      { text: "hi" },
      { contextValues, onHeader: (headers) => (answered = headers.get("x-answered")) },
    );
    assert.equal(reply.text, "hi");
    assert.equal(answered, "2");
    for await (const { text } of client.repeat({ text: "a", count: 1 })) assert.equal(text, "a");
    const base = `${sluice.http}/sluice.test.v1.Echo`;
    assert.deepEqual(seen, [`${base}/Say`, "ada", false, `${base}/Repeat`, "nobody", true]);
  });

  test("has a deadline for all calls, which a call can lift", async () => {
    const { client } = connect({ defaultTimeoutMs: 50 });
    assert.equal((await failure(client.sleep({}))).code, Code.DeadlineExceeded);
    const signal = AbortSignal.timeout(150);
    assert.equal((await failure(client.sleep({}, { timeoutMs: 0, signal }))).code, Code.Canceled);
  });

  test("fails with what an iterable of requests throws, and leaves nothing open", async () => {
    const { client } = connect();
    await client.say({ text: "there is a connection" });
    const error = await failure(client.collect(broken()));
    assert.deepEqual([error.code, error.rawMessage], [Code.DataLoss, "out of paper"]);
    await sluice.echo.calls.until(({ open }) => open === 0);
  });

  test("shares a connection that is there", async () => {
    const { transport } = connect();
    const other = createTransport({ connection: transport.connection, useBinaryFormat: false });
    const sockets = sluice.gateway.counts.webSockets;
    await createClient(Echo, transport).say({ text: "a" });
    await createClient(Echo, other).say({ text: "b" });
    assert.equal(sluice.gateway.counts.webSockets, sockets + 1);
    other.close();
    assert.equal(transport.connection.state.kind, "closed");
  });
});

describe("back-pressure", () => {
  test("stops the gRPC server's writing when the caller does not read", async (context) => {
    const { client } = connect();
    const { calls } = sluice.echo;
    const controller = new AbortController();
    const replies = client.send({ size: 16_384, count: 0 }, { signal: controller.signal });
    const reader = replies[Symbol.asyncIterator]();
    await reader.next();
    const record = calls.records.at(-1);
    assert.ok(record !== undefined);
    const first = await steadyCount(() => record.sent);
    context.diagnostic(`one message read, ${first} written (${(first * 16_384) >> 10} KiB)`);
    assert.ok(first < 200, `${first} messages were written for one that was read`);
    for (let read = 1; read < 500; read++) await reader.next();
    const second = await steadyCount(() => record.sent);
    context.diagnostic(`500 messages read, ${second} written`);
    assert.ok(second >= 500 && second < 700, `${second} messages were written`);
    controller.abort();
    await calls.until(({ open }) => open === 0);
  });

  test("stops the caller's iterable when the server does not read", async (context) => {
    const { client } = connect();
    let asked = 0;
    const controller = new AbortController();
    async function* endless(): AsyncGenerator<{ text: string }> {
      const text = "x".repeat(16_000);
      while (!controller.signal.aborted) {
        asked++;
        yield { text };
      }
    }
    // Each is answered, and the answers are not read.
    const replies = client.converse(endless(), { signal: controller.signal });
    const reader = replies[Symbol.asyncIterator]();
    await reader.next();
    const count = await steadyCount(() => asked);
    context.diagnostic(`one answer read, ${count} requests made (${(count * 16_000) >> 10} KiB)`);
    assert.ok(count < 300, `${count} requests were asked for`);
    controller.abort();
    await sluice.echo.calls.until(({ open }) => open === 0);
  });
});

describe("a network", () => {
  test("that is cut ends the calls, and the next ones go over a new socket", async () => {
    const proxy = await startFaultProxy(`127.0.0.1:${sluice.port}`);
    const { client, transport } = connect({ url: `ws://${proxy.address}` });
    await client.say({ text: "before" });
    const sleeping = failure(client.sleep({}));
    await sluice.echo.calls.until(({ open }) => open === 1);
    const waiting = stateOf(transport, "waiting");
    proxy.reset();
    assert.equal((await sleeping).code, Code.Unavailable);
    await waiting;
    assert.equal((await client.say({ text: "after" })).text, "after");
    await sluice.echo.calls.until(({ open }) => open === 0);
    transport.close();
    await proxy.close();
  });

  test("that is silent is noticed, and left when it is back", async () => {
    const proxy = await startFaultProxy(`127.0.0.1:${sluice.port}`);
    const { client, transport } = connect({
      url: `ws://${proxy.address}`,
      keepaliveIntervalMs: 500,
      keepaliveTimeoutMs: 500,
    });
    await client.say({ text: "before" });
    const sleeping = failure(client.sleep({}));
    proxy.set({ stall: true });
    const error = await sleeping;
    assert.equal(error.code, Code.Unavailable);
    assert.match(error.message, /4408/);
    proxy.set({});
    const open = stateOf(transport, "open");
    transport.connection.connect();
    await open;
    assert.equal((await client.say({ text: "after" })).text, "after");
    transport.close();
    await proxy.close();
  });
});

test("a gateway that goes away finishes its calls, while the next ones go to its successor", async () => {
  const { echo, schema } = sluice;
  const old = await startGateway(echo.address, schema);
  // The successor may need its time.
  const patience = { failFastAfter: 1000, backoff: { initialMs: 50, maxMs: 200 } };
  const { client, transport } = connect({ url: old.ws, ...patience });
  let post: ((text: string | undefined) => void) | undefined;
  async function* posts(): AsyncGenerator<{ text: string }> {
    for (;;) {
      const text = await new Promise<string | undefined>((resolve) => (post = resolve));
      if (text === undefined) return;
      yield { text };
    }
  }
  const replies = client.converse(posts())[Symbol.asyncIterator]();
  const first = replies.next();
  await echo.calls.until(({ open }) => open === 1);
  post?.("before");
  assert.equal((await first).value?.text, "before");

  const left = stateOf(transport, "waiting");
  const closed = old.close(20_000);
  const state = await left;
  assert.match(state.kind === "waiting" ? state.reason : "", /the server goes away/);
  const successor = await startGateway(echo.address, schema, { port: old.port });
  assert.equal((await client.say({ text: "new" })).text, "new");
  assert.equal(successor.gateway.counts.webSockets, 1);

  const second = replies.next();
  post?.("after");
  assert.equal((await second).value?.text, "after");
  const last = replies.next();
  post?.(undefined);
  assert.equal((await last).done, true);
  await closed;
  assert.equal((await client.say({ text: "still" })).text, "still");
  transport.close();
  await successor.close();
});

/** The address of a proxy that cuts every connection, as one that blocks WebSockets may. */
async function startBlocker(): Promise<{ url: string; close(): void }> {
  const server = createServer((socket) => socket.resetAndDestroy());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  return { url: `ws://127.0.0.1:${port}`, close: () => server.close() };
}

/** A fallback that is not to be used. */
const noTransport: Transport = {
  unary: () => assert.fail("a unary call over HTTP"),
  stream: () => assert.fail("a stream over HTTP"),
};

async function* onePost(): AsyncGenerator<{ text: string }> {
  yield { text: "never" };
}

describe("a fallback", () => {
  test("makes the calls that HTTP can carry, and says why not the others", async () => {
    const blocker = await startBlocker();
    const fallback = createConnectTransport({ baseUrl: sluice.http, httpVersion: "1.1" });
    const { client, transport } = connect({ url: blocker.url, fallback });
    assert.equal((await client.say({ text: "over HTTP" })).text, "over HTTP");
    const heard: string[] = [];
    for await (const { text } of client.repeat({ text: "a", count: 2 })) heard.push(text);
    assert.deepEqual(heard, ["a", "a"]);
    const error = await failure(client.converse(onePost())[Symbol.asyncIterator]().next());
    assert.equal(error.code, Code.Unavailable);
    assert.match(
      error.rawMessage,
      /sluice\.test\.v1\.Echo\/Converse has a stream of requests, which HTTP cannot carry from a browser, and there is no WebSocket to ws:\/\/127\.0\.0\.1:\d+\/: /,
    );
    assert.equal(transport.connection.hasBeenOpen, false);
    transport.close();
    blocker.close();
  });

  test("is not used once a WebSocket has been open", async () => {
    const fallback = noTransport;
    const proxy = await startFaultProxy(`127.0.0.1:${sluice.port}`);
    const { client, transport } = connect({ url: `ws://${proxy.address}`, fallback, failFastAfter: 1 });
    assert.equal((await client.say({ text: "a" })).text, "a");
    await proxy.close();
    assert.equal((await failure(client.say({ text: "b" }))).code, Code.Unavailable);
    transport.close();
  });

  test("is used from the first attempt on that fails", async () => {
    const silent = await startFaultProxy(`127.0.0.1:${sluice.port}`);
    silent.set({ stall: true });
    const fallback = createConnectTransport({ baseUrl: sluice.http, httpVersion: "1.1" });
    const url = `ws://${silent.address}`;
    const backoff = { initialMs: 600_000, maxMs: 600_000 };
    const { client, transport } = connect({ url, fallback, backoff, connectTimeoutMs: 50 });
    const waiting = stateOf(transport, "waiting");
    const replies = client.repeat({ text: "b", count: 1 })[Symbol.asyncIterator]();
    const [said, heard] = await Promise.all([client.say({ text: "a" }), replies.next()]);
    assert.deepEqual([said.text, heard.value?.text], ["a", "b"]);
    const state = await waiting;
    assert.equal(state.kind === "waiting" ? state.failures : 0, 1);
    assert.equal((await client.say({ text: "c" })).text, "c");
    transport.close();
    await silent.close();
  });

  test("is used at once where the platform allows no WebSocket", async () => {
    class Forbidden extends EventWebSocket {
      constructor() {
        super("not a URL");
      }
    }
    const backoff = { initialMs: 600_000, maxMs: 600_000 };
    const fallback = createConnectTransport({ baseUrl: sluice.http, httpVersion: "1.1" });
    const { client, transport } = connect({ webSocket: Forbidden, fallback, backoff });
    assert.equal((await client.say({ text: "over HTTP" }, { timeoutMs: 10_000 })).text, "over HTTP");
    transport.close();
  });

  test("does not hold a deadline up, which counts from the call on", async () => {
    const fallback = noTransport;
    const silent = await startFaultProxy(`127.0.0.1:${sluice.port}`);
    silent.set({ stall: true });
    const { client, transport } = connect({ url: `ws://${silent.address}`, fallback, defaultTimeoutMs: 30 });
    assert.equal((await failure(client.say({ text: "a" }))).code, Code.DeadlineExceeded);
    assert.equal((await failure(client.say({ text: "a" }, { timeoutMs: 20 }))).code, Code.DeadlineExceeded);
    const replies = client.converse(onePost())[Symbol.asyncIterator]();
    assert.equal((await failure(replies.next())).code, Code.DeadlineExceeded);
    assert.equal(transport.connection.state.kind, "connecting");
    transport.close();
    await silent.close();
  });

  test("makes no call once the transport is closed", async () => {
    const blocker = await startBlocker();
    const { client, transport } = connect({ url: blocker.url, fallback: noTransport, failFastAfter: 1 });
    const failing = stateOf(transport, "waiting");
    transport.connection.connect();
    await failing;
    transport.close();
    const error = await failure(client.say({ text: "a" }));
    assert.match(error.message, /the client closed the connection/);
    blocker.close();
  });

  test("does not keep a caller who does not wait", async () => {
    const fallback = noTransport;
    const silent = await startFaultProxy(`127.0.0.1:${sluice.port}`);
    silent.set({ stall: true });
    const { client, transport } = connect({ url: `ws://${silent.address}`, fallback });
    const controller = new AbortController();
    const call = failure(client.say({ text: "a" }, { signal: controller.signal }));
    controller.abort();
    assert.equal((await call).code, Code.Canceled);
    const aborted = failure(client.say({ text: "a" }, { signal: controller.signal }));
    assert.equal((await aborted).code, Code.Canceled);
    transport.close();
    await silent.close();
  });
});
