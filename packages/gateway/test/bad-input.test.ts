import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, describe, test } from "node:test";
import { startEchoServer } from "@sluice/testkit";
import { WebSocket } from "ws";
import { startCommand } from "./command.ts";
import { converse, send, startTestGateway, type TestGateway } from "./support.ts";

let sluice: TestGateway;
before(async () => {
  sluice = await startTestGateway({ rest: { strict: true } });
});
after(() => sluice.close());

const mebibyte = 1024 * 1024;

describe("the backend", () => {
  test("is not there at the start: said, tried again, calls get 503 with the reason until it is", async () => {
    const echo = await startEchoServer();
    const { port } = echo;
    await echo.close();
    const command = startCommand("serve", "--upstream", `127.0.0.1:${port}`, "--port", "0");
    const [url = ""] = await command.until(/http:\/\/127\.0\.0\.1:\d+/);
    await command.until(/gives no schema .*ECONNREFUSED.*trying again/);
    const refused = await send(`${url}/v1/say/hello`);
    assert.equal(refused.status, 503);
    assert.equal((refused.json as { code: number }).code, 14);
    assert.match((refused.json as { message: string }).message, /ECONNREFUSED/);
    const socket = new WebSocket(`${url.replace("http", "ws")}/v1/say/hello`);
    const [error] = (await once(socket, "error")) as [Error];
    assert.match(error.message, /503/);

    const again = await startEchoServer({ port });
    await command.until(/\d+ methods/);
    assert.deepEqual((await send(`${url}/v1/say/hello`)).json, { text: "hello" });
    command.process.kill("SIGTERM");
    assert.equal((await command.ended).code, 0);
    await again.close();
  });

  test("dies in mid-stream: UNAVAILABLE at once, over HTTP and over the WebSocket; and it may come back", async () => {
    const own = await startTestGateway();
    const streaming = send(`${own.http}/v1/repeat/x?count=0&intervalMs=1`);
    const socket = new WebSocket(`${own.ws}/v1/converse`);
    await once(socket, "open");
    socket.send('{"text":"x"}');
    await once(socket, "message");
    await own.echo.calls.until((calls) => calls.open === 2);
    const messages: unknown[] = [];
    socket.on("message", (data: Buffer) => messages.push(JSON.parse(data.toString())));
    const closed = once(socket, "close") as Promise<[number, Buffer]>;

    const { port } = own.echo;
    await own.echo.kill();
    const [code, reason] = await closed;
    assert.equal(code, 4014);
    assert.match(reason.toString(), /^UNAVAILABLE: /);
    assert.equal((messages.at(-1) as { error: { code: number } }).error.code, 14);
    const lines = (await streaming).text.trimEnd().split("\n");
    assert.equal((JSON.parse(lines.at(-1) ?? "") as { error: { code: number } }).error.code, 14);
    const without = await send(`${own.http}/v1/say/x`);
    assert.equal(without.status, 503);

    const again = await startEchoServer({ port });
    let answer = await send(`${own.http}/v1/say/x`);
    while (answer.status === 503) answer = await send(`${own.http}/v1/say/x`);
    assert.deepEqual(answer.json, { text: "x" });
    await own.gateway.close(0);
    await again.close();
  });

  test("sends a message over the limit: RESOURCE_EXHAUSTED with both sizes", async () => {
    const answer = await send(`${sluice.http}/v1/large/${5 * mebibyte}`);
    assert.equal(answer.status, 429);
    assert.match((answer.json as { message: string }).message, /4194304/);
  });
});

