import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import { describe, test, type TestContext } from "node:test";
import { FakeClock } from "@sluice/testkit/fake-clock";
import {
  connectHttp2WebSocket,
  connectWebSocket,
  createWebSocketServer,
  MessageInbox,
  type RefusedRequest,
  type Verify,
  type WebSocketEndpoint,
  type WebSocketServer,
  type WebSocketServerOptions,
} from "../src/index.ts";
import { resolveServerOptions } from "../src/server/server-options.ts";
import { frame } from "./support/frames.ts";
import { answerOf, openingStream, sessionTo, startHttp2 } from "./support/http2.ts";
import { echo, Journal } from "./support/journal.ts";
import { start } from "./support/server.ts";
import { answerOn, answerTo, socketTo, upgradeTo } from "./support/upgrade.ts";

const mask = Buffer.from([1, 2, 3, 4]);

interface Serving {
  readonly server: WebSocketServer;
  readonly port: number;
  readonly journal: Journal;
}

async function serve(
  context: TestContext,
  endpoint: Partial<WebSocketEndpoint>,
  options: WebSocketServerOptions = {},
): Promise<Serving> {
  const journal = new Journal();
  const http = createServer();
  const server = createWebSocketServer({ handlers: journal, ...endpoint }, options).attach(http);
  const port = await start(context, http);
  context.after(() => {
    for (const connection of server.connections) connection.terminate();
  });
  return { server, port, journal };
}

/** One turn of the event loop. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** A `verify` that decides when the test says so. */
class Gate {
  readonly asked: Promise<AbortSignal>;
  decide: (decision: Awaited<ReturnType<Verify>>) => void = () => {};
  fail: (error: unknown) => void = () => {};
  #tell: (signal: AbortSignal) => void = () => {};

  constructor() {
    this.asked = new Promise((resolve) => {
      this.#tell = resolve;
    });
  }

  readonly verify: Verify = (_, signal) => {
    this.#tell(signal);
    return new Promise((resolve, reject) => {
      this.decide = resolve;
      this.fail = reject;
    });
  };
}

