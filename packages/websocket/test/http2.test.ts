import assert from "node:assert/strict";
import { once } from "node:events";
import {
  type ClientHttp2Session,
  connect,
  createServer,
  type Http2Server,
  type OutgoingHttpHeaders,
} from "node:http2";
import { describe, test, type TestContext } from "node:test";
import { FakeClock } from "@sluice/testkit/fake-clock";
import {
  acceptHttp2WebSocket,
  type AcceptOptions,
  connectHttp2WebSocket,
  type Refusal,
  WebSocketError,
  type WebSocketHandlers,
} from "../src/index.ts";
import { checkHttp2Request } from "../src/handshake/check-http2-request.ts";
import { frame } from "./support/frames.ts";
import { answerOf, listenHttp2, openingStream, sessionTo, startHttp2 } from "./support/http2.ts";
import { echo, Journal } from "./support/journal.ts";

const mask = Buffer.from([1, 2, 3, 4]);

/** A journal's handlers of messages and of the end alone. */
function withoutDrain(journal: Journal): WebSocketHandlers {
  return {
    message: (...message) => journal.message(...message),
    close: (...end) => journal.close(...end),
  };
}

describe("acceptHttp2WebSocket", () => {
  const refusals: readonly [name: string, headers: OutgoingHttpHeaders, status: number, says: RegExp][] = [
    ["another protocol", { ":protocol": "connect-udp" }, 400, /:protocol websocket/],
    ["version 8", { "sec-websocket-version": "8" }, 400, /must be 13, not "8"/],
    ["no version", { "sec-websocket-version": undefined }, 400, /Version field is missing/],
    ["a subprotocol that is no token", { "sec-websocket-protocol": "a, b c" }, 400, /tokens/],
    ["an extension out of its grammar", { "sec-websocket-extensions": "a;;" }, 400, /grammar/],
    ["a foreign origin", { origin: "https://evil.example.org" }, 403, /may not connect/],
  ];
  for (const [name, headers, status, says] of refusals) {
    test(`refuses ${name} with ${status} and says what is wrong`, async (context) => {
      const told: Refusal[] = [];
      const server = await listenHttp2(context, { handlers: echo, refused: (refusal) => told.push(refusal) });
      const session = await sessionTo(context, server.url);
      const answer = await answerOf(openingStream(session, headers));
      assert.equal(answer.status, status);
      assert.match(answer.text, says);
      assert.equal(answer.headers["sec-websocket-version"], name.includes("version") ? "13" : undefined);
      assert.deepEqual(
        told.map((each) => each.status),
        [status],
      );
      assert.equal(server.connections.length, 0);
    });
  }

  test("refuses a request that ends its stream, and one without a host", async (context) => {
    const server = await listenHttp2(context, { handlers: echo });
    const session = await sessionTo(context, server.url);
    const ended = session.request(
      { ":method": "CONNECT", ":protocol": "websocket", ":path": "/", "sec-websocket-version": "13" },
      { endStream: true },
    );
    const answer = await answerOf(ended);
    assert.equal(answer.status, 400);
    assert.match(answer.text, /the request has ended it/);
    const refusal = checkHttp2Request(
      { ":method": "CONNECT", ":protocol": "websocket", ":scheme": "https", ":path": "/" },
      { endAfterHeaders: false },
    );
    assert.ok("status" in refusal);
    assert.deepEqual([refusal.status, refusal.message], [400, "The :authority field is missing."]);
  });

  test("answers 200 with subprotocol, extension and further fields, and needs no key", async (context) => {
    const options: AcceptOptions = {
      handlers: echo,
      protocols: ["b"],
      compression: true,
      headers: { "Set-Cookie": ["x=1", "y=2"], "X-Node": "n1" },
    };
    const server = await listenHttp2(context, options);
    const session = await sessionTo(context, server.url);
    const stream = openingStream(session, {
      "sec-websocket-protocol": "a, b",
      "sec-websocket-extensions": "permessage-deflate; client_max_window_bits",
      origin: server.url,
    });
    const [headers] = (await once(stream, "response")) as [Record<string, unknown>];
    assert.equal(headers[":status"], 200);
    assert.equal(headers["sec-websocket-protocol"], "b");
    assert.match(String(headers["sec-websocket-extensions"]), /^permessage-deflate;/);
    assert.equal(headers["sec-websocket-accept"], undefined);
    assert.deepEqual(headers["set-cookie"], ["x=1", "y=2"]);
    assert.equal(headers["x-node"], "n1");
    assert.equal(server.connections[0]?.protocol, "b");
  });

  test("takes a version and nothing else, and a request whose sender has gone", async (context) => {
    const accepted: unknown[] = [];
    const server = createServer({ settings: { enableConnectProtocol: true } });
    server.on("stream", (stream, headers) => {
      stream.on("error", () => {});
      const accept = (): void => {
        accepted.push(acceptHttp2WebSocket(stream, headers, { handlers: echo })?.state);
        server.emit("decided");
      };
      if (headers[":path"] === "/late") stream.on("close", accept);
      else accept();
    });
    const port = await startHttp2(context, server);
    const session = await sessionTo(context, `http://127.0.0.1:${port}`);
    const late = openingStream(session, { ":path": "/late" });
    late.on("error", () => {});
    await once(server, "stream");
    const decided = once(server, "decided");
    late.destroy();
    await decided;
    const [headers] = (await once(openingStream(session), "response")) as [Record<string, unknown>];
    assert.equal(headers[":status"], 200);
    assert.deepEqual(accepted, [undefined, "open"]);
  });

  test("refuses to accept one stream twice", async (context) => {
    const server = createServer({ settings: { enableConnectProtocol: true } });
    const thrown = new Promise((resolve) => {
      server.on("stream", (stream, headers) => {
        acceptHttp2WebSocket(stream, headers, { handlers: echo });
        try {
          acceptHttp2WebSocket(stream, headers, { handlers: echo });
        } catch (error) {
          resolve(error);
        }
      });
    });
    const session = await sessionTo(context, `http://127.0.0.1:${await startHttp2(context, server)}`);
    openingStream(session);
    assert.match(String(await thrown), /accepted twice/);
  });

  test("is 1006 with a cause when the stream is reset in the middle of a message", async (context) => {
    const journal = new Journal();
    const server = await listenHttp2(context, { handlers: journal });
    const session = await sessionTo(context, server.url);
    const stream = openingStream(session);
    stream.on("error", () => {});
    await once(stream, "response");
    stream.write(frame(0x81, "whole", mask));
    stream.write(frame(0x81, "cut off", mask).subarray(0, 8));
    await journal.count(1);
    session.destroy();
    const closed = await journal.end();
    assert.deepEqual([closed.code, closed.clean, closed.cause?.code], [1006, false, "connection_lost"]);
    assert.match(closed.cause?.message ?? "", /the peer reset the stream \(CANCEL\)/);
    assert.deepEqual(journal.entries, ["text whole", "close 1006"]);
  });

  test("is 1006 with a cause when the stream ends without a close frame", async (context) => {
    const journal = new Journal();
    const server = await listenHttp2(context, { handlers: journal });
    const stream = openingStream(await sessionTo(context, server.url));
    await once(stream, "response");
    stream.end(frame(0x81, "cut off", mask).subarray(0, 8));
    const closed = await journal.end();
    assert.deepEqual([closed.code, closed.cause?.code], [1006, "connection_lost"]);
    assert.match(closed.cause?.message ?? "", /ended the connection inside a message/);
  });
});

