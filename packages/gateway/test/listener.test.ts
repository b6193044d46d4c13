import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { createServer as createHttp1Server } from "node:http";
import {
  connect as connectHttp2,
  constants,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from "node:http2";
import { connect, type Socket } from "node:net";
import { afterEach, describe, test } from "node:test";
import type { ListenerLimits } from "../src/listener/limits.ts";
import { Listener, type ListenerHandlers } from "../src/listener/listener.ts";
import { flag, frame, frameType, headerBlock, Http2Peer } from "./http2-peer.ts";

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
      webSocket: ({ request }) => request.socket.destroy(),
      failed: () => undefined,
      refused: () => undefined,
      ...handlers,
    },
    limits,
  );
  return (await listener.listen("127.0.0.1", 0)).port;
}

/** A request over HTTP/2. */
function get(stream: number): Buffer {
  const head = { ":method": "GET", ":path": "/", ":scheme": "http", ":authority": "x" };
  return frame(frameType.headers, flag.endHeaders | flag.endStream, stream, headerBlock(head));
}

/** A request over HTTP/1.1. */
const plainGet = (path: string): string => `GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`;

async function untilTrue(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

/** Sends bytes and gives everything that comes until the end. */
async function exchange(port: number, bytes: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  let answer = "";
  socket.setEncoding("latin1").on("data", (chunk: string) => (answer += chunk));
  socket.on("error", () => undefined);
  socket.write(bytes);
  await new Promise((resolve) => socket.once("close", resolve));
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

  test("a head over its limit is refused over HTTP/2 too, however it is made up", async () => {
    const port = await listen();
    const options = { maxSendHeaderBlockLength: 200_000 };
    const statusOf = async (count: number, value: string): Promise<unknown> => {
      const session = connectHttp2(`http://127.0.0.1:${port}`, options);
      // Node holds a client to the limit once it has been told.
      await once(session, "remoteSettings");
      const names = Array.from({ length: count }, (_, index) => [`x-${index}`, value]);
      const stream = session.request(Object.fromEntries(names) as OutgoingHttpHeaders);
      try {
        const [answer] = (await once(stream, "response")) as [IncomingHttpHeaders];
        return answer[":status"];
      } catch {
        return stream.rstCode;
      } finally {
        session.destroy();
      }
    };
    assert.equal(await statusOf(6, "x".repeat(10_000)), 200);
    assert.equal(await statusOf(7, "x".repeat(10_000)), constants.NGHTTP2_ENHANCE_YOUR_CALM);
    assert.equal(await statusOf(3_000, "x"), constants.NGHTTP2_ENHANCE_YOUR_CALM);
  });

  test("an HTTP/2 connection that nobody uses ends with GOAWAY, and one that has a stream does not", async () => {
    const waiting: (() => void)[] = [];
    const port = await listen(
      { request: (_request, response) => void waiting.push(() => void response.end()) },
      { idleMs: 20 },
    );
    const busy = await Http2Peer.connect(port);
    busy.send(get(1));
    await untilTrue(() => waiting.length === 1);
    const idle = await Http2Peer.connect(port);
    assert.equal(await idle.verdict(), "GOAWAY NO_ERROR");
    await idle.closed;
    assert.ok(!busy.frames.some(({ type }) => type === frameType.goaway));
    for (const answer of waiting) answer();
    assert.equal(await busy.verdict(), "GOAWAY NO_ERROR");
    await busy.closed;
    await untilTrue(() => listener.counts.connections === 0);
  });

  test("a client that asks only for pings is idle as well", async () => {
    const port = await listen({}, { idleMs: 20 });
    const peer = await Http2Peer.connect(port);
    const pinging = setInterval(() => peer.send(frame(frameType.ping, flag.none, 0, "0000000000000000")), 1);
    assert.equal(await peer.verdict(), "GOAWAY NO_ERROR");
    clearInterval(pinging);
    peer.destroy();
  });

  test("a client that does not read its answer is disconnected, over HTTP/2 its stream is ended", async () => {
    let closed = 0;
    const port = await listen(
      {
        request: (_request, response) => {
          response.on("close", () => closed++);
          response.end(Buffer.alloc(32 * 1024 * 1024));
        },
      },
      { stallMs: 20 },
    );
    const first = connect(port, "127.0.0.1");
    first.on("error", () => undefined);
    first.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    await untilTrue(() => closed === 1);
    // A window of no bytes.
    const second = await Http2Peer.connect(port, "000400000000");
    second.send(get(1));
    assert.equal(await second.verdict(), "RST_STREAM CANCEL");
    // Windows of 1 GiB, and a socket that is not read.
    const third = await Http2Peer.connect(port, "000440000000");
    third.socket.pause();
    third.send(frame(frameType.windowUpdate, flag.none, 0, "40000000"), get(1));
    await untilTrue(() => closed === 3 && listener.counts.requests === 0);
    for (const each of [first, second, third]) each.destroy();
    await untilTrue(() => listener.counts.connections === 0);
  });

  test("a client from which nothing comes is asked by PING, and disconnected when it does not answer", async () => {
    let closed = 0;
    const port = await listen(
      { request: (_request, response) => void response.on("close", () => closed++) },
      { aliveMs: 20 },
    );
    const answering = connectHttp2(`http://127.0.0.1:${port}`);
    answering.request({ ":path": "/" }).on("error", () => undefined);
    const silent = await Http2Peer.connect(port);
    silent.send(get(1));
    await silent.until(({ type }) => type === frameType.ping);
    await silent.closed;
    await untilTrue(() => closed === 1 && listener.counts.connections === 1);
    assert.equal(answering.destroyed, false);
    answering.destroy();
  });

  test("a connection that has ended with an error of HTTP/2 is not kept, nor are its requests", async () => {
    const port = await listen({ request: () => undefined }, { aliveMs: 20 });
    const peer = await Http2Peer.connect(port);
    peer.send(get(1), frame(frameType.data, flag.none, 1, "00"));
    assert.equal(await peer.verdict(), "GOAWAY STREAM_CLOSED");
    await untilTrue(() => listener.counts.connections === 0 && listener.counts.requests === 0);
    await peer.closed;
  });

  test("requests in a pipeline are served one after the other, and only so many may wait", async () => {
    const waiting: (() => void)[] = [];
    const port = await listen(
      { request: ({ url }, response) => void waiting.push(() => void response.end(url)) },
      { maxPipelined: 2 },
    );
    const socket = connect(port, "127.0.0.1");
    socket.write(plainGet("/1") + plainGet("/2") + plainGet("/3"));
    for (const path of ["/1", "/2", "/3"]) {
      await untilTrue(() => waiting.length > 0);
      assert.equal(waiting.length, 1);
      waiting.pop()?.();
      const [answer] = (await once(socket, "data")) as [Buffer];
      assert.match(answer.toString(), new RegExp(`${path}$`));
    }
    socket.write(plainGet("/1") + plainGet("/2") + plainGet("/3") + plainGet("/4"));
    await new Promise((resolve) => socket.once("close", resolve));
    await untilTrue(() => listener.counts.requests === 0);
  });

  test("a client that reads its answer slowly is given it", async () => {
    const length = 8 * 1024 * 1024;
    const port = await listen(
      { request: (_request, response) => void response.end(Buffer.alloc(length)) },
      { stallMs: 200 },
    );
    const socket = connect(port, "127.0.0.1");
    socket.write("GET / HTTP/1.0\r\n\r\n");
    let read = 0;
    for await (const chunk of socket) {
      read += (chunk as Buffer).length;
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.ok(read > length);
  });

  test("an address has a bounded number of connections, and again as many when some have ended", async () => {
    const refused: string[] = [];
    const port = await listen(
      { refused: (address) => refused.push(address) },
      { maxConnectionsPerAddress: 2 },
    );
    const held = [connect(port, "127.0.0.1"), connect(port, "127.0.0.1")];
    await untilTrue(() => listener.counts.connections === 2);
    assert.equal(await exchange(port, "GET / HTTP/1.0\r\n\r\n"), "");
    assert.deepEqual(refused, ["127.0.0.1"]);
    held[0]?.destroy();
    await untilTrue(() => listener.counts.connections === 1);
    assert.match(await exchange(port, "GET / HTTP/1.0\r\n\r\n"), /200 OK/);
    held[1]?.destroy();
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
      webSocket: () => {
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
  const second = new Listener({ request() {}, webSocket() {}, failed() {}, refused() {} });
  await assert.rejects(second.listen("127.0.0.1", address.port), { code: "EADDRINUSE" });
  other.close();
});
