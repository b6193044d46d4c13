import assert from "node:assert/strict";
import type { ServerHttp2Stream } from "node:http2";
import { after, before, describe, test } from "node:test";
import { createHttp2Backend, type Http2Backend } from "@sluice/rpc";
import { startEchoServer, type EchoServer } from "@sluice/testkit";
import { converse, eventually, message, method, open, run, say } from "./harness.ts";
import { answer, framed, grpcHeaders, startScriptedServer } from "./scripted-server.ts";

const hello = message([1, "hello"]);
const messageBytes = 16_000;

/** Time enough for a flood, counted in round trips and not in seconds. */
async function roundTrips(backend: Http2Backend, count: number): Promise<void> {
  for (let index = 0; index < count; index++) await run(backend, say, [hello]);
}

describe("a call whose listener is slow", () => {
  let server: EchoServer;
  let backend: Http2Backend;
  before(async () => {
    server = await startEchoServer();
    backend = createHttp2Backend(server.address);
  });
  after(async () => {
    await backend.close(0);
    await server.close();
  });

  const flood = method("Send", "server_streaming");

  test("makes the server wait, and nobody else", async () => {
    const started = server.calls.started;
    const { call, heard } = open(backend, flood);
    heard.onMessage = () => call.pause();
    call.send(message([1, messageBytes]));
    call.halfClose();
    await heard.until(({ messages }) => messages.length > 0);
    await roundTrips(backend, 20);
    const sent = server.calls.records[started]?.sent ?? 0;
    const received = heard.messages.length;
    await roundTrips(backend, 50);
    assert.equal(heard.messages.length, received, "a paused call goes on receiving");
    assert.equal(server.calls.records[started]?.sent, sent, "the server goes on sending");
    assert.ok(sent * messageBytes < 1_000_000, `${sent} messages under way to a paused call`);

    heard.onMessage = () => {};
    call.resume();
    await heard.until(({ messages }) => messages.length >= 200);
    call.cancel();
    await server.calls.until(({ records }) => records[started]?.state === "cancelled");
  });

  test("may pause before there is an answer", async () => {
    const { call, heard } = open(backend, flood);
    call.pause();
    call.send(message([1, messageBytes], [2, 100]));
    call.halfClose();
    await heard.until(({ received }) => received !== undefined);
    await roundTrips(backend, 20);
    assert.deepEqual(heard.events, ["headers"]);
    call.resume();
    assert.equal((await heard.ended()).code, 0);
    assert.equal(heard.messages.length, 100);
  });

  test("may pause and resume at every message without losing one", async () => {
    const { call, heard } = open(backend, flood);
    heard.onMessage = () => {
      call.pause();
      setImmediate(() => call.resume());
    };
    call.send(message([1, messageBytes], [2, 200]));
    call.halfClose();
    assert.equal((await heard.ended()).code, 0);
    assert.equal(heard.messages.length, 200);
  });

  test("does not keep its stream when all has arrived", async () => {
    const { call, heard } = open(backend, converse);
    call.send(hello);
    await heard.until(({ messages }) => messages.length === 1);
    call.pause();
    call.send(hello);
    call.halfClose();
    await heard.ended();
    assert.equal(heard.messages.length, 2);
    await eventually(() => backend.counters().openCalls === 0);
  });
});

describe("a call whose server reads slowly", () => {
  test("is told to wait, keeps a bounded buffer, and is told when to go on", async (context) => {
    let slow: ServerHttp2Stream | undefined;
    const server = await startScriptedServer((stream, headers) => {
      if (headers[":path"] === say.path) return answer(stream, framed(hello));
      slow = stream;
      stream.respond({ ...grpcHeaders });
    });
    context.after(() => server.close());
    const backend = createHttp2Backend(server.address);
    context.after(() => backend.close(0));

    const { call, heard } = open(backend, converse);
    await heard.until(({ received }) => received !== undefined);
    let sent = 0;
    const fill = async (): Promise<void> => {
      for (let goesOn = true; goesOn;) {
        goesOn = call.send(Buffer.alloc(1_000));
        sent += 1_005;
        if (sent % 10_050 === 0) await roundTrips(backend, 1);
      }
    };
    await fill();
    while (heard.events.includes("drain")) {
      heard.events.length = 0;
      await fill();
      await roundTrips(backend, 10);
    }
    await roundTrips(backend, 20);
    assert.ok(!heard.events.includes("drain"), "there is no room as long as the server does not read");
    assert.ok(sent < 400_000, `${sent} bytes for a server that reads none of them`);

    let received = 0;
    slow?.on("data", (chunk: Buffer) => (received += chunk.length));
    await heard.until(({ events }) => events.includes("drain"));
    call.halfClose();
    await eventually(() => received === sent);
    call.cancel();
  });

  test("is told when to go on also with a small buffer, after a message that waits for its turn", async (context) => {
    const server = await startEchoServer();
    context.after(() => server.close());
    const backend = createHttp2Backend(server.address, { sendBufferBytes: 10 });
    context.after(() => backend.close(0));
    const { call, heard } = open(backend, converse);
    for (let round = 1; round <= 5; round++) {
      assert.equal(call.send(message([1, Buffer.alloc(20_000)])), false);
      await heard.until(({ events }) => events.filter((event) => event === "drain").length === round);
    }
    call.halfClose();
    assert.equal((await heard.ended()).code, 0);
    assert.equal(heard.messages.length, 5);
  });

  test("may send a message that is larger than every buffer", async (context) => {
    const server = await startEchoServer();
    context.after(() => server.close());
    const backend = createHttp2Backend(server.address);
    context.after(() => backend.close(0));
    const { call, heard } = open(backend, method("Receive", "client_streaming"));
    assert.equal(call.send(message([1, Buffer.alloc(3_000_000)])), false);
    assert.equal(call.send(message([1, "small"])), false);
    call.halfClose();
    assert.equal((await heard.ended()).code, 0);
    assert.deepEqual(heard.messages[0]?.subarray(0, 2), Buffer.from([8, 2]));
  });
});

describe("a large response", () => {
  test("comes whole up to the maximum", async (context) => {
    const server = await startEchoServer();
    context.after(() => server.close());
    const backend = createHttp2Backend(server.address);
    context.after(() => backend.close(0));
    const size = 4 * 1024 * 1024 - 5;
    const heard = await run(backend, method("Large", "unary"), [message([1, size])]);
    assert.equal(heard.status?.code, 0, heard.status?.message);
    assert.equal(heard.messages[0]?.length, 4 * 1024 * 1024);
  });

  test("over the maximum ends the call with RESOURCE_EXHAUSTED, and the server's too", async (context) => {
    const server = await startEchoServer();
    context.after(() => server.close());
    const backend = createHttp2Backend(server.address);
    context.after(() => backend.close(0));
    const heard = await run(backend, method("Large", "unary"), [message([1, 4 * 1024 * 1024 - 4])]);
    assert.equal(heard.status?.code, 8);
    assert.match(heard.status.message, /4194305 bytes, more than the maximum of 4194304/);
    await eventually(() => backend.counters().openCalls === 0);
  });
});