describe("the client", () => {
  test("sends a body over the limit without saying how long it is: 413, before the end", async () => {
    const socket = connect(sluice.port, "127.0.0.1");
    const piece = Buffer.concat([Buffer.from("4000\r\n"), Buffer.alloc(0x4000, "x"), Buffer.from("\r\n")]);
    socket.write("POST /v1/say HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n");
    for (let sent = 0; sent < 5 * mebibyte; sent += 0x4000) socket.write(piece);
    let answer = "";
    while (!answer.includes("}")) answer += ((await once(socket, "data")) as [Buffer])[0].toString();
    socket.destroy();
    assert.match(answer, /^HTTP\/1\.1 413 /);
    assert.equal((JSON.parse(answer.slice(answer.indexOf("{"))) as { code: number }).code, 8);
  });

  test("asks for a WebSocket that is refused, and is gone before the answer: nothing happens", async () => {
    for (const path of ["/nowhere", "/v1/say", "/v1/say?method=%1b"]) {
      const socket = connect(sluice.port, "127.0.0.1");
      await once(socket, "connect");
      await new Promise((resolve) =>
        socket.write(
          `GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n`,
          resolve,
        ),
      );
      socket.resetAndDestroy();
    }
    assert.equal((await send(`${sluice.http}/v1/say/x`)).status, 200);
  });

  test(
    "sends a form of 300,000 names that no field has: ignored, in no time",
    { timeout: 20_000 },
    async () => {
      const lenient = await startTestGateway();
      const form = Array.from({ length: 300_000 }, (_, index) => `n${index}=`).join("&");
      const headers = { "content-type": "application/x-www-form-urlencoded" };
      assert.deepEqual((await send(`${lenient.http}/v1/say`, "POST", `${form}&text=a`, headers)).json, {
        text: "a",
      });
      await lenient.close();
    },
  );

  test("may send exactly the limit", async () => {
    const frame = '{"text":""}'.length;
    const text = "x".repeat(4 * mebibyte - frame);
    assert.equal((await send(`${sluice.http}/v1/say`, "POST", { text })).status, 200);
  });

  test("leaves in mid-stream: the backend's call is cancelled within a second", async () => {
    const { cancelled } = sluice.echo.calls;
    const controller = new AbortController();
    const response = await fetch(`${sluice.http}/v1/repeat/x?count=0&intervalMs=1`, {
      signal: controller.signal,
    });
    await response.body?.getReader().read();
    controller.abort();
    await sluice.echo.calls.until((calls) => calls.cancelled === cancelled + 1, 1000);
  });

  test("leaves before its unary call is answered: the backend's call is cancelled within a second", async () => {
    const { cancelled, started } = sluice.echo.calls;
    const controller = new AbortController();
    const call = fetch(`${sluice.http}/sluice.test.v1.Echo/Sleep`, {
      method: "POST",
      signal: controller.signal,
    });
    await sluice.echo.calls.until((calls) => calls.started === started + 1);
    controller.abort();
    await assert.rejects(call);
    await sluice.echo.calls.until((calls) => calls.cancelled === cancelled + 1, 1000);
  });

  test("leaves in the middle of its body: no call is made", async () => {
    const { started } = sluice.echo.calls;
    const socket = connect(sluice.port, "127.0.0.1");
    socket.write("POST /v1/say HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{");
    await once(socket, "connect");
    socket.destroy();
    assert.equal((await send(`${sluice.http}/v1/say/x`)).status, 200);
    assert.equal(sluice.echo.calls.started, started + 1);
  });

  test("sends its first bytes one at a time: is understood", async () => {
    const socket = connect(sluice.port, "127.0.0.1");
    socket.setNoDelay(true);
    await once(socket, "connect");
    for (const byte of "PUT /v1/say HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n") {
      await new Promise((resolve) => socket.write(byte, resolve));
    }
    const [answer] = (await once(socket, "data")) as [Buffer];
    assert.match(answer.toString(), /^HTTP\/1\.1 405 /);
    socket.destroy();
  });

  test("is not quoted in the log", async () => {
    const echo = await startEchoServer();
    const command = startCommand("serve", "--upstream", echo.address, "--port", "0", "--strict");
    const [url = ""] = await command.until(/http:\/\/127\.0\.0\.1:\d+/);
    assert.equal((await send(`${url}/v1/books/x?full=secret1`)).status, 400);
    assert.equal((await send(`${url}/v1/books/x?secret2=1`)).status, 400);
    assert.equal((await send(`${url}/v1/say`, "POST", { secret3: 1 })).status, 400);
    const socket = new WebSocket(`${url.replace("http", "ws")}/v1/say/x?method=secret4`);
    await once(socket, "error");
    command.process.kill("SIGTERM");
    const { stderr } = await command.ended;
    assert.equal(stderr.match(/INVALID_ARGUMENT/g)?.length, 3);
    assert.doesNotMatch(stderr, /secret/i);
    await echo.close();
  });

  test("sends an unknown field without --strict: ignored, also over the WebSocket", async () => {
    const lenient = await startTestGateway();
    assert.deepEqual((await send(`${lenient.http}/v1/say`, "POST", { txet: 1, text: "a" })).json, {
      text: "a",
    });
    assert.deepEqual((await converse(`${lenient.ws}/v1/say`, ['{"txet":1,"text":"a"}'])).messages, [
      { text: "a" },
    ]);
    await lenient.close();
    const strict = await converse(`${sluice.ws}/v1/say`, ['{"txet":1}']);
    assert.equal(strict.code, 4003);
    assert.match(strict.reason, /txet/);
  });
});