describe("the verify function of an endpoint", () => {
  test("refuses with its own status, fields and text, at once or later", async (context) => {
    const refusal = {
      status: 401,
      message: "Please log in.",
      headers: { "WWW-Authenticate": 'Bearer realm="x"' },
    };
    for (const verify of [() => refusal, async () => refusal]) {
      const told: RefusedRequest[] = [];
      const { server, port } = await serve(context, { verify }, { refused: (each) => void told.push(each) });
      const text = await answerTo(context, port, upgradeTo("/"));
      assert.match(text, /^HTTP\/1\.1 401 Unauthorized\r\n/);
      assert.match(text, /\r\nWWW-Authenticate: Bearer realm="x"\r\n\r\nPlease log in\.\n$/s);
      assert.deepEqual([server.refusals.verify_refused, server.connections.size], [1, 0]);
      assert.deepEqual([told[0]?.reason, told[0]?.status], ["verify_refused", 401]);
    }
  });

  test("lets in with data, a subprotocol and fields of its own", async (context) => {
    const { server, port } = await serve(context, {
      data: "of the endpoint",
      protocols: ["a"],
      headers: { "X-Node": "n1" },
      verify: async (request) => {
        if (request.url === "/plain") return undefined;
        return { data: { user: "anna" }, protocol: "b", headers: { "Set-Cookie": ["x=1", "y=2"] } };
      },
    });
    const fields = { "Sec-WebSocket-Protocol": "a, b" };
    const own = await answerTo(context, port, upgradeTo("/own", fields));
    assert.match(
      own,
      /\r\nSec-WebSocket-Protocol: b\r\nX-Node: n1\r\nSet-Cookie: x=1\r\nSet-Cookie: y=2\r\n/,
    );
    const plain = await answerTo(context, port, upgradeTo("/plain", fields));
    assert.match(plain, /\r\nSec-WebSocket-Protocol: a\r\nX-Node: n1\r\n\r\n$/);
    assert.deepEqual(
      Array.from(server.connections, ({ data, protocol }) => [data, protocol]),
      [
        [{ user: "anna" }, "b"],
        ["of the endpoint", "a"],
      ],
    );
  });

  test("may give a connection handlers of its own, which the server watches too", async (context) => {
    const inboxes: MessageInbox[] = [];
    const { server, port, journal } = await serve(context, {
      verify: () => {
        const handlers = new MessageInbox();
        inboxes.push(handlers);
        return { handlers };
      },
    });
    const url = `ws://127.0.0.1:${port}`;
    const connections = [await connectWebSocket(url), await connectWebSocket(url)];
    assert.equal(server.connections.size, 2);
    for (const [index, connection] of connections.entries()) {
      connection.send(`to ${index}`);
      connection.close();
    }
    for (const [index, inbox] of inboxes.entries()) {
      const texts: string[] = [];
      for await (const { data } of inbox) texts.push(data.toString());
      assert.deepEqual(texts, [`to ${index}`]);
    }
    assert.deepEqual([server.connections.size, journal.entries], [0, []]);
  });

  test("is not asked about requests that are refused anyway", async (context) => {
    let asked = 0;
    const { port } = await serve(context, { path: "/", verify: () => void asked++ });
    await answerTo(context, port, upgradeTo("/", { Origin: "https://evil.example.org" }));
    await answerTo(context, port, upgradeTo("/", { "Sec-WebSocket-Version": "7" }));
    await answerTo(context, port, upgradeTo("/other"));
    assert.equal(asked, 0);
  });

  for (const [name, act, cause] of [
    ["throws", (): never => assert.fail("a secret"), /a secret/],
    ["rejects", () => Promise.reject(new Error("a secret")), /a secret/],
    ["refuses with 200", () => ({ status: 200, message: "" }), /it must be 400 to 599/],
    [
      "would split the answer",
      () => ({ status: 400, message: "", headers: { "X-Bad": "a\r\nX-Worse: b" } }),
      /Invalid character in header content/,
    ],
    ["chooses what was not offered", () => ({ protocol: "x" }), /did not offer it/],
  ] as const satisfies readonly (readonly [string, Verify, RegExp])[]) {
    test(`answers 500 without the error's text when it ${name}`, async (context) => {
      const told: RefusedRequest[] = [];
      const { server, port } = await serve(
        context,
        { verify: act },
        { refused: (each) => void told.push(each) },
      );
      const text = await answerTo(context, port, upgradeTo("/", { "Sec-WebSocket-Protocol": "a" }));
      assert.match(text, /^HTTP\/1\.1 500 .*\r\n\r\nThe server failed\.\n$/s);
      assert.equal(server.refusals.failed, 1);
      assert.match(String(told[0]?.cause), cause);
      await server.close();
    });
  }

  test("loses none of the bytes that come while it decides", async (context) => {
    const gate = new Gate();
    const { port, journal } = await serve(context, { verify: gate.verify });
    const socket = await socketTo(context, port);
    // Some bytes come with the request, and some later.
    socket.write(Buffer.concat([Buffer.from(upgradeTo("/")), frame(0x81, "one", mask)]));
    await gate.asked;
    const long = Buffer.alloc(400_000, 7);
    for (const message of ["two", "three"]) socket.write(frame(0x81, message, mask));
    socket.write(frame(0x82, long, mask));
    for (let turns = 0; turns < 20; turns++) {
      await turn();
    }
    assert.deepEqual(journal.entries, []);
    gate.decide(undefined);
    assert.match(await answerOn(socket), /^HTTP\/1\.1 101/);
    const entries = await journal.count(4);
    assert.deepEqual(entries.slice(0, 3), ["text one", "text two", "text three"]);
    assert.ok(entries[3] === `binary ${long.toString("hex")}`);
  });

  test("may be followed by a connection that is paused from the start", async (context) => {
    const gate = new Gate();
    const journal = new Journal();
    const { server, port } = await serve(context, {
      verify: gate.verify,
      handlers: {
        open: (connection) => connection.pause(),
        message: (...message) => journal.message(...message),
      },
    });
    const socket = await socketTo(context, port);
    socket.write(upgradeTo("/"));
    await gate.asked;
    socket.write(frame(0x81, "early", mask));
    gate.decide(undefined);
    await answerOn(socket);
    socket.write(frame(0x81, "late", mask));
    for (let turns = 0; turns < 20; turns++) {
      await turn();
    }
    assert.deepEqual(journal.entries, []);
    for (const connection of server.connections) connection.resume();
    assert.deepEqual(await journal.count(2), ["text early", "text late"]);
  });

  for (const [name, leave] of [
    ["ends its side", (socket) => void socket.end()],
    ["resets", (socket) => void socket.resetAndDestroy()],
  ] as const satisfies readonly (readonly [
    string,
    (socket: Awaited<ReturnType<typeof socketTo>>) => void,
  ])[]) {
    test(`is told when the client ${name} meanwhile`, async (context) => {
      const gate = new Gate();
      const told: RefusedRequest[] = [];
      const { server, port } = await serve(
        context,
        { verify: gate.verify },
        { maxConnections: 1, refused: (each) => void told.push(each) },
      );
      const socket = await socketTo(context, port);
      socket.write(upgradeTo("/"));
      const signal = await gate.asked;
      const gone = once(socket, "close");
      leave(socket);
      if (!signal.aborted) await once(signal, "abort");
      await gone;
      gate.decide(undefined);
      while (told.length === 0) await turn();
      assert.deepEqual([told[0]?.reason, told[0]?.status], ["client_left", undefined]);
      assert.equal(server.refusals.client_left, 1);
      await server.close();
    });
  }

  test("answers 503 after the handshake's time", async (context) => {
    const clock = new FakeClock();
    const gate = new Gate();
    const { server, port } = await serve(
      context,
      { verify: gate.verify, limits: { handshakeTimeoutMs: 3000 } },
      { clock, retryAfterSeconds: 7 },
    );
    const answer = answerTo(context, port, upgradeTo("/"));
    const signal = await gate.asked;
    clock.advance(2999);
    assert.equal(signal.aborted, false);
    clock.advance(1);
    const text = await answer;
    assert.match(text, /^HTTP\/1\.1 503 .*\r\nRetry-After: 7\r\n.*It took too long/s);
    assert.equal(signal.aborted, true);
    assert.equal(server.refusals.verify_timeout, 1);
    gate.decide(undefined);
    assert.equal(clock.size, 0);
    await server.close();
  });

  test("has ten seconds by default", async (context) => {
    const clock = new FakeClock();
    const gate = new Gate();
    const { server, port } = await serve(context, { verify: gate.verify }, { clock });
    const answer = answerTo(context, port, upgradeTo("/"));
    await gate.asked;
    clock.advance(9_999);
    assert.equal(clock.size, 1);
    clock.advance(1);
    assert.match(await answer, /^HTTP\/1\.1 503/);
    await server.close();
  });

  test("is told when the server closes, and `close()` waits for its answers", async (context) => {
    const signals: AbortSignal[] = [];
    const { server, port } = await serve(context, {
      verify: (_, signal) => {
        signals.push(signal);
        return new Promise(() => {});
      },
    });
    const answers = Array.from({ length: 20 }, () => answerTo(context, port, upgradeTo("/")));
    while (signals.length < 20) await turn();
    await server.close();
    assert.ok(signals.every((signal) => signal.aborted));
    for (const text of await Promise.all(answers)) {
      assert.match(text, /^HTTP\/1\.1 503 .*The server closes\.\n$/s);
    }
    assert.equal(server.refusals.server_closing, 20);
  });

  test("does all of that over HTTP/2 too", async (context) => {
    const clock = new FakeClock();
    const gates = new Map<string, Gate>();
    const journal = new Journal();
    const http = createHttp2Server();
    const server = createWebSocketServer(
      {
        handlers: journal,
        verify: (request, signal) => gates.get(request.url ?? "")?.verify(request, signal),
      },
      { clock },
    ).attach(http);
    const session = await sessionTo(context, `http://127.0.0.1:${await startHttp2(context, http)}`);
    const gateOf = (path: string): Gate => {
      const gate = new Gate();
      gates.set(path, gate);
      return gate;
    };

    const refusing = gateOf("/refused");
    const refused = answerOf(openingStream(session, { ":path": "/refused" }));
    await refusing.asked;
    refusing.decide({ status: 401, message: "No.", headers: { "WWW-Authenticate": "Basic" } });
    const { status, headers, text } = await refused;
    assert.deepEqual([status, headers["www-authenticate"], text], [401, "Basic", "No.\n"]);

    const late = gateOf("/late");
    const tooLate = answerOf(openingStream(session, { ":path": "/late" }));
    await late.asked;
    clock.advance(10_000);
    assert.equal((await tooLate).status, 503);

    for (const leave of ["close", "end"] as const) {
      const left = gateOf("/left");
      const leaving = openingStream(session, { ":path": "/left" });
      leaving.on("error", () => {});
      const signal = await left.asked;
      leaving[leave]();
      if (!signal.aborted) await once(signal, "abort");
    }
    while (server.refusals.client_left < 2) {
      await turn();
    }

    const early = gateOf("/early");
    const stream = openingStream(session, { ":path": "/early" });
    stream.write(frame(0x81, "early", mask));
    await early.asked;
    stream.write(frame(0x82, Buffer.alloc(200_000), mask));
    early.decide({ data: "let in" });
    await journal.count(2);
    assert.equal(journal.entries[0], "text early");
    assert.equal([...server.connections][0]?.data, "let in");
    for (const connection of server.connections) connection.terminate();
    await server.close();
  });

  test("is asked about real clients too", async (context) => {
    const { port } = await serve(context, {
      handlers: echo,
      verify: async (request) =>
        request.headers.authorization === "Bearer x" ? { data: 1 } : { status: 401, message: "No." },
    });
    const url = `ws://127.0.0.1:${port}`;
    await assert.rejects(connectWebSocket(url), { code: "handshake_refused", status: 401 });
    const journal = new Journal();
    const connection = await connectWebSocket(url, {
      handlers: journal,
      headers: { Authorization: "Bearer x" },
    });
    connection.send("hello");
    assert.deepEqual(await journal.count(1), ["text hello"]);
  });
});

