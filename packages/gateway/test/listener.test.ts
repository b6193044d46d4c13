import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { createServer as createHttp1Server } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { connect, type Socket } from "node:net";
import { afterEach, describe, test } from "node:test";
import type { ListenerLimits } from "../src/listener/limits.ts";
import { Listener, type ListenerHandlers } from "../src/listener/listener.ts";

let listener: Listener;
afterEach(async () => {
  const drained = listener.drain();
  listener.destroy();
  await drained;
});

async function listen(
  handlers: Partial<ListenerHandlers> = {},
  limits: Partial<ListenerLimits> = {},
): Promise<number> {
  listener = new Listener(
    {
      request: (_request, response) => void response.end("ok"),
      upgrade: (_request, socket) => socket.destroy(),
      failed: () => undefined,
      ...handlers,
    },
    limits,
  );
  return (await listener.listen("127.0.0.1", 0)).port;
}

/** Sends bytes and gives everything that comes until the end. */
async function exchange(port: number, bytes: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  let answer = "";
  socket.setEncoding("latin1").on("data", (chunk: string) => (answer += chunk));
  socket.write(bytes);
  await once(socket, "close");
  return answer;
}

describe("the limits of the listener", () => {
  test("a client that says nothing is disconnected, also one that stops in the preface of HTTP/2", async () => {
    const port = await listen({}, { firstBytesMs: 20 });
    assert.equal(await exchange(port, ""), "");
    assert.equal(await exchange(port, "PRI * HTTP/2.0\r\n"), "");
  });

  test("a client that does not finish the head of its request gets 408", async () => {
    const port = await listen({}, { headMs: 20 });
    assert.match(await exchange(port, "GET / HTTP/1.1\r\nhost: x\r\n"), /^HTTP\/1\.1 408 /);
  });

  test("a head over its limit gets 431", async () => {
    const port = await listen();
    assert.match(
      await exchange(port, `GET / HTTP/1.1\r\nhost: ${"x".repeat(70_000)}\r\n\r\n`),
      /^HTTP\/1\.1 431 /,
    );
  });

  test("an HTTP/2 connection is told how many streams it may have", async () => {
    const port = await listen({}, { maxStreams: 7 });
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    await once(session, "remoteSettings");
    assert.equal(session.remoteSettings.maxConcurrentStreams, 7);
    session.destroy();
  });
});

describe("a handler that throws", () => {
  test("is told, and costs its own request only, over HTTP/1 and HTTP/2", async () => {
    const failures: unknown[] = [];
    const port = await listen({
      request: (request, response) => {
        if (request.url === "/bad") throw new Error("a bug");
        response.end("ok");
      },
      failed: (error) => failures.push(error),
    });
    assert.match(await exchange(port, "GET /bad HTTP/1.0\r\n\r\n"), /^HTTP\/1\.1 500 /);
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    const stream = session.request({ ":path": "/bad" });
    const [headers] = (await once(stream, "response")) as [Record<string, unknown>];
    assert.equal(headers[":status"], 500);
    session.destroy();
    assert.match(await exchange(port, "GET /good HTTP/1.0\r\n\r\n"), /^HTTP\/1\.1 200 /);
    assert.equal(failures.length, 2);
  });

  test("at an upgrade ends that connection only", async () => {
    const failures: unknown[] = [];
    const port = await listen({
      upgrade: () => {
        throw new Error("a bug");
      },
      failed: (error) => failures.push(error),
    });
    await exchange(port, "GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n");
    assert.equal(failures.length, 1);
    assert.match(await exchange(port, "GET / HTTP/1.0\r\n\r\n"), /200 OK/);
  });
});

test("a client that offers an upgrade to HTTP/2, as Java's does, is answered over HTTP/1.1, body and all", async () => {
  const port = await listen({
    request: (request, response) => {
      let body = "";
      request.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
      request.on("end", () => response.end(`${request.method} ${request.url}: ${body}.`));
    },
  });
  const offer = "connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n";
  const first = `POST /a HTTP/1.1\r\nhost: x\r\n${offer}content-length: 4\r\n\r\nbody`;
  const second = "GET /b HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
  const answer = await exchange(port, first + second);
  assert.match(answer, /POST \/a: body\.[^]*GET \/b: \./);
});

describe("draining", () => {
  test("does not wait for a client that has said nothing, as browsers connect in advance", async () => {
    const port = await listen();
    const silent: Socket[] = [connect(port, "127.0.0.1"), connect(port, "127.0.0.1")];
    await Promise.all(silent.map((socket) => once(socket, "connect")));
    silent[1]?.write("PRI");
    await exchange(port, "GET / HTTP/1.0\r\n\r\n");
    const closed = silent.map((socket) => once(socket, "close"));
    await listener.drain();
    await Promise.all(closed);
  });

  test("ends a kept connection with its next answer, and HTTP/2 with its last stream", async () => {
    const waiting: (() => void)[] = [];
    const came = new EventEmitter();
    const port = await listen({
      request: (_request, response) => {
        waiting.push(() => void response.end("late"));
        came.emit("request");
      },
    });
    const socket = connect(port, "127.0.0.1");
    socket.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    await once(came, "request");
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    const stream = session.request({ ":path": "/" });
    await once(came, "request");
    const drained = listener.drain();
    for (const answer of waiting) answer();
    const answers = (await Promise.all([once(socket, "data"), once(stream, "data")])) as [Buffer][];
    for (const [answer] of answers) assert.match(answer.toString(), /late/);
    await drained;
  });
});

test("a port in use is an error of listen, and the rest can be closed", async () => {
  const other = createHttp1Server().listen(0, "127.0.0.1");
  await once(other, "listening");
  await listen();
  const address = other.address();
  assert.ok(typeof address === "object" && address !== null);
  const second = new Listener({ request() {}, upgrade() {}, failed() {} });
  await assert.rejects(second.listen("127.0.0.1", address.port), { code: "EADDRINUSE" });
  other.close();
});
