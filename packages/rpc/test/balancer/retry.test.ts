import assert from "node:assert/strict";
import { constants, type ServerHttp2Stream } from "node:http2";
import { describe, test, type TestContext } from "node:test";
import { Code } from "@sluice/protocol";
import type { BalancedBackend, BalancedBackendOptions, Metadata } from "@sluice/rpc";
import { FakeClock } from "@sluice/testkit/fake-clock";
import { collect, converse, eventually, message, open, repeat, run, say } from "../backend/harness.ts";
import {
  answer,
  framed,
  grpcHeaders,
  startScriptedServer,
  type Script,
  type ScriptedServer,
} from "../backend/scripted-server.ts";
import { allUsable, balance } from "./servers.ts";

const hello = message([1, "hello"]);
const soon = { initialMs: 1 };

/** Ends a call without an answer. */
function refuse(stream: ServerHttp2Stream, code: Code = Code.UNAVAILABLE, trailers: Metadata = {}): void {
  const values = { "grpc-status": String(code), "grpc-message": "not now", ...trailers };
  stream.respond({ ...grpcHeaders, ...values }, { endStream: true });
  stream.resume();
}

/** The streams of both servers, in the order in which they came. */
interface Pair {
  readonly backend: BalancedBackend;
  readonly servers: readonly [ScriptedServer, ScriptedServer];
  /** Which server got each stream. */
  readonly order: number[];
  readonly headers: Metadata[];
}

/** Two servers; the scripts are what happens to the first stream, the second and so on, wherever it comes. */
async function pair(
  context: TestContext,
  scripts: readonly Script[],
  options: BalancedBackendOptions = { retry: soon },
): Promise<Pair> {
  const order: number[] = [];
  const headers: Metadata[] = [];
  const start = (index: number): Promise<ScriptedServer> =>
    startScriptedServer((stream, given) => {
      order.push(index);
      headers.push(given as Metadata);
      const script = scripts[order.length - 1] ?? scripts.at(-1);
      script?.(stream, given);
    });
  const servers: readonly [ScriptedServer, ScriptedServer] = [await start(0), await start(1)];
  for (const server of servers) context.after(() => server.close());
  const backend = balance(
    context,
    servers.map(({ address }) => address),
    { random: () => 0.5, ...options },
  );
  await allUsable(backend, 2);
  return { backend, servers, order, headers };
}

const fine: Script = (stream) => {
  stream.resume();
  stream.on("end", () => answer(stream, framed(hello)));
};

const cut: Script = (stream) => stream.session?.destroy();

/** Sends a message, and the connection is lost before its status. */
const cutAfterReply: Script = (stream) => {
  stream.respond({ ...grpcHeaders });
  stream.write(framed(hello), () => setImmediate(() => stream.session?.destroy()));
};

const reset: Script = (stream) => stream.close(constants.NGHTTP2_REFUSED_STREAM);

const broken: Script = (stream) => stream.close(constants.NGHTTP2_INTERNAL_ERROR);

/** Ends a call without an answer, and says when it may come again. */
function pushBack(ms: string): Script {
  return (stream) => refuse(stream, Code.UNAVAILABLE, { "grpc-retry-pushback-ms": ms });
}

/** A call whose first attempt was refused, while it waits for the second. */
async function resting(context: TestContext) {
  const clock = new FakeClock();
  const made = await pair(context, [(stream) => refuse(stream), fine], { retry: {}, clock });
  const opened = open(made.backend, say);
  opened.call.send(hello);
  opened.call.halfClose();
  await eventually(() => clock.pending.includes(25));
  return { ...made, ...opened, clock };
}