describe("a WebSocket over HTTP/2", () => {
  test("carries messages of every size, both ways, and closes cleanly", async (context) => {
    const ended = new Journal();
    const server = await listenHttp2(context, {
      handlers: { ...echo, close: (connection, closed) => ended.close(connection, closed) },
    });
    const session = await sessionTo(context, server.url);
    for (const size of [0, 1, 125, 126, 65_535, 65_536, 300_000, 4_000_000]) {
      const journal = new Journal();
      const connection = await connectHttp2WebSocket(session, "/", { handlers: withoutDrain(journal) });
      const message = Buffer.alloc(size, size);
      connection.send(message);
      const [entry] = await journal.count(1);
      assert.ok(entry === `binary ${message.toString("hex")}`, `${size} bytes`);
      connection.close(1000, "done");
      const closed = await journal.end();
      assert.deepEqual([closed.code, closed.reason, closed.clean], [1000, "done", true]);
    }
    await ended.count(8);
    assert.deepEqual(new Set(ended.entries), new Set(["close 1000 done"]));
  });

  test("compresses messages as over HTTP/1.1", async (context) => {
    const server = await listenHttp2(context, { handlers: echo, compression: { threshold: 0 } });
    const session = await sessionTo(context, server.url);
    const journal = new Journal();
    const connection = await connectHttp2WebSocket(session, "/", {
      handlers: withoutDrain(journal),
      compression: { threshold: 0 },
    });
    connection.send("x".repeat(100_000));
    assert.ok((await journal.count(1))[0] === `text ${"x".repeat(100_000)}`);
    assert.ok(connection.bytesReceived < 1000, `${connection.bytesReceived} bytes`);
  });

  test("shares its session with many others", async (context) => {
    const server = await listenHttp2(context, { handlers: echo });
    const session = await sessionTo(context, server.url);
    const journals = Array.from({ length: 100 }, () => new Journal());
    const connections = await Promise.all(
      journals.map((handlers, index) => connectHttp2WebSocket(session, `/${index}`, { handlers })),
    );
    for (const [index, connection] of connections.entries()) connection.send(`message ${index}`);
    for (const [index, journal] of journals.entries()) {
      assert.deepEqual(await journal.count(1), [`text message ${index}`]);
    }
    connections[0]!.terminate();
    assert.equal((await journals[0]!.end()).code, 1006);
    connections[1]!.send("still here");
    assert.equal((await journals[1]!.count(2))[1], "text still here");
    assert.equal(server.connections.length, 100);
  });

  test("holds a sender up by flow control while its reader is paused", async (context) => {
    const journal = new Journal();
    const server = await listenHttp2(context, { handlers: journal });
    const session = await sessionTo(context, server.url);
    const others = new Journal();
    const sender = await connectHttp2WebSocket(session, "/", { handlers: others });
    const other = await connectHttp2WebSocket(session, "/");
    server.connections[0]!.pause();
    const message = Buffer.alloc(50_000);
    let sent = 0;
    do sent++;
    while (sender.send(message) || sent < 40);
    // The session goes on for the other stream.
    other.send("other");
    assert.deepEqual(await journal.count(1), ["text other"]);
    assert.ok(sender.bufferedAmount > 1_000_000, `${sender.bufferedAmount} bytes wait`);
    server.connections[0]!.resume();
    await others.count(1);
    assert.deepEqual(others.entries, ["drain"]);
    await journal.count(1 + sent);
    assert.equal(sender.bufferedAmount, 0);
  });

  test("outlives a shutdown of its session, and ends with 1001 when it is closed then", async (context) => {
    const handlers = new Journal();
    const server = createServer();
    server.updateSettings({ enableConnectProtocol: true });
    const accepted = new Promise<ReturnType<typeof acceptHttp2WebSocket>>((resolve) => {
      server.on("stream", (stream, headers) => {
        if (headers[":path"] === "/new") stream.respond({ ":status": 503 }, { endStream: true });
        else resolve(acceptHttp2WebSocket(stream, headers, { handlers: echo }));
      });
    });
    const sessions: { close(): void }[] = [];
    server.on("session", (session) => sessions.push(session));
    const session = await sessionTo(context, `http://127.0.0.1:${await startHttp2(context, server)}`);
    const connection = await connectHttp2WebSocket(session, "/", { handlers });
    const gone = once(session, "goaway");
    sessions[0]!.close();
    await gone;
    connection.send("after GOAWAY");
    assert.deepEqual(await handlers.count(1), ["text after GOAWAY"]);
    await assert.rejects(connectHttp2WebSocket(session, "/new"), { code: "connect_failed" });
    const closed = once(session, "close");
    (await accepted)!.close(1001, "shutdown");
    assert.equal((await handlers.end()).code, 1001);
    await closed;
  });

  test("is 1006 for all when the session is destroyed", async (context) => {
    const atServer = [new Journal(), new Journal()];
    let next = 0;
    const server = createServer();
    server.updateSettings({ enableConnectProtocol: true });
    server.on("stream", (stream, headers) => {
      acceptHttp2WebSocket(stream, headers, { handlers: atServer[next++]! });
    });
    const session = await sessionTo(context, `http://127.0.0.1:${await startHttp2(context, server)}`);
    const atClient = [new Journal(), new Journal()];
    for (const handlers of atClient) await connectHttp2WebSocket(session, "/", { handlers });
    session.destroy();
    for (const journal of [...atServer, ...atClient]) assert.equal((await journal.end()).code, 1006);
  });
});

