import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, request as httpRequest, type ServerResponse } from "node:http";
import { connect, type Socket } from "node:net";
import { describe, test } from "node:test";
import { type ConnectionError, EngineServer, ErrorCode } from "../src/index.ts";
import { connectClient, PollingClient, startEngine } from "./support/engine.ts";
import { Inbox } from "./support/inbox.ts";

const { UNKNOWN_TRANSPORT, UNKNOWN_SID, BAD_HANDSHAKE_METHOD, BAD_REQUEST, FORBIDDEN } = ErrorCode;
const { UNSUPPORTED_PROTOCOL_VERSION } = ErrorCode;

const texts = [
  "Transport unknown",
  "Session ID unknown",
  "Bad handshake method",
  "Bad request",
  "Forbidden",
  "Unsupported protocol version",
];

/** Sends bytes to a port, and answers all that comes back. */
async function exchange(port: number, sent: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.write(sent);
  let received = "";
  socket.on("data", (chunk: Buffer) => void (received += chunk.toString()));
  await once(socket, "close");
  return received;
}

const upgradeOf = (target: string, headers = ""): string =>
  `GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
  `Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n${headers}\r\n`;

describe("a request that cannot be", () => {
  const sids = [
    "unknown",
    "__proto__",
    "constructor",
    "toString",
    "hasOwnProperty",
    "%00",
    "[object Object]",
  ];
  for (const [query, code, method = "GET"] of [
    ["", UNKNOWN_TRANSPORT],
    ["EIO=4", UNKNOWN_TRANSPORT],
    ["EIO=4&transport=", UNKNOWN_TRANSPORT],
    ["EIO=4&transport=abc", UNKNOWN_TRANSPORT],
    ["EIO=4&transport=constructor", UNKNOWN_TRANSPORT],
    ["EIO=4&transport=__proto__", UNKNOWN_TRANSPORT],
    ["EIO=4&transport=webtransport", UNKNOWN_TRANSPORT],
    ["EIO=4&transport=polling&transport=abc", UNKNOWN_TRANSPORT],
    ["EIO=4&transport[]=polling", UNKNOWN_TRANSPORT],
    ["__proto__[transport]=polling&EIO=4", UNKNOWN_TRANSPORT],
    ["EIO=4&transport=websocket", BAD_REQUEST],
    ...sids.map((sid) => [`EIO=4&transport=polling&sid=${sid}`, UNKNOWN_SID] as const),
    ...sids.map((sid) => [`EIO=4&transport=polling&sid=${sid}`, UNKNOWN_SID, "POST"] as const),
    ["EIO=4&transport=polling", BAD_HANDSHAKE_METHOD, "POST"],
    ["EIO=4&transport=polling", BAD_HANDSHAKE_METHOD, "PUT"],
    ["EIO=4&transport=polling", BAD_HANDSHAKE_METHOD, "OPTIONS"],
    ["EIO=4&transport=polling", BAD_HANDSHAKE_METHOD, "DELETE"],
    ...[
      "",
      "EIO=",
      "EIO=5",
      "EIO=abc",
      "EIO=2",
      "EIO=04",
      "EIO=4.0",
      "EIO=+4",
      "EIO=4%20",
      "EIO=3&EIO=1",
    ].map((eio) => [`${eio}&transport=polling`, UNSUPPORTED_PROTOCOL_VERSION] as const),
  ] as const) {
    test(`${method} ?${query} is answered with ${code}, ${texts[code]}`, async (context) => {
      const { engine, url } = await startEngine(context);
      const errors: ConnectionError[] = [];
      engine.on("connection_error", (error) => errors.push(error));
      const response = await fetch(`${url}?${query}`, { method });
      assert.equal(response.status, 400);
      assert.equal(response.headers.get("content-type"), "application/json");
      assert.deepEqual(await response.json(), { code, message: texts[code] });
      assert.equal(errors.length, 1);
      assert.equal(errors[0]?.code, code);
      assert.equal(errors[0]?.message, texts[code]);
      assert.equal(errors[0]?.req.method, method);
      assert.equal(engine.clientsCount, 0);
    });
  }

  test("is one of revision 3 unless that is allowed", async (context) => {
    const { url } = await startEngine(context, { allowEIO3: false });
    const response = await fetch(`${url}?EIO=3&transport=polling`);
    assert.deepEqual(await response.json(), { code: 5, message: "Unsupported protocol version" });
  });

  test("is one of a transport that is switched off", async (context) => {
    const { url } = await startEngine(context, { transports: ["websocket"] });
    const response = await fetch(`${url}?EIO=4&transport=polling`);
    assert.deepEqual(await response.json(), { code: 0, message: "Transport unknown" });
  });

  test("is one of another revision than its session's, or of none", async (context) => {
    const { url, engine } = await startEngine(context);
    const names: unknown[] = [];
    engine.on("connection_error", ({ context: { name } }) => names.push(name));
    const client = new PollingClient(url);
    await client.open();
    for (const eio of ["EIO=3", "EIO=5", ""]) {
      const target = `${url}?${eio}&transport=polling&sid=${client.sid}`;
      for (const init of [{}, { method: "POST", body: "4a" }]) {
        const response = await fetch(target, init);
        assert.deepEqual(await response.json(), { code: 3, message: "Bad request" });
      }
    }
    assert.ok(names.every((name) => name === "PROTOCOL_MISMATCH") && names.length === 6);
    await client.post("4a");
    assert.equal(await client.poll(), "4a");
  });

  test("is one by polling of a session on a WebSocket", async (context) => {
    const { url, engine, opened } = await startEngine(context);
    await connectClient(`${url}?EIO=4&transport=websocket`);
    const { id } = await opened.next();
    const errors = new Inbox<ConnectionError>();
    engine.on("connection_error", (error) => errors.add(error));
    const response = await fetch(`${url}?EIO=4&transport=polling&sid=${id}`);
    assert.deepEqual(await response.json(), { code: 3, message: "Bad request" });
    const { context: told } = await errors.next();
    assert.deepEqual(told, {
      name: "TRANSPORT_MISMATCH",
      transport: "polling",
      previousTransport: "websocket",
    });
  });

  test("is one of a session with a method that says nothing", async (context) => {
    const { url } = await startEngine(context);
    const client = new PollingClient(url);
    await client.open();
    for (const method of ["PUT", "DELETE", "OPTIONS"]) {
      assert.equal((await fetch(client.target(), { method })).status, 400);
    }
  });
});

describe("a request to upgrade that cannot be", () => {
  for (const [target, status, code] of [
    ["?EIO=4&transport=polling", 400, BAD_REQUEST],
    ["?EIO=4&transport=abc", 400, UNKNOWN_TRANSPORT],
    ["?EIO=4", 400, UNKNOWN_TRANSPORT],
    ["?EIO=abc&transport=websocket", 400, UNSUPPORTED_PROTOCOL_VERSION],
    ["?transport=websocket", 400, UNSUPPORTED_PROTOCOL_VERSION],
    ["?EIO=4&transport=websocket&sid=__proto__", 400, UNKNOWN_SID],
    ["?EIO=4&transport=websocket&sid=constructor", 400, UNKNOWN_SID],
  ] as const) {
    test(`${target} is answered with ${status} and ${code}`, async (context) => {
      const { port, engine } = await startEngine(context);
      const answer = await exchange(port, upgradeOf(`/engine.io/${target}`));
      assert.match(answer, new RegExp(`^HTTP/1.1 ${status} `));
      const body = answer.slice(answer.indexOf("\r\n\r\n") + 4);
      assert.deepEqual(JSON.parse(body), { code, message: texts[code] });
      assert.equal(engine.clientsCount, 0);
    });
  }

  test("has no key or another protocol, and costs its socket only", async (context) => {
    const { port, url, engine } = await startEngine(context);
    const names: unknown[] = [];
    engine.on("connection_error", ({ context: { name } }) => names.push(name));
    const target = "/engine.io/?EIO=4&transport=websocket";
    const bare = `GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n`;
    for (const [headers, status] of [
      ["Upgrade: websocket\r\n\r\n", 426],
      ["Upgrade: h2c\r\n\r\n", 400],
      ["Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short\r\n\r\n", 400],
    ] as const) {
      assert.match(await exchange(port, bare + headers), new RegExp(`^HTTP/1.1 ${status} `));
      assert.equal(names.pop(), "WEBSOCKET_HANDSHAKE_ERROR");
    }
    assert.equal(engine.clientsCount, 0);
    await new PollingClient(url).open();
  });

  test("comes from a client that is gone before the answer", async (context) => {
    const asked = new Inbox<{ request: IncomingMessage; allow: () => void }>();
    const { port, engine } = await startEngine(context, {
      allowRequest: (request, decide) => asked.add({ request, allow: () => decide(null, true) }),
    });
    for (const sent of [
      upgradeOf("/engine.io/?EIO=4&transport=websocket"),
      "GET /engine.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: a\r\n\r\n",
    ]) {
      const socket = connect(port, "127.0.0.1");
      socket.write(sent);
      const { request, allow } = await asked.next();
      const gone = new Promise((resolve) => request.socket.once("close", resolve));
      socket.resetAndDestroy();
      await gone;
      allow();
      await new Promise(setImmediate);
      assert.equal(engine.clientsCount, 0);
    }
  });

  test("sends on before it is let in, and loses nothing", async (context) => {
    const asked = new Inbox<() => void>();
    const { url } = await startEngine(context, {
      allowRequest: (_request, decide) => asked.add(() => decide(null, true)),
    });
    const connecting = connectClient(`${url}?EIO=4&transport=websocket`);
    (await asked.next())();
    const { connection, messages } = await connecting;
    connection.send("4a");
    await messages.next();
    assert.equal(await messages.next(), "4a");
  });
});

describe("the application", () => {
  test("may refuse clients, with a message of its own", async (context) => {
    const { url, port, engine } = await startEngine(context, {
      allowRequest: ({ headers }, decide) =>
        decide(headers["x-why"] === undefined ? null : "Sign in.", false),
    });
    const errors: unknown[] = [];
    engine.on("connection_error", ({ code, message, context: told }) =>
      errors.push([code, message, told.message]),
    );
    const target = `${url}?EIO=4&transport=polling`;
    const refused = await fetch(target, { headers: { "X-Why": "1" } });
    assert.equal(refused.status, 403);
    assert.deepEqual(await refused.json(), { code: FORBIDDEN, message: "Sign in." });
    assert.deepEqual(await (await fetch(target)).json(), { code: FORBIDDEN, message: "Forbidden" });
    const answer = await exchange(port, upgradeOf("/engine.io/?EIO=4&transport=websocket"));
    assert.match(answer, /^HTTP\/1.1 403 .*\{"code":4,"message":"Forbidden"\}$/s);
    assert.deepEqual(errors[0], [4, "Forbidden", "Sign in."]);
  });

  test("is asked for handshakes alone", async (context) => {
    let asked = 0;
    const { url } = await startEngine(context, {
      allowRequest: (_request, decide) => {
        asked++;
        decide(undefined, true);
      },
    });
    const client = new PollingClient(url);
    await client.open();
    await client.post("4a");
    await client.poll();
    assert.equal(asked, 1);
  });

  for (const [what, allowRequest] of [
    ["rejects", () => Promise.reject(new Error("secret"))],
    [
      "throws",
      () => {
        throw new Error("secret");
      },
    ],
  ] as const) {
    test(`that ${what} instead of deciding refuses the request, and keeps its secrets`, async (context) => {
      const { url, engine } = await startEngine(context, { allowRequest });
      const errors = new Inbox<ConnectionError>();
      engine.on("connection_error", (error) => errors.add(error));
      const response = await fetch(`${url}?EIO=4&transport=polling`);
      assert.deepEqual(await response.json(), { code: BAD_REQUEST, message: "Bad request" });
      const { context: told } = await errors.next();
      assert.equal(told.name, "ALLOW_REQUEST_ERROR");
    });
  }

  test("may choose the ids of sessions, also after a while", async (context) => {
    const { url, engine } = await startEngine(context);
    let next = 0;
    engine.generateId = (request) => Promise.resolve(`${String(request.headers["x-name"])}-${next++}`);
    for (const expected of ["ada-0", "ada-1"]) {
      const response = await fetch(`${url}?EIO=4&transport=polling`, { headers: { "X-Name": "ada" } });
      const { sid } = JSON.parse((await response.text()).slice(1)) as { sid: string };
      assert.equal(sid, expected);
    }
  });

  for (const [what, generateId] of [
    [
      "throws",
      () => {
        throw new Error("no id");
      },
    ],
    ["rejects", () => Promise.reject(new Error("no id"))],
    ["gives nothing", () => ""],
    ["gives one twice", () => "same"],
  ] as const) {
    test(`refuses the request where its generateId ${what}`, async (context) => {
      const { url, engine } = await startEngine(context);
      const errors = new Inbox<ConnectionError>();
      engine.on("connection_error", (error) => errors.add(error));
      engine.generateId = generateId;
      if (what === "gives one twice") await new PollingClient(url).open();
      const response = await fetch(`${url}?EIO=4&transport=polling`);
      assert.deepEqual(await response.json(), { code: BAD_REQUEST, message: "Bad request" });
      assert.equal((await errors.next()).context.name, "ID_GENERATION_ERROR");
    });
  }

  test("may have names such as __proto__ as ids", async (context) => {
    const { url, engine } = await startEngine(context);
    engine.generateId = () => "__proto__";
    const client = new PollingClient(url);
    await client.open();
    await client.post("4a");
    assert.equal(await client.poll(), "4a");
  });
});

describe("a middleware", () => {
  test("sees every request, in turn with others, and may set headers, on WebSockets too", async (context) => {
    const { url, engine } = await startEngine(context);
    const seen: string[] = [];
    engine.use((request, response, next) => {
      seen.push(`first ${request.method}`);
      response.setHeader("X-First", "1");
      next();
    });
    engine.use(async (_request, response, next) => {
      await Promise.resolve();
      seen.push("second");
      response.setHeader("X-Second", "2");
      next();
    });
    const client = new PollingClient(url);
    const response = await client.get();
    assert.equal(response.headers.get("x-first"), "1");
    assert.equal(response.headers.get("x-second"), "2");
    const headers = await upgradeHeaders(client.target("websocket"));
    assert.equal(headers["x-first"], "1");
    assert.equal(headers["x-second"], "2");
    assert.deepEqual(seen, ["first GET", "second", "first GET", "second"]);
  });

  test("and whoever else is given a request finds its parameters where engine.io puts them", async (context) => {
    const asked: unknown[] = [];
    const ask = (request: IncomingMessage): void => {
      const { _query: query } = request as IncomingMessage & { _query?: Record<string, string> };
      asked.push(query?.["sid"] ?? query?.["own"]);
    };
    const { url, engine } = await startEngine(context, {
      allowRequest: (request, decide) => {
        ask(request);
        decide(null, true);
      },
    });
    const client = new PollingClient(url, "EIO=4&own=a%20b");
    await client.open();
    engine.use((request, _response, next) => {
      ask(request);
      next();
    });
    await client.post("4a");
    await upgradeHeaders(client.target("websocket"));
    assert.deepEqual(asked, ["a b", client.sid, client.sid]);
  });

  test("may set headers in the last moment, when the head is written", async (context) => {
    const { url, engine } = await startEngine(context);
    engine.use((_request, response, next) => {
      const writeHead = response.writeHead.bind(response) as (...args: unknown[]) => ServerResponse;
      response.writeHead = (...args: unknown[]) => {
        response.setHeader("Set-Cookie", ["session=1", "other=2"]);
        return writeHead(...args);
      };
      next();
    });
    const headers = await upgradeHeaders(`${url}?EIO=4&transport=websocket`);
    assert.deepEqual(headers["set-cookie"], ["session=1", "other=2"]);
    const response = await fetch(`${url}?EIO=4&transport=polling`);
    assert.deepEqual(response.headers.getSetCookie(), ["session=1", "other=2"]);
  });

  for (const [what, fail] of [
    ["passes on", (next: (error: unknown) => void) => next(new Error("secret"))],
    [
      "throws",
      () => {
        throw new Error("secret");
      },
    ],
    ["rejects with", () => Promise.reject(new Error("secret"))],
  ] as const) {
    test(`refuses a request with an error that it ${what}`, async (context) => {
      const { url, port, engine } = await startEngine(context);
      const errors = new Inbox<ConnectionError>();
      engine.on("connection_error", (error) => errors.add(error));
      engine.use((_request, _response, next) => fail(next));
      const response = await fetch(`${url}?EIO=4&transport=polling`);
      assert.deepEqual(await response.json(), { code: BAD_REQUEST, message: "Bad request" });
      assert.equal((await errors.next()).context.name, "MIDDLEWARE_FAILURE");
      const answer = await exchange(port, upgradeOf("/engine.io/?EIO=4&transport=websocket"));
      assert.match(answer, /^HTTP\/1.1 400 /);
    });
  }

  test("may answer itself", async (context) => {
    const { url, port, engine } = await startEngine(context);
    engine.use((_request, response) => response.writeHead(401).end("who are you?"));
    const response = await fetch(`${url}?EIO=4&transport=polling`);
    assert.equal(response.status, 401);
    const answer = await exchange(port, upgradeOf("/engine.io/?EIO=4&transport=websocket"));
    assert.match(answer, /^HTTP\/1.1 401 .*who are you\?/s);
    assert.equal(engine.clientsCount, 0);
  });

  test("has the session keep its request, on which it may have put something", async (context) => {
    const { url, engine, opened } = await startEngine(context);
    await new PollingClient(url).open();
    assert.equal((await opened.next()).request, undefined);
    engine.use((request, _response, next) => {
      Object.assign(request, { user: "ada" });
      next();
    });
    await new PollingClient(url).open();
    assert.equal(((await opened.next()) as { request?: { user?: string } }).request?.user, "ada");
  });
});

describe("headers of answers", () => {
  test("may be changed by listeners, those of the handshake apart", async (context) => {
    const { url, engine } = await startEngine(context);
    engine.on("initial_headers", (headers) => void (headers["X-Initial"] = "1"));
    engine.on("headers", (headers, request) => void (headers["X-Method"] = request.method));
    const client = new PollingClient(url);
    const first = await client.get();
    client.sid = (JSON.parse((await first.text()).slice(1)) as { sid: string }).sid;
    const post = await client.post("4a");
    const poll = await client.get();
    assert.deepEqual(
      [first, post, poll].map(({ headers }) => [headers.get("x-initial"), headers.get("x-method")]),
      [
        ["1", "GET"],
        [null, "POST"],
        [null, "GET"],
      ],
    );
    const direct = await upgradeHeaders(`${url}?EIO=4&transport=websocket`);
    assert.deepEqual([direct["x-initial"], direct["x-method"]], ["1", "GET"]);
    const upgraded = await upgradeHeaders(client.target("websocket"));
    assert.deepEqual([upgraded["x-initial"], upgraded["x-method"]], [undefined, "GET"]);
  });

  for (const [cookie, expected] of [
    [true, /^io=[\w-]{20}; Path=\/; HttpOnly; SameSite=Lax$/],
    [
      { name: "sid", path: false, httpOnly: false, sameSite: "none", secure: true, partitioned: true },
      /^sid=[\w-]{20}; Secure; Partitioned; SameSite=None$/,
    ],
    [
      { domain: "example.com", maxAge: 60.5, sameSite: true, expires: new Date(0) },
      /^io=.*; Max-Age=60; Domain=example.com; Path=\/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=Strict$/,
    ],
  ] as const) {
    test(`have a cookie with the id where that is wanted: ${JSON.stringify(cookie)}`, async (context) => {
      const { url, opened } = await startEngine(context, { cookie });
      const client = new PollingClient(url);
      const first = await client.get();
      const [value = ""] = first.headers.getSetCookie();
      assert.match(value, expected);
      client.sid = (await opened.next()).id;
      assert.ok(value.includes(client.sid));
      assert.deepEqual((await client.post("4a")).headers.getSetCookie(), []);
      const { "set-cookie": direct } = await upgradeHeaders(`${url}?EIO=4&transport=websocket`);
      assert.equal(direct, undefined);
    });
  }

  test("may have other cookies beside it", async (context) => {
    const { url, engine } = await startEngine(context, { cookie: true });
    engine.on("initial_headers", (headers) => void (headers["set-cookie"] = "mine=1"));
    const response = await new PollingClient(url).get();
    assert.equal(response.headers.getSetCookie().length, 2);
  });

  test("have no cookie otherwise", async (context) => {
    const { url } = await startEngine(context);
    assert.deepEqual((await new PollingClient(url).get()).headers.getSetCookie(), []);
  });
});

/** The headers of the answer to a request to upgrade, which must succeed. */
async function upgradeHeaders(target: string): Promise<IncomingMessage["headers"]> {
  const request = httpRequest(target, {
    headers: {
      Connection: "Upgrade",
      Upgrade: "websocket",
      "Sec-WebSocket-Version": "13",
      "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    },
  });
  request.end();
  const [response, socket] = (await once(request, "upgrade")) as [IncomingMessage, Socket];
  socket.destroy();
  return response.headers;
}

describe("an engine on an HTTP server", () => {
  test("leaves all other requests to those who had them", async (context) => {
    const { http, url, port } = await startEngine(context, {}, {}, (_request, response) => {
      response.end("other");
    });
    const base = `http://127.0.0.1:${port}`;
    for (const path of ["/", "/engine.io", "/other?transport=polling"]) {
      assert.equal(await (await fetch(base + path)).text(), "other");
    }
    assert.equal((await fetch(url)).status, 400);
    http.on("upgrade", (request, socket) => {
      if (request.url === "/mine") socket.end("HTTP/1.1 418 mine\r\n\r\n");
    });
    assert.match(await exchange(port, upgradeOf("/mine")), /^HTTP\/1.1 418 mine/);
  });

  test("can have another path, with a slash or without", async () => {
    for (const [options, target, taken] of [
      [{ path: "/socket.io" }, "/socket.io/", true],
      [{ path: "/socket.io/" }, "/socket.io/", true],
      [{ path: "/socket.io" }, "/socket.io", false],
      [{ path: "/socket.io", addTrailingSlash: false }, "/socket.io", true],
      [{ path: "/socket.io" }, "/engine.io/", false],
    ] as const) {
      const engine = new EngineServer();
      const http = createServer((_request, response) => response.writeHead(404).end());
      engine.attach(http, options);
      await once(http.listen(0, "127.0.0.1"), "listening");
      const { port } = http.address() as { port: number };
      const response = await fetch(`http://127.0.0.1:${port}${target}?EIO=4&transport=polling`);
      assert.equal(response.status, taken ? 200 : 404, JSON.stringify([options, target]));
      await response.text();
      http.closeAllConnections();
      http.close();
      await once(http, "close");
      assert.equal(engine.clientsCount, 0);
    }
  });

  test("ends upgrades that nobody takes, unless told not to", async () => {
    const engine = new EngineServer();
    const http = createServer();
    engine.attach(http, { destroyUpgradeTimeout: 10 });
    await once(http.listen(0, "127.0.0.1"), "listening");
    const { port } = http.address() as { port: number };
    assert.equal(await exchange(port, upgradeOf("/unknown")), "");
    http.close();
  });
});

test("an option that cannot be meant is an error that names it", () => {
  for (const [options, message] of [
    [{ pingInterval: 0 }, /^RangeError: pingInterval is 0/],
    [{ pingTimeout: -1 }, /^RangeError: pingTimeout/],
    [{ upgradeTimeout: Number.NaN }, /^RangeError: upgradeTimeout/],
    [{ pingInterval: Infinity }, /^RangeError: pingInterval is Infinity.*at most 2147483647/],
    [{ maxHttpBufferSize: 0 }, /^RangeError: maxHttpBufferSize/],
    [{ maxBufferedBytes: 0 }, /^RangeError: maxBufferedBytes/],
    [{ transports: ["webtransport" as "polling"] }, /^RangeError: transports has "webtransport"/],
  ] as const) {
    assert.throws(
      () => new EngineServer(options),
      (error) => message.test(String(error)),
    );
  }
  assert.doesNotThrow(() => new EngineServer({ maxBufferedBytes: Infinity, maxHttpBufferSize: 1e8 }));
});
