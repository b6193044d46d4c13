import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { WebSocket } from "ws";
import { converse, send, startTestGateway, type TestGateway } from "./support.ts";

let sluice: TestGateway;
before(async () => {
  sluice = await startTestGateway();
});
after(() => sluice.close());

async function opened(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url);
  await once(socket, "open");
  return socket;
}

async function nextMessage(socket: WebSocket): Promise<unknown> {
  const [data] = (await once(socket, "message")) as [Buffer];
  return JSON.parse(data.toString());
}

describe("the four kinds of calls over a WebSocket, with the npm client ws", () => {
  test("unary: the body as a message, the bare reply, a clean close", async () => {
    assert.deepEqual(await converse(`${sluice.ws}/v1/say?method=POST`, ['{"text":"hello"}']), {
      messages: [{ text: "hello" }],
      code: 1000,
      reason: "",
    });
  });

  test("unary: a rule without a body needs no message, and takes the one that old clients send", async () => {
    const expected = { messages: [{ text: "hello" }], code: 1000, reason: "" };
    assert.deepEqual(await converse(`${sluice.ws}/v1/say/hello`, []), expected);
    assert.deepEqual(await converse(`${sluice.ws}/v1/say/hello`, ["{}"]), expected);
  });

  test("server streaming: a message for each result", async () => {
    const { messages, code } = await converse(`${sluice.ws}/v1/repeat/hi?count=3`, []);
    assert.deepEqual(messages, [
      { result: { text: "hi" } },
      { result: { text: "hi", index: 1 } },
      { result: { text: "hi", index: 2 } },
    ]);
    assert.equal(code, 1000);
  });

  test("client streaming: an empty message is the half-close", async () => {
    assert.deepEqual(
      await converse(`${sluice.ws}/v1/collect?method=POST`, ['{"text":"a"}', '{"text":"b"}', ""]),
      {
        messages: [{ texts: ["a", "b"] }],
        code: 1000,
        reason: "",
      },
    );
  });

  test("bidirectional streaming: answers come between the questions", async () => {
    const socket = await opened(`${sluice.ws}/v1/converse?method=POST`);
    for (const [index, text] of ["one", "two", "three"].entries()) {
      socket.send(JSON.stringify({ text }));
      assert.deepEqual(await nextMessage(socket), { result: index === 0 ? { text } : { text, index } });
    }
    socket.send("");
    const [code] = (await once(socket, "close")) as [number];
    assert.equal(code, 1000);
  });

  test("a path that GET is not bound to needs no ?method=", async () => {
    assert.deepEqual((await converse(`${sluice.ws}/v1/say`, ['{"text":"x"}'])).messages, [{ text: "x" }]);
  });

  test("a method without an HTTP rule has its gRPC path", async () => {
    const { messages, code } = await converse(`${sluice.ws}/sluice.test.v1.Echo/Receive`, [
      '{"data":"AAAA"}',
      '{"data":"AA=="}',
      "",
    ]);
    assert.deepEqual([messages, code], [[{ messages: "2", bytes: "4" }], 1000]);
  });
});

describe("messages of the client", () => {
  test("are one stream of JSON, however they are cut, text or binary", async () => {
    const { messages } = await converse(`${sluice.ws}/v1/collect`, [
      '{"text":',
      '"a"}{"text":"b"}{"te',
      Buffer.from('xt":"c"}'),
      "",
    ]);
    // The piece `{"te` + newline + `xt"` would put a newline into a string, as it does in grpc-websocket-proxy.
    assert.deepEqual((messages[0] as { code: number }).code, 3);
    const whole = await converse(`${sluice.ws}/v1/collect`, [
      '{"text":',
      '"a"}{"text":"b"}',
      Buffer.from('{"text":"c"}'),
      "",
    ]);
    assert.deepEqual(whole.messages, [{ texts: ["a", "b", "c"] }]);
  });

  test("that are not JSON end the call with INVALID_ARGUMENT and a close code of their own", async () => {
    const { messages, code, reason } = await converse(`${sluice.ws}/v1/converse`, ["{]"]);
    assert.equal((messages[0] as { error: { code: number } }).error.code, 3);
    assert.equal(code, 4003);
    assert.match(reason, /^INVALID_ARGUMENT: /);
  });

  test("that are white space mean nothing: with them, old clients keep a socket alive", async () => {
    const { messages } = await converse(`${sluice.ws}/v1/collect`, [" ", '{"text":"a"}', "\n", ""]);
    assert.deepEqual(messages, [{ texts: ["a"] }]);
  });

  test("that a unary method cannot take are refused", async () => {
    const { messages, code } = await converse(`${sluice.ws}/sluice.test.v1.Echo/Sleep`, ["{}", "{}"]);
    assert.match((messages[0] as { message: string }).message, /takes one message only/);
    assert.equal(code, 4003);
  });

  test("after the half-close are refused, but not another half-close", async () => {
    const socket = await opened(`${sluice.ws}/sluice.test.v1.Echo/Sleep`);
    socket.send("");
    socket.send("");
    socket.send("{}");
    const [code, reason] = (await once(socket, "close")) as [number, Buffer];
    assert.equal(code, 4003);
    assert.match(reason.toString(), /after the empty one/);
  });

  test("of many texts at once are taken as fast as the backend takes them, and all", async () => {
    const count = 200_000;
    const { messages, code } = await converse(`${sluice.ws}/sluice.test.v1.Echo/Receive`, [
      "{}".repeat(count),
      "{}{}",
      "",
    ]);
    assert.deepEqual([messages, code], [[{ messages: String(count + 2) }], 1000]);
  });

  test("over the limit end the call with RESOURCE_EXHAUSTED or 1009", async () => {
    const pieces = Array.from({ length: 5 }, () => "x".repeat(1024 * 1024));
    const inPieces = await converse(`${sluice.ws}/v1/collect`, ['{"text":"', ...pieces]);
    assert.equal(inPieces.code, 4008);
    assert.match(inPieces.reason, /4194304/);
    const inOne = await converse(`${sluice.ws}/v1/collect`, ["x".repeat(5 * 1024 * 1024)]);
    assert.equal(inOne.code, 1009);
  });
});