describe("a call that ended with UNAVAILABLE", () => {
  test("is made again on another address, which is told so", async (context) => {
    const { backend, order, headers } = await pair(context, [(stream) => refuse(stream), fine]);
    const { status, texts, events } = await run(backend, say, [hello], { metadata: { a: "1" } });
    assert.deepEqual([status?.code, texts, events], [Code.OK, ["hello"], ["headers", "message", "end"]]);
    assert.notEqual(order[0], order[1]);
    assert.deepEqual(
      headers.map((each) => each["grpc-previous-rpc-attempts"]),
      [undefined, "1"],
    );
    assert.equal(headers[1]?.["a"], "1");
    assert.equal(backend.counters().retries, 1);
  });

  test("is told as the last server said it, when there are no attempts left", async (context) => {
    const trailers = { "x-reason": "full" };
    const { backend, order } = await pair(context, [(stream) => refuse(stream, Code.UNAVAILABLE, trailers)]);
    const heard = await run(backend, say, [hello]);
    assert.deepEqual([heard.status?.message, heard.events], ["not now", ["end"]]);
    assert.equal(heard.trailers?.["x-reason"], "full");
    assert.equal(order.length, 3);
  });

  test("counts as unprocessed only when no attempt can have been looked at", async (context) => {
    const untouched = await pair(context, [reset]);
    assert.equal((await run(untouched.backend, say, [hello])).status?.isUnprocessed, true);
    const refusedOnce = await pair(context, [(stream) => refuse(stream), reset]);
    const { status } = await run(refusedOnce.backend, say, [hello]);
    assert.deepEqual([status?.code, status?.isUnprocessed], [Code.UNAVAILABLE, undefined]);
  });

  test("is not made again without the option", async (context) => {
    const { backend, order } = await pair(context, [(stream) => refuse(stream), fine], {});
    assert.equal((await run(backend, say, [hello])).status?.code, Code.UNAVAILABLE);
    assert.equal(order.length, 1);
  });

  test("is not made again where the method is left out", async (context) => {
    const retry = { ...soon, when: ({ name }: { name: string }) => name !== "Say" };
    const { backend, order } = await pair(context, [(stream) => refuse(stream)], { retry });
    await run(backend, say, [hello]);
    assert.equal(order.length, 1);
  });

  test("is not made again when the budget is spent", async (context) => {
    const retry = { ...soon, budgetTokens: 4 };
    const { backend, order } = await pair(context, [(stream) => refuse(stream)], { retry });
    await run(backend, say, [hello]);
    assert.equal(order.length, 2);
    assert.deepEqual([backend.counters().retries, backend.counters().refusedRetries], [1, 1]);
  });

  test("is not made again when its deadline comes before", async (context) => {
    const { backend, order } = await pair(context, [(stream) => refuse(stream)], {
      retry: { initialMs: 5_000, maxMs: 5_000 },
    });
    const { status } = await run(backend, say, [hello], { timeout: 2_000 });
    assert.deepEqual([status?.message, order.length], ["not now", 1]);
  });

  test("is made again with what its deadline leaves", async (context) => {
    const clock = new FakeClock();
    const { backend, headers } = await pair(context, [(stream) => refuse(stream), fine], {
      retry: {},
      clock,
    });
    const { heard, call } = open(backend, say, { timeout: 1_000 });
    call.send(hello);
    call.halfClose();
    await eventually(() => clock.pending.includes(25));
    clock.advance(25);
    assert.equal((await heard.ended()).code, Code.OK);
    assert.deepEqual(
      headers.map((each) => each["grpc-timeout"]),
      ["1000m", "975m"],
    );
  });

  test("is made again when the server wants it, and not before", async (context) => {
    const clock = new FakeClock();
    const { backend, order } = await pair(context, [pushBack("700"), fine], { retry: {}, clock });
    const { heard, call } = open(backend, say);
    call.send(hello);
    call.halfClose();
    await eventually(() => clock.pending.includes(700));
    clock.advance(699);
    assert.equal(order.length, 1);
    clock.advance(1);
    assert.equal((await heard.ended()).code, Code.OK);
  });

  test("is not made again when the server does not want it", async (context) => {
    const { backend, order } = await pair(context, [pushBack("-1")]);
    assert.equal((await run(backend, say, [hello])).status?.code, Code.UNAVAILABLE);
    assert.equal(order.length, 1);
  });

  for (const code of [Code.INTERNAL, Code.RESOURCE_EXHAUSTED, Code.ABORTED] as const) {
    test(`is another than one that ended with ${code}, which is not made again`, async (context) => {
      const { backend, order } = await pair(context, [(stream) => refuse(stream, code)]);
      assert.equal((await run(backend, say, [hello])).status?.code, code);
      assert.equal(order.length, 1);
    });
  }
});

