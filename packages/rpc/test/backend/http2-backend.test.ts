import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { constants } from "node:http2";
import { after, before, describe, test } from "node:test";
import { createHttp2Backend, createStatus, type Http2Backend, type Metadata } from "@sluice/rpc";
import { startEchoServer, type EchoServer } from "@sluice/testkit";
import { FakeClock } from "@sluice/testkit/fake-clock";
import { collect, converse, eventually, message, method, open, repeat, run, say, sleep } from "./harness.ts";
import { answer, framed, startScriptedServer } from "./scripted-server.ts";

const map = (entries: Record<string, string>): Uint8Array[] =>
  Object.entries(entries).map(([key, value]) => message([1, key], [2, value]));

const plain = (metadata: Metadata | undefined): object => ({ ...metadata });

describe("an HTTP/2 backend and a grpc-js server", () => {
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

  test("make a unary call", async () => {
    const heard = await run(backend, say, [message([1, "hello"])]);
    assert.deepEqual(heard.texts, ["hello"]);
    assert.deepEqual(heard.status, { code: 0, message: "OK" });
    assert.deepEqual(heard.events, ["headers", "message", "end"]);
  });

  test("make a server-streaming call", async () => {
    const heard = await run(backend, repeat, [message([1, "again"], [2, 3])]);
    assert.deepEqual(heard.texts, ["again", "again", "again"]);
    assert.equal(heard.status?.code, 0);
  });

  test("make a client-streaming call", async () => {
    const heard = await run(backend, collect, [message([1, "a"]), message([1, "b"])]);
    assert.deepEqual(heard.messages.map(String), ["\n\x01a\n\x01b"]);
    assert.equal(heard.status?.code, 0);
  });

  test("make a bidirectional call, message by message", async () => {
    const { call, heard } = open(backend, converse);
    for (const text of ["one", "two", "three"]) {
      const already = heard.messages.length;
      call.send(message([1, text]));
      await heard.until(({ messages }) => messages.length > already);
    }
    call.halfClose();
    assert.equal((await heard.ended()).code, 0);
    assert.deepEqual(heard.texts, ["one", "two", "three"]);
  });

  test("make a stream without a message", async () => {
    const heard = await run(backend, converse, []);
    assert.deepEqual(heard.messages, []);
    assert.equal(heard.status?.code, 0);
  });

  test("carry empty messages", async () => {
    const heard = await run(backend, converse, [message(), message()]);
    assert.equal(heard.messages.length, 2);
  });

  test("make 200 calls at once on one connection", async () => {
    const calls = await Promise.all(
      Array.from({ length: 200 }, (_, index) => run(backend, say, [message([1, `call ${index}`])])),
    );
    for (const [index, heard] of calls.entries()) assert.deepEqual(heard.texts, [`call ${index}`]);
    assert.equal(server.connections.accepted, 1);
    assert.equal(backend.counters().connections, 1);
  });

  test("carry metadata in all directions, several values and binary ones included", async () => {
    const request = message(
      ...map({ "x-head": "first", "x-head-bin": "AAEC" }).map((entry) => [1, entry] as const),
      ...map({ "x-trail": "last", "x-trail-bin": "/w==" }).map((entry) => [2, entry] as const),
    );
    const metadata = { "x-many": ["1", "2"], "x-req-bin": "3q2+7w", authorization: "Bearer t" };
    const heard = await run(backend, method("Metadata", "unary"), [request], { metadata });
    assert.equal(heard.status?.code, 0);
    const reply = Buffer.from(heard.messages[0] ?? []).toString("latin1");
    assert.match(reply, /x-many.*1.*2/s);
    assert.match(reply, /authorization.*Bearer t/s);
    assert.match(reply, /x-req-bin.*3q2\+7w==/s);
    const { date: _date, ...headers } = plain(heard.received) as Record<string, string>;
    assert.deepEqual(headers, { "x-head": "first", "x-head-bin": "AAEC" });
    assert.deepEqual(plain(heard.trailers), { "x-trail": "last", "x-trail-bin": "/w==" });
  });

  test("say who they are", async () => {
    const heard = await run(backend, method("Metadata", "unary"), [message()], {
      metadata: { "user-agent": "forged" },
    });
    const manifest = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
    const { version } = JSON.parse(manifest) as { version: string };
    const reply = Buffer.from(heard.messages[0] ?? []).toString("latin1");
    assert.ok(reply.includes(`grpc-node-sluice/${version}`), reply);
    assert.equal(server.calls.records.at(-1)?.authority, server.address);
  });

  test("end with the status, details and trailers of the server", async () => {
    const detail = message([1, "type.googleapis.com/google.rpc.ErrorInfo"], [2, message([1, "WHY"])]);
    const status = message([1, 5], [2, "no such 50 % of the örders"], [3, detail]);
    const request = message([1, status], [2, map({ "x-trail": "last" })[0] as Uint8Array]);
    const heard = await run(backend, method("Fail", "unary"), [request]);
    assert.equal(heard.status?.code, 5);
    assert.equal(heard.status.message, "no such 50 % of the örders");
    assert.deepEqual(heard.status.details, status);
    assert.equal(heard.trailers?.["x-trail"], "last");
    assert.deepEqual(heard.messages, []);
  });

  test("end with an error after messages", async () => {
    const request = message([1, message([1, 10], [2, "aborted"])], [3, 2]);
    const heard = await run(backend, method("FailLater", "server_streaming"), [request]);
    assert.equal(heard.messages.length, 2);
    assert.deepEqual(heard.status, { code: 10, message: "aborted" });
  });

  test("end with UNIMPLEMENTED for a method that the server does not have", async () => {
    const heard = await run(backend, method("Nothing", "unary"), [message()]);
    assert.equal(heard.status?.code, 12);
  });

  test("tell the server the deadline, and keep it themselves", async () => {
    const started = server.calls.started;
    const { call, heard } = open(backend, sleep, { timeout: 100 });
    call.send(message());
    call.halfClose();
    assert.equal((await heard.ended()).code, 4);
    assert.match(
      heard.status?.message ?? "",
      /the deadline of 100 ms passed before the answer of .*127\.0\.0\.1/,
    );
    await server.calls.until(({ records }) => records[started]?.state === "cancelled");
  });

  test("send the time that is left", async () => {
    const heard = await run(backend, method("Metadata", "unary"), [message()], { timeout: 60_000 });
    const reply = Buffer.from(heard.messages[0] ?? []);
    const left = reply.readDoubleLE(reply.length - 8);
    assert.ok(left > 50_000 && left <= 60_000, `${left} ms`);
  });

  test("set no deadline of their own", async () => {
    const heard = await run(backend, method("Metadata", "unary"), [message()]);
    assert.ok(!Buffer.from(heard.messages[0] ?? []).includes("grpc-timeout"));
  });

  for (const timeout of [0, -5, Number.NaN]) {
    test(`end a call with a timeout of ${timeout} without the server`, async () => {
      const { started } = server.calls;
      const { call, heard } = open(backend, say, { timeout });
      assert.equal(heard.status, undefined, "nothing is told before open has returned");
      call.send(message());
      assert.equal((await heard.ended()).code, 4);
      assert.equal(server.calls.started, started);
    });
  }

  test("cancel a call, and the server sees it", async () => {
    const started = server.calls.started;
    const { call, heard } = open(backend, repeat);
    call.send(message([1, "on and on"], [3, 5]));
    call.halfClose();
    await heard.until(({ messages }) => messages.length > 0);
    call.cancel();
    assert.deepEqual(heard.status, { code: 1, message: "the call was cancelled" });
    const { length } = heard.events;
    await server.calls.until(({ records }) => records[started]?.state === "cancelled");
    assert.equal(heard.events.length, length, "nothing is told after the end");
  });

  test("cancel a call with a status of its own, before the server has it", async () => {
    const { call, heard } = open(backend, say);
    call.cancel(createStatus(8, "too much"));
    assert.deepEqual(heard.status, { code: 8, message: "too much" });
  });

  test("ignore everything after the end", async () => {
    const { call, heard } = open(backend, say);
    call.send(message([1, "x"]));
    call.halfClose();
    await heard.ended();
    const events = [...heard.events];
    assert.equal(call.send(message()), false);
    call.halfClose();
    call.pause();
    call.resume();
    call.cancel();
    assert.equal((await run(backend, say, [message()])).status?.code, 0);
    assert.deepEqual(heard.events, events);
  });

  test("refuse a message after the half-close", async () => {
    const { call, heard } = open(backend, collect);
    call.send(message([1, "a"]));
    call.halfClose();
    assert.equal(call.send(message([1, "b"])), false);
    assert.equal((await heard.ended()).code, 0);
    assert.deepEqual(heard.messages.map(String), ["\n\x01a"]);
  });

  test("leave no call open", async () => {
    await server.calls.until(({ open: running }) => running === 0);
    await eventually(() => backend.counters().openCalls === 0);
    assert.deepEqual(backend.counters(), { openCalls: 0, waitingCalls: 0, connections: 1 });
  });
});