describe("the limits of a server", () => {
  test("leave a client that is slow to send its request to the HTTP server's own", async (context) => {
    const http = createServer({ headersTimeout: 50, connectionsCheckingInterval: 10 });
    const server = createWebSocketServer({ handlers: {} }).attach(http);
    const port = await start(context, http);
    const slow = answerTo(context, port, upgradeTo("/").slice(0, -2));
    assert.match(await slow, /^HTTP\/1\.1 408 /);
    // One that was quick enough stays.
    const journal = new Journal();
    const quick = await connectWebSocket(`ws://127.0.0.1:${port}`, { handlers: journal });
    assert.match(await answerTo(context, port, upgradeTo("/").slice(0, -2)), /^HTTP\/1\.1 408 /);
    assert.equal(quick.state, "open");
    await server.close();
    assert.equal((await journal.end()).code, 1001);
  });

  test("maxConnections answers 503 with Retry-After, also for those that verify decides about", async (context) => {
    const gate = new Gate();
    const { server, port } = await serve(
      context,
      { verify: (request, signal) => (request.url === "/slow" ? gate.verify(request, signal) : undefined) },
      { maxConnections: 2, retryAfterSeconds: 30 },
    );
    const url = `ws://127.0.0.1:${port}`;
    const first = await connectWebSocket(url);
    const slow = connectWebSocket(`${url}/slow`);
    await gate.asked;
    const text = await answerTo(context, port, upgradeTo("/"));
    assert.match(text, /^HTTP\/1\.1 503 .*\r\nRetry-After: 30\r\n.*has all the connections that it takes/s);
    assert.equal(server.refusals.too_many_connections, 1);
    gate.decide({ status: 403, message: "No." });
    await assert.rejects(slow, { status: 403 });
    const second = await connectWebSocket(url);
    await assert.rejects(connectWebSocket(url), { status: 503 });
    const [one] = server.connections;
    const gone = new Promise<void>((resolve) => {
      const check = (): void => (server.connections.has(one!) ? void setImmediate(check) : resolve());
      check();
    });
    first.terminate();
    await gone;
    const third = await connectWebSocket(url);
    assert.deepEqual([first.state === "open", second.state, third.state], [false, "open", "open"]);
    assert.equal(server.connections.size, 2);
  });

  test("maxConnectionsPerAddress answers 429, and counts each address by itself", async (context) => {
    const { server, port } = await serve(
      context,
      {},
      { maxConnectionsPerAddress: 1, address: (request) => String(request.headers["x-forwarded-for"]) },
    );
    const answers: string[] = [];
    for (const address of [
      "192.0.2.1",
      "192.0.2.1",
      "::ffff:192.0.2.1",
      "192.0.2.2",
      "2001:db8:1:2::1",
      "2001:db8:1:2:ffff::2",
      "2001:db8:1:3::1",
    ]) {
      const text = await answerTo(context, port, upgradeTo("/", { "X-Forwarded-For": address }));
      answers.push(text.slice(9, 12));
      if (text.startsWith("HTTP/1.1 429")) assert.match(text, /\r\nRetry-After: 10\r\n.*from this address/s);
    }
    assert.deepEqual(answers, ["101", "429", "429", "101", "101", "429", "101"]);
    assert.equal(server.refusals.too_many_from_address, 3);
    for (const connection of server.connections) connection.terminate();
    while (server.connections.size > 0) {
      await turn();
    }
    assert.match(
      await answerTo(context, port, upgradeTo("/", { "X-Forwarded-For": "192.0.2.1" })),
      /^HTTP\/1\.1 101/,
    );
  });

  test("maxConnectionsPerAddress takes the socket's address by default, and none for no limit", async (context) => {
    const one = await serve(context, {}, { maxConnectionsPerAddress: 1 });
    const url = `ws://127.0.0.1:${one.port}`;
    await connectWebSocket(url);
    await assert.rejects(connectWebSocket(url), { status: 429 });
    const none = await serve(context, {}, { maxConnectionsPerAddress: 1, address: () => undefined });
    for (let count = 0; count < 3; count++) await connectWebSocket(`ws://127.0.0.1:${none.port}`);
    assert.equal(none.server.connections.size, 3);
  });

  test("maxConnectionsPerAddress holds over HTTP/2 too", async (context) => {
    const http = createHttp2Server();
    const server = createWebSocketServer({ handlers: {} }, { maxConnectionsPerAddress: 2 }).attach(http);
    const session = await sessionTo(context, `http://127.0.0.1:${await startHttp2(context, http)}`);
    for (let count = 0; count < 2; count++) await connectHttp2WebSocket(session, "/");
    await assert.rejects(connectHttp2WebSocket(session, "/"), { status: 429 });
    await server.close();
  });

  test("are 100,000 connections, and none by address, where none are given", () => {
    const { maxConnections, maxConnectionsPerAddress, retryAfterSeconds } = resolveServerOptions({});
    assert.deepEqual([maxConnections, maxConnectionsPerAddress, retryAfterSeconds], [100_000, Infinity, 10]);
  });
});