describe("a call whose connection was lost", () => {
  test("is made again with its request", async (context) => {
    const { backend, order } = await pair(context, [cut, fine]);
    assert.deepEqual((await run(backend, repeat, [hello])).texts, ["hello"]);
    assert.equal(order.length, 2);
  });

  test("is not made again when something of its answer was heard", async (context) => {
    const { backend, order } = await pair(context, [cutAfterReply, fine]);
    const { status, texts } = await run(backend, repeat, [hello]);
    assert.deepEqual([status?.code, texts, order.length], [Code.UNAVAILABLE, ["hello"], 1]);
  });

  test("is made again when only its status is missing, and its answer heard once", async (context) => {
    const { backend } = await pair(context, [cutAfterReply, fine]);
    const { status, texts, events } = await run(backend, say, [hello]);
    assert.deepEqual([status?.code, texts, events], [Code.OK, ["hello"], ["headers", "message", "end"]]);
  });

  test("is made again with several messages, those among them that came meanwhile", async (context) => {
    const { backend, order, servers } = await pair(context, [cut, fine], { retry: { initialMs: 20 } });
    const { call, heard } = open(backend, collect);
    call.send(hello);
    await eventually(() => order.length === 1);
    await eventually(() => backend.addresses().some(({ isUsable }) => !isUsable));
    call.send(hello);
    call.halfClose();
    assert.equal((await heard.ended()).code, Code.OK);
    const streams = servers.flatMap(({ streams: each }) => each);
    assert.equal(streams.length, 2);
  });

  test("is not made again when its request is more than is kept", async (context) => {
    const { backend, order } = await pair(context, [cut, fine], { retry: { ...soon, bufferBytes: 100 } });
    const { call, heard } = open(backend, converse);
    for (let i = 0; i < 3; i++) call.send(new Uint8Array(40));
    assert.equal((await heard.ended()).code, Code.UNAVAILABLE);
    assert.equal(order.length, 1);
  });

  test("fails with what happened when no other address is there", async (context) => {
    const server = await startScriptedServer(cut);
    context.after(() => server.close());
    const backend = balance(context, [server.address], { retry: soon });
    const { status } = await run(backend, say, [hello]);
    assert.match(status?.message ?? "", /the connection to the backend 127.+ was lost/);
  });
});

describe("a call between two attempts", () => {
  test("ends when it is cancelled", async (context) => {
    const { call, heard, clock, order } = await resting(context);
    call.cancel();
    assert.deepEqual([heard.status?.code, heard.events], [Code.CANCELLED, ["end"]]);
    clock.advance(25);
    assert.equal(order.length, 1);
  });

  test("ends with what the server said when the gateway shuts down", async (context) => {
    const { backend, heard } = await resting(context);
    const closed = backend.close(5_000);
    assert.equal(heard.status?.message, "not now");
    await closed;
  });
});

describe("what a call tells about its address", () => {
  test("is nothing when the client ended it", async (context) => {
    const { backend } = await pair(context, [(stream) => stream.resume()], {
      outlier: { consecutiveFailures: 1 },
    });
    const { call, heard } = open(backend, say);
    call.cancel({ code: Code.UNAVAILABLE, message: "the client is gone" });
    assert.equal(heard.status?.code, Code.UNAVAILABLE);
    assert.deepEqual(
      backend.addresses().map(({ failedCalls, isEjected, openCalls }) => [failedCalls, isEjected, openCalls]),
      [
        [0, false, 0],
        [0, false, 0],
      ],
    );
  });

  test("takes it out, and calls go to the others", async (context) => {
    const { backend, order } = await pair(context, [broken, fine], { outlier: { consecutiveFailures: 1 } });
    assert.equal((await run(backend, say, [hello])).status?.code, Code.INTERNAL);
    for (let i = 0; i < 4; i++) assert.equal((await run(backend, say, [hello])).status?.code, Code.OK);
    assert.equal(order.filter((index) => index === order[0]).length, 1);
  });

  test("takes no more than all of them out, which are then called all the same", async (context) => {
    const outlier = { consecutiveFailures: 1, maxEjectedShare: 1 };
    const { backend, order } = await pair(context, [broken], { outlier });
    for (let i = 0; i < 4; i++) assert.equal((await run(backend, say, [hello])).status?.code, Code.INTERNAL);
    assert.ok(backend.addresses().every(({ isEjected, isUsable }) => isEjected && isUsable));
    assert.equal(order.length, 4);
  });
});