test("a deadline may be further away than a timer of Node reaches", async (context) => {
  const timeouts: unknown[] = [];
  const server = await startScriptedServer((stream, headers) => {
    timeouts.push(headers["grpc-timeout"]);
    // Long enough for a timer that overflowed, which fires after 1 ms.
    setTimeout(() => answer(stream, framed(message([1, "hello"]))), 20);
  });
  context.after(() => server.close());
  const far = createHttp2Backend(server.address);
  context.after(() => far.close(0));
  const heard = await run(far, say, [message()], { timeout: 40 * 86_400_000 });
  assert.equal(heard.status?.code, 0, heard.status?.message);
  assert.deepEqual(timeouts, [`${40 * 86_400}S`]);
});

test("a server that ends a call at its deadline first, as grpc-go does, is not taken for one that was not connected", async (context) => {
  const timers = new FakeClock();
  let ahead = 0;
  const clock = { now: () => timers.now() + ahead, after: timers.after.bind(timers) };
  const server = await startScriptedServer((stream) => {
    ahead = 100;
    stream.close(constants.NGHTTP2_CANCEL);
  });
  context.after(() => server.close());
  const backend = createHttp2Backend(server.address, { clock });
  context.after(() => backend.close(0));
  const { status } = await run(backend, say, [message()], { timeout: 100 });
  assert.equal(status?.code, 4);
  assert.match(
    status.message,
    /^the deadline of 100 ms passed before the answer of the backend 127\.0\.0\.1:/,
  );
});
