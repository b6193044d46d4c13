import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { connect, createSecureServer, createServer as createHttp2Server } from "node:http2";
import type { Duplex } from "node:stream";
import { describe, test } from "node:test";
import { testCertificates } from "@sluice/testkit";
import { FakeClock } from "@sluice/testkit/fake-clock";
import {
  connectHttp2WebSocket,
  connectWebSocket,
  createWebSocketServer,
  type RefusedRequest,
  type WebSocketConnection,
  type WebSocketHandlers,
} from "../src/index.ts";
import { answerOf, openingStream, sessionTo, startHttp2 } from "./support/http2.ts";
import { echo, Journal } from "./support/journal.ts";
import { start } from "./support/server.ts";
import { answerOn, answerTo, socketTo, upgradeTo } from "./support/upgrade.ts";

const { ca, server: keyPair } = testCertificates();

/** Handlers that say who they are. */
function saying(name: string): WebSocketHandlers {
  return { open: (connection) => void connection.send(name) };
}

function failing(): never {
  throw new Error("a secret of the application");
}

describe("createWebSocketServer", () => {
  test("serves http, https, and both versions on one port of http2, at the same time", async (context) => {
    const server = createWebSocketServer({ handlers: echo });
    context.after(() => server.close({ timeoutMs: 1 }));
    const plain = createServer();
    const secure = createTlsServer(keyPair);
    const both = createSecureServer({ ...keyPair, allowHTTP1: true });
    const clear = createHttp2Server();
    for (const http of [plain, secure, both, clear]) server.attach(http);
    const urls = [
      `ws://127.0.0.1:${await start(context, plain)}`,
      `wss://127.0.0.1:${await start(context, secure)}`,
      `wss://127.0.0.1:${await startHttp2(context, both)}`,
    ];
    const journals = urls.map(() => new Journal());
    for (const [index, url] of urls.entries()) {
      const connection = await connectWebSocket(url, { handlers: journals[index]!, tls: { ca } });
      connection.send(url);
    }
    for (const [index, url] of urls.entries()) {
      assert.deepEqual(await journals[index]!.count(1), [`text ${url}`]);
    }
    for (const url of [
      urls[2]!.replace("wss", "https"),
      `http://127.0.0.1:${await startHttp2(context, clear)}`,
    ]) {
      const journal = new Journal();
      const session = await sessionTo(context, url, { ca });
      const connection = await connectHttp2WebSocket(session, "/", { handlers: journal });
      connection.send(url);
      assert.deepEqual(await journal.count(1), [`text ${url}`]);
    }
    assert.equal(server.connections.size, 5);
  });

  test("gives each path its own endpoint, the first that takes it", async (context) => {
    const server = createWebSocketServer([
      { path: "/chat", handlers: saying("chat"), protocols: ["chat.v1"] },
      { path: (path) => path.startsWith("/rooms/"), handlers: saying("rooms") },
      { path: "/rooms/1", handlers: saying("never") },
      {
        path: (_, request) => request.headers.host?.startsWith("feed.") === true,
        handlers: saying("feed"),
      },
    ]);
    context.after(() => server.close({ timeoutMs: 1 }));
    const http = createServer();
    const port = await start(context, http);
    server.attach(http);
    for (const [path, host, says] of [
      ["/chat", "x", "chat"],
      ["/chat?token=%20", "x", "chat"],
      ["/rooms/1", "x", "rooms"],
      ["/rooms/", "x", "rooms"],
      ["/any", "feed.example.com", "feed"],
      ["http://x/chat?x", "x", "chat"],
    ] as const) {
      const socket = await socketTo(context, port);
      socket.write(upgradeTo(path, { Host: host }));
      let text = await answerOn(socket);
      if (!text.endsWith(says)) text += String(((await once(socket, "data")) as [Buffer])[0]);
      assert.ok(text.endsWith(says), `${path}: ${text}`);
    }
    for (const path of ["/", "/chat/", "/Chat", "/%63hat", "*"]) {
      const text = await answerTo(context, port, upgradeTo(path));
      assert.match(text, /^HTTP\/1\.1 404 Not Found\r\n.*There is no WebSocket at this path\.\n$/s, path);
    }
    assert.equal(server.refusals.unknown_path, 5);
  });

  test("answers 404 to an unknown path over HTTP/2", async (context) => {
    const server = createWebSocketServer({ path: "/chat", handlers: echo });
    const http = createHttp2Server();
    server.attach(http);
    const session = await sessionTo(context, `http://127.0.0.1:${await startHttp2(context, http)}`);
    const answer = await answerOf(openingStream(session, { ":path": "/other" }));
    assert.equal(answer.status, 404);
    assert.match(answer.text, /no WebSocket at this path/);
    assert.equal(server.refusals.unknown_path, 1);
  });

  test("leaves unknown paths to the others if told so", async (context) => {
    const http = createServer();
    const port = await start(context, http);
    const options = { unknownPath: "leave" } as const;
    const one = createWebSocketServer({ path: "/one", handlers: saying("one") }, options);
    const two = createWebSocketServer({ path: "/two", handlers: saying("two") }).attach(createServer());
    context.after(() => Promise.all([one.close({ timeoutMs: 1 }), two.close({ timeoutMs: 1 })]));
    const ones: boolean[] = [];
    const left: boolean[] = [];
    http.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      if (ones.length < 2) ones.push(one.handleUpgrade(request, socket, head));
      if (request.url !== "/one") left.push(two.handleUpgrade(request, socket, head));
    });
    for (const name of ["one", "two"]) {
      const journal = new Journal();
      await connectWebSocket(`ws://127.0.0.1:${port}/${name}`, { handlers: journal });
      assert.deepEqual(await journal.count(1), [`text ${name}`]);
    }
    assert.match(await answerTo(context, port, upgradeTo("/three")), /^HTTP\/1\.1 404/);
    assert.deepEqual(left, [true, true]);
    assert.deepEqual([one.refusals.unknown_path, two.refusals.unknown_path], [0, 1]);
    assert.deepEqual(ones, [true, false]);
  });

  test("leaves alone what another server, or itself attached twice, has taken", async (context) => {
    const http = createServer();
    const port = await start(context, http);
    let letIn: (() => void) | undefined;
    const first = createWebSocketServer(
      [
        { path: "/first", handlers: saying("first") },
        {
          path: "/slow",
          handlers: saying("slow"),
          verify: () =>
            new Promise((resolve) => {
              letIn = () => resolve(undefined);
              http.emit("asked");
            }),
        },
        { path: "/refused", handlers: {}, origin: [] },
      ],
      { unknownPath: "leave" },
    ).attach(http);
    const second = createWebSocketServer({ path: "/second", handlers: saying("second") }).attach(http);
    second.attach(http);
    context.after(() => Promise.all([first.close({ timeoutMs: 1 }), second.close({ timeoutMs: 1 })]));
    const asked = once(http, "asked").then(() => setImmediate(() => letIn?.()));
    for (const name of ["first", "second", "slow"]) {
      const journal = new Journal();
      await connectWebSocket(`ws://127.0.0.1:${port}/${name}`, { handlers: journal });
      assert.deepEqual(await journal.count(1), [`text ${name}`]);
    }
    await asked;
    const refused = await answerTo(context, port, upgradeTo("/refused", { Origin: "http://x" }));
    assert.match(refused, /^HTTP\/1\.1 403 /);
    assert.equal(refused.split("HTTP/1.1").length, 2);
    assert.deepEqual([first.connections.size, second.connections.size], [2, 1]);
    assert.deepEqual([second.refusals.unknown_path, second.refusals.failed], [0, 0]);
  });

  test("goes with requests, and with a plain CONNECT, on the same HTTP/2 server", async (context) => {
    const server = createWebSocketServer({ handlers: echo });
    context.after(() => server.close({ timeoutMs: 1 }));
    for (const order of ["before", "after"]) {
      const http = createHttp2Server();
      if (order === "after") server.attach(http);
      http.on("request", (_, response) => void response.end("a page"));
      if (order === "before") server.attach(http);
      const session = await sessionTo(context, `http://127.0.0.1:${await startHttp2(context, http)}`);
      const journal = new Journal();
      const connection = await connectHttp2WebSocket(session, "/", { handlers: journal });
      connection.send(order);
      assert.deepEqual(await journal.count(1), [`text ${order}`]);
      assert.equal((await answerOf(session.request({ ":path": "/" }))).text, "a page");
      const plain = session.request({ ":method": "CONNECT", ":authority": "example.com:443" });
      assert.equal((await answerOf(plain)).status, 405);
    }
  });

  test("leaves a plain CONNECT to who listens for it, and answers 404 where nobody serves requests", async (context) => {
    const http = createHttp2Server();
    createWebSocketServer({ handlers: echo }).attach(http);
    const url = `http://127.0.0.1:${await startHttp2(context, http)}`;
    const session = await sessionTo(context, url);
    assert.equal((await answerOf(session.request({ ":path": "/" }))).status, 404);
    http.on("request", (_, response) => void response.end("a page"));
    http.on("connect", (_, response: { end(text: string): void }) => response.end("a tunnel"));
    const other = connect(url);
    context.after(() => other.destroy());
    const plain = other.request({ ":method": "CONNECT", ":authority": "example.com:443" });
    assert.equal((await answerOf(plain)).text, "a tunnel");
  });

  test("refuses what is no opening request, and pages of foreign origins, and counts them", async (context) => {
    const told: RefusedRequest[] = [];
    const server = createWebSocketServer({ handlers: echo }, { refused: (each) => void told.push(each) });
    const http = createServer();
    const port = await start(context, http);
    server.attach(http);
    for (const [fields, status] of [
      [{ "Sec-WebSocket-Version": "8" }, 426],
      [{ Upgrade: "h2c" }, 400],
      [{ Origin: "https://evil.example.org" }, 403],
    ] as const) {
      const text = await answerTo(context, port, upgradeTo("/", fields));
      assert.match(text, new RegExp(`^HTTP/1\\.1 ${status} `));
    }
    assert.equal(server.refusals.invalid_handshake, 2);
    assert.equal(server.refusals.foreign_origin, 1);
    assert.deepEqual(
      told.map(({ reason, status, request }) => [reason, status, request.url]),
      [
        ["invalid_handshake", 426, "/"],
        ["invalid_handshake", 400, "/"],
        ["foreign_origin", 403, "/"],
      ],
    );
    assert.equal(server.connections.size, 0);
  });

  test("answers 500, and says why to the application alone, when a function of it throws", async (context) => {
    const told: RefusedRequest[] = [];
    const options = { refused: (each: RefusedRequest) => void told.push(each) };
    const servers = [
      createWebSocketServer({ path: failing, handlers: echo }, options),
      createWebSocketServer({ origin: failing, handlers: echo }, options),
      createWebSocketServer({ protocols: failing, handlers: echo }, options),
      createWebSocketServer({ protocols: () => "not offered", handlers: echo }, options),
      createWebSocketServer({ headers: { "X-Bad": "a\r\nb" }, handlers: echo }, options),
      createWebSocketServer({ handlers: echo }, { ...options, address: failing }),
    ];
    const fields = { Origin: "http://example.com", "Sec-WebSocket-Protocol": "a" };
    for (const server of servers) {
      const http = createServer();
      const port = await start(context, http);
      server.attach(http);
      const text = await answerTo(context, port, upgradeTo("/", fields));
      assert.match(text, /^HTTP\/1\.1 500 .*\r\n\r\nThe server failed\.\n$/s);
      assert.doesNotMatch(text, /secret/);
      assert.equal(server.refusals.failed, 1);
      await server.close();
    }
    assert.equal(told.length, servers.length);
    assert.match(String(told[0]?.cause), /a secret of the application/);
  });

  test("knows its connections from `open` to `close`", async (context) => {
    const sizes: number[] = [];
    const journal = new Journal();
    const server = createWebSocketServer({
      data: { user: "anna" },
      handlers: {
        open: (connection) => sizes.push(server.connections.has(connection) ? server.connections.size : -1),
        close: (connection, closed) => {
          sizes.push(server.connections.has(connection) ? -1 : server.connections.size);
          journal.close(connection, closed);
        },
      },
    });
    const http = createServer();
    const url = `ws://127.0.0.1:${await start(context, http)}`;
    server.attach(http);
    const one = await connectWebSocket(url);
    const two = await connectWebSocket(url);
    assert.deepEqual(
      Array.from(server.connections, ({ data }) => data),
      [{ user: "anna" }, { user: "anna" }],
    );
    one.close();
    await journal.count(1);
    two.terminate();
    await journal.count(2);
    assert.deepEqual(sizes, [1, 2, 1, 0]);
    await server.close();
  });

  test("has a heartbeat, unless it is told to have none", async (context) => {
    const clock = new FakeClock();
    const server = createWebSocketServer(
      [
        { path: "/default", handlers: {} },
        { path: "/own", handlers: {}, heartbeat: { intervalMs: 1000 } },
        { path: "/none", handlers: {}, heartbeat: false },
      ],
      { clock },
    );
    const http = createServer();
    const url = `ws://127.0.0.1:${await start(context, http)}`;
    server.attach(http);
    const journals: Journal[] = [];
    for (const path of ["/default", "/own", "/none"]) {
      const journal = new Journal();
      journals.push(journal);
      await connectWebSocket(`${url}${path}`, { handlers: journal });
    }
    const [first, second, third] = [...server.connections] as WebSocketConnection[];
    const measured = async (connection: WebSocketConnection): Promise<void> => {
      while (server.latencyOf(connection) === undefined) {
        await new Promise((resolve) => {
          setImmediate(resolve);
        });
      }
    };
    clock.advance(1000);
    await measured(second!);
    clock.advance(24_000);
    await measured(first!);
    assert.equal(server.latencyOf(third!), undefined);
    assert.deepEqual(
      journals.map((journal) => journal.entries[0]?.slice(0, 5)),
      ["ping ", "ping ", undefined],
    );
    for (const connection of server.connections) connection.terminate();
    await server.close();
  });

  test("ends the connection of an `open` handler that throws, and throws on", async (context) => {
    const http = createServer();
    const server = createWebSocketServer({
      handlers: {
        open: () => {
          throw new Error("deliberate");
        },
      },
    }).attach(http);
    const port = await start(context, http);
    const thrown = new Promise<Error>((resolve) => {
      process.setUncaughtExceptionCaptureCallback(resolve);
      context.after(() => process.setUncaughtExceptionCaptureCallback(null));
    });
    const journal = new Journal();
    await connectWebSocket(`ws://127.0.0.1:${port}`, { handlers: journal });
    assert.equal((await thrown).message, "deliberate");
    assert.equal((await journal.end()).code, 1011);
    await server.close();
    assert.equal(server.refusals.failed, 0);
  });

  test("refuses options that are out of range", () => {
    for (const [options, says] of [
      [{ maxConnections: 0 }, /maxConnections is 0: it must be a number above 0/],
      [{ maxConnectionsPerAddress: NaN }, /maxConnectionsPerAddress is NaN/],
      [{ retryAfterSeconds: -1 }, /retryAfterSeconds is -1/],
    ] as const) {
      assert.throws(
        () => createWebSocketServer({ handlers: echo }, options),
        (error) => error instanceof RangeError && says.test(error.message),
      );
    }
    assert.throws(
      () => createWebSocketServer({ handlers: echo, limits: { maxMessageBytes: 0 } }),
      RangeError,
    );
    assert.throws(() => createWebSocketServer({ handlers: echo, heartbeat: { idleMs: 0 } }), RangeError);
  });
});