interface Silent {
  readonly server: Http2Server;
  readonly session: ClientHttp2Session;
  readonly reset: Promise<number>;
}

/** A server that answers nothing, and tells how its stream was reset. */
async function silent(context: TestContext): Promise<Silent> {
  const server = createServer();
  server.updateSettings({ enableConnectProtocol: true });
  const reset = new Promise<number>((resolve) => {
    server.on("stream", (stream) => {
      stream.on("error", () => {});
      stream.on("close", () => resolve(stream.rstCode ?? 0));
    });
  });
  const session = await sessionTo(context, `http://127.0.0.1:${await startHttp2(context, server)}`);
  return { server, session, reset };
}

describe("connectHttp2WebSocket", () => {
  test("says what the server answered", async (context) => {
    const server = await listenHttp2(context, { handlers: echo });
    const session = await sessionTo(context, server.url);
    await assert.rejects(
      connectHttp2WebSocket(session, "/chat?x=1", { headers: { origin: "https://evil.example.org" } }),
      (error) => {
        assert.ok(error instanceof WebSocketError);
        assert.deepEqual([error.code, error.status], ["handshake_refused", 403]);
        assert.match(String(error), /\/chat\?x=1: the server answered 403: Pages of .* may not connect here/);
        return true;
      },
    );
  });

  test("waits for the settings of a new session, and refuses a server without RFC 8441", async (context) => {
    const server = await listenHttp2(context, { handlers: echo });
    const session = connect(server.url);
    context.after(() => session.destroy());
    const connection = await connectHttp2WebSocket(session, "/");
    assert.equal(connection.state, "open");
    const plain = connect(`http://127.0.0.1:${await startHttp2(context, createServer())}`);
    context.after(() => plain.destroy());
    await assert.rejects(connectHttp2WebSocket(plain, "/"), /connect_failed|enableConnectProtocol is off/);
    plain.destroy();
    await assert.rejects(connectHttp2WebSocket(plain, "/"), { code: "connect_failed" });
  });

  test("opens many at once on a new session, with one wait for its settings", async (context) => {
    const server = await listenHttp2(context, { handlers: echo });
    const session = connect(server.url);
    context.after(() => session.destroy());
    const connecting = Array.from({ length: 20 }, () => connectHttp2WebSocket(session, "/"));
    assert.ok(session.listenerCount("remoteSettings") <= 1);
    await Promise.all(connecting);
    assert.deepEqual(
      [session.listenerCount("remoteSettings"), session.listenerCount("error"), server.connections.length],
      [0, 0, 20],
    );
  });

  test("fails with connect_failed where nobody listens", async (context) => {
    const session = connect("http://127.0.0.1:1");
    session.on("error", () => {});
    context.after(() => session.destroy());
    await assert.rejects(connectHttp2WebSocket(session, "/"), { code: "connect_failed" });
  });

  test("gives up after handshakeTimeoutMs, and cancels its stream", async (context) => {
    const { server, session, reset } = await silent(context);
    const clock = new FakeClock();
    const connecting = connectHttp2WebSocket(session, "/", { clock, limits: { handshakeTimeoutMs: 3000 } });
    await once(server, "stream");
    clock.advance(3000);
    await assert.rejects(connecting, { code: "handshake_timeout", message: /no answer within 3000 ms/ });
    assert.equal(await reset, 8);
    assert.equal(clock.size, 0);
  });

  test("gives up when it is aborted, before and during the handshake", async (context) => {
    const { server, session, reset } = await silent(context);
    await assert.rejects(connectHttp2WebSocket(session, "/", { signal: AbortSignal.abort() }), {
      code: "aborted",
    });
    const controller = new AbortController();
    const connecting = connectHttp2WebSocket(session, "/", { signal: controller.signal });
    await once(server, "stream");
    controller.abort(new Error("enough"));
    await assert.rejects(connecting, { code: "aborted" });
    assert.equal(await reset, 8);
  });

  test("refuses an answer with a subprotocol or an extension that was not offered", async (context) => {
    const server = createServer();
    server.updateSettings({ enableConnectProtocol: true });
    server.on("stream", (stream, headers) => {
      stream.on("error", () => {});
      stream.respond({ ":status": 200, [String(headers["x-field"])]: String(headers["x-value"]) });
    });
    const session = await sessionTo(context, `http://127.0.0.1:${await startHttp2(context, server)}`);
    for (const [field, value] of [
      ["sec-websocket-protocol", "other"],
      ["sec-websocket-extensions", "permessage-deflate"],
    ] as const) {
      const headers = { "x-field": field, "x-value": value };
      await assert.rejects(connectHttp2WebSocket(session, "/", { headers }), { code: "handshake_invalid" });
    }
  });
});