describe("the end of a call", () => {
  test("a failed unary call is a bare status and a close code", async () => {
    const status = { code: 5, message: "no such thing", details: [] };
    assert.deepEqual(await converse(`${sluice.ws}/v1/fail`, [JSON.stringify({ status })]), {
      messages: [status],
      code: 4005,
      reason: "NOT_FOUND: no such thing",
    });
  });

  test("a stream that fails ends with an error message", async () => {
    const status = { code: 8, message: "é".repeat(200), details: [] };
    const { messages, code, reason } = await converse(`${sluice.ws}/v1/fail-later`, [
      JSON.stringify({ status, after: 2 }),
    ]);
    assert.equal(messages.length, 3);
    assert.deepEqual(messages[2], { error: status });
    assert.equal(code, 4008);
    assert.ok(Buffer.byteLength(reason) <= 123 && reason.endsWith("é"));
  });

  test("a client that leaves cancels the backend's call within a second", async () => {
    for (const leave of [(socket: WebSocket) => socket.close(), (socket: WebSocket) => socket.terminate()]) {
      const { cancelled, open } = sluice.echo.calls;
      const socket = await opened(`${sluice.ws}/v1/repeat/x?count=0&intervalMs=1`);
      await nextMessage(socket);
      assert.equal(sluice.echo.calls.open, open + 1);
      leave(socket);
      await sluice.echo.calls.until((calls) => calls.cancelled === cancelled + 1, 1000);
    }
  });

  test("a client that is gone without a word is found out, and its call cancelled", async () => {
    const own = await startTestGateway({ heartbeat: { intervalMs: 20, patienceMs: 20 } });
    const silent = new WebSocket(`${own.ws}/v1/converse`, { autoPong: false });
    const alive = new WebSocket(`${own.ws}/v1/converse`);
    silent.on("error", () => undefined);
    await Promise.all([once(silent, "open"), once(alive, "open")]);
    const closed = once(silent, "close") as Promise<[number]>;
    await own.echo.calls.until((calls) => calls.started === 2 && calls.open === 1);
    const [code] = await closed;
    assert.equal(code, 1006);
    alive.send('{"text":"still here"}');
    assert.deepEqual(await nextMessage(alive), { result: { text: "still here" } });
    await own.close();
  });

  test("a slow reader holds the backend back, and loses nothing", async () => {
    const socket = await opened(`${sluice.ws}/sluice.test.v1.Echo/Send`);
    socket.pause();
    socket.send(JSON.stringify({ size: 64 * 1024, count: 1000 }));
    const record = () => sluice.echo.calls.records.findLast(({ path }) => path.endsWith("/Send"));
    await sluice.echo.calls.until(() => (record()?.sent ?? 0) > 10);
    // The server stops when every buffer on the way is full. Meanwhile, other calls have room and time.
    for (let call = 0; call < 50; call++) await send(`${sluice.http}/v1/say/x`);
    assert.ok(
      (record()?.sent ?? 0) < 500,
      `${record()?.sent} messages were sent to a client that reads none`,
    );
    let received = 0;
    socket.on("message", () => received++);
    socket.resume();
    const [code] = (await once(socket, "close")) as [number];
    assert.deepEqual([received, code], [1000, 1000]);
  });

  test("a slow backend holds the client back", async () => {
    const socket = await opened(`${sluice.ws}/sluice.test.v1.Echo/Receive`);
    const text = JSON.stringify({ data: Buffer.alloc(48 * 1024).toString("base64") });
    for (let sent = 0; sent < 500; sent++) socket.send(text);
    socket.send("");
    assert.deepEqual(await nextMessage(socket), { messages: "500", bytes: String(500 * 48 * 1024) });
  });
});