describe("WebSocketServer.close", () => {
  test("refuses new connections, closes those that are there with 1001, and resolves when they have gone", async (context) => {
    const atServer = new Journal();
    const http = createServer();
    const server = createWebSocketServer({ handlers: atServer }).attach(http);
    const port = await start(context, http);
    const journals = [new Journal(), new Journal()];
    for (const handlers of journals) await connectWebSocket(`ws://127.0.0.1:${port}`, { handlers });
    const closed = server.close();
    const text = await answerTo(context, port, upgradeTo("/"));
    assert.match(text, /^HTTP\/1\.1 503 .*Retry-After: 10\r\n.*The server closes\.\n$/s);
    await Promise.all([closed, server.close({ code: 4000 })]);
    assert.equal(server.connections.size, 0);
    assert.equal(server.refusals.server_closing, 1);
    for (const journal of journals) {
      const { code, reason, clean } = await journal.end();
      assert.deepEqual([code, reason, clean], [1001, "the server closes", true]);
    }
    assert.equal(atServer.entries.length, 2);
  });

  test("sends the code and the reason that it is given, and nothing when they are wrong", async (context) => {
    const http = createServer();
    const server = createWebSocketServer({ handlers: {} }).attach(http);
    const journal = new Journal();
    await connectWebSocket(`ws://127.0.0.1:${await start(context, http)}`, { handlers: journal });
    await assert.rejects(server.close({ code: 1006 }), RangeError);
    await assert.rejects(server.close({ reason: "x".repeat(124) }), RangeError);
    await assert.rejects(server.close({ timeoutMs: 0 }), /timeoutMs is 0/);
    assert.equal([...server.connections][0]?.state, "open");
    await server.close({ code: 1012, reason: "back soon" });
    assert.deepEqual(journal.entries, ["close 1012 back soon"]);
  });

  test("terminates what has not ended in time", async (context) => {
    const clock = new FakeClock();
    const journal = new Journal();
    const http = createServer();
    const server = createWebSocketServer(
      { handlers: journal, limits: { closeTimeoutMs: 60_000 } },
      { clock },
    ).attach(http);
    const port = await start(context, http);
    // It answers no close frame.
    const socket = await socketTo(context, port);
    socket.write(upgradeTo("/"));
    await answerOn(socket);
    const closed = server.close({ timeoutMs: 5000 });
    clock.advance(4999);
    assert.equal(journal.closed, undefined);
    clock.advance(1);
    await closed;
    const { code, cause } = await journal.end();
    assert.deepEqual([code, cause?.code], [1006, "timeout"]);
    assert.match(cause?.message ?? "", /did not within 5000 ms/);
    assert.equal(clock.size, 1, "the heartbeat's last turn");
  });

  test("closes the streams of HTTP/2, and leaves their session to its owner", async (context) => {
    const http = createHttp2Server();
    const server = createWebSocketServer({ handlers: {} }).attach(http);
    const session = await sessionTo(context, `http://127.0.0.1:${await startHttp2(context, http)}`);
    const journal = new Journal();
    await connectHttp2WebSocket(session, "/", { handlers: journal });
    await server.close();
    assert.equal((await journal.end()).code, 1001);
    const answer = await answerOf(openingStream(session));
    assert.deepEqual([answer.status, answer.headers["retry-after"]], [503, "10"]);
    assert.equal(session.closed, false);
  });

  test("resolves at once without connections", async () => {
    await createWebSocketServer({ handlers: {} }).close();
  });
});
