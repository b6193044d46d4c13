import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { connect } from "node:net";
import { describe, test } from "node:test";
import { connectWebSocket, type Refusal, WebSocketError } from "../src/index.ts";
import { echo, Journal } from "./support/journal.ts";
import { listen, start } from "./support/server.ts";

const key = "dGhlIHNhbXBsZSBub25jZQ==";
const correct: Readonly<Record<string, string>> = {
  Host: "example.com",
  Upgrade: "websocket",
  Connection: "Upgrade",
  "Sec-WebSocket-Key": key,
  "Sec-WebSocket-Version": "13",
};

function opening(change: Readonly<Record<string, string | undefined>>, line = "GET /chat HTTP/1.1"): string {
  const fields = Object.entries({ ...correct, ...change }).filter(([, value]) => value !== undefined);
  return `${[line, ...fields.map(([name, value]) => `${name}: ${value}`)].join("\r\n")}\r\n\r\n`;
}

async function answer(port: number, request: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.write(request);
  let text = "";
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    text += chunk.toString("latin1");
    if (text.startsWith("HTTP/1.1 101") && text.includes("\r\n\r\n")) break;
  }
  socket.destroy();
  return text;
}

describe("acceptWebSocket", () => {
  const refusals: readonly [name: string, request: string, status: number, says: RegExp][] = [
    ["another method", opening({}, "POST /chat HTTP/1.1"), 400, /GET, not POST/],
    ["HTTP/1.0", opening({}, "GET /chat HTTP/1.0"), 400, /HTTP\/1\.1/],
    ["two Host fields", opening({ host: "other.example.com" }), 400, /one Host/],
    ["a body", opening({ "Content-Length": "3" }), 400, /no body/],
    ["another upgrade", opening({ Upgrade: "h2c" }), 400, /Upgrade field/],
    ["no key", opening({ "Sec-WebSocket-Key": undefined }), 400, /Key field is missing/],
    ["a short key", opening({ "Sec-WebSocket-Key": "dGhlIHNhbXBsZQ==" }), 400, /16 bytes/],
    ["a key of wrong letters", opening({ "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZ*==" }), 400, /16 bytes/],
    ["two keys", opening({ "sec-websocket-key": key }), 400, /more than one/],
    ["version 8", opening({ "Sec-WebSocket-Version": "8" }), 426, /must be 13/],
    ["no version", opening({ "Sec-WebSocket-Version": undefined }), 426, /must be 13/],
    ["two versions", opening({ "sec-websocket-version": "13" }), 426, /must be 13/],
    ["a subprotocol that is no token", opening({ "Sec-WebSocket-Protocol": "a, b c" }), 400, /tokens/],
    ["an empty subprotocol", opening({ "Sec-WebSocket-Protocol": "a,,b" }), 400, /tokens/],
    ["a subprotocol named twice", opening({ "Sec-WebSocket-Protocol": "a, b, a" }), 400, /once/],
    ["a foreign origin", opening({ Origin: "https://evil.example.org" }), 403, /may not connect/],
    ["another port of the same host", opening({ Origin: "http://example.com:81" }), 403, /may not connect/],
    ["a null origin", opening({ Origin: "null" }), 403, /may not connect/],
    ["two origins", opening({ Origin: "http://example.com", origin: "http://example.com" }), 403, /may not/],
  ];
  for (const [name, request, status, says] of refusals) {
    test(`refuses ${name} with ${status} and says what is wrong`, async (context) => {
      const told: Refusal[] = [];
      const server = await listen(context, { handlers: echo, refused: (refusal) => told.push(refusal) });
      const text = await answer(server.port, request);
      assert.match(text, new RegExp(`^HTTP/1\\.1 ${status} `));
      assert.match(text, /\r\nConnection: close\r\n/);
      assert.match(text.split("\r\n\r\n")[1] ?? "", says);
      assert.equal(/\r\nSec-WebSocket-Version: 13\r\n/.test(text), status === 426);
      assert.deepEqual(
        told.map((refusal) => refusal.status),
        [status],
      );
      assert.equal(server.connections.length, 0);
    });
  }

  const accepted: readonly [name: string, request: string][] = [
    ["the example of RFC 6455 section 1.3", opening({})],
    [
      "tokens in lists and in any case",
      opening({ Connection: "keep-alive, UPGRADE", Upgrade: "h2c, WebSocket" }),
    ],
    ["a page of the same host", opening({ Origin: "https://example.com" })],
    ["a page of the same host, its port written out", opening({ Origin: "http://EXAMPLE.com:80" })],
    [
      "a page of the same host and port",
      opening({ Host: "example.com:81", Origin: "http://example.com:81" }),
    ],
  ];
  for (const [name, request] of accepted) {
    test(`accepts ${name}`, async (context) => {
      const server = await listen(context, { handlers: echo });
      const text = await answer(server.port, request);
      assert.match(text, /^HTTP\/1\.1 101 /);
      assert.match(text, /\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/);
    });
  }

  test("takes the first offered subprotocol that it speaks, or what a function says", async (context) => {
    const offer = opening({ "Sec-WebSocket-Protocol": "a, b, c" });
    const list = await listen(context, { handlers: echo, protocols: ["c", "b"] });
    assert.match(await answer(list.port, offer), /\r\nSec-WebSocket-Protocol: b\r\n/);
    assert.equal(list.connections[0]?.protocol, "b");
    const choice = await listen(context, { handlers: echo, protocols: (offered) => offered.at(-1) });
    assert.match(await answer(choice.port, offer), /\r\nSec-WebSocket-Protocol: c\r\n/);
    const none = await listen(context, { handlers: echo, protocols: ["d"] });
    assert.doesNotMatch(await answer(none.port, offer), /Sec-WebSocket-Protocol/);
  });

  test("follows each form of origin policy", async (context) => {
    const foreign = opening({ Origin: "https://App.example.org" });
    for (const [origin, status] of [
      ["any", 101],
      [["https://app.example.org"], 101],
      [["https://example.org"], 403],
      [(each: string) => each.endsWith(".org"), 101],
      [() => false, 403],
    ] as const) {
      const server = await listen(context, { handlers: echo, origin });
      assert.match(await answer(server.port, foreign), new RegExp(`^HTTP/1\\.1 ${status} `));
    }
  });

  test("adds the given headers, and throws on one that would break the answer", async (context) => {
    const server = await listen(context, {
      handlers: echo,
      headers: { "Set-Cookie": ["a=1", "b=2"], "X-Node": 7 },
    });
    const text = await answer(server.port, opening({}));
    assert.match(text, /\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-Node: 7\r\n/);
  });

  test("reads frames that came together with the request", async (context) => {
    const journal = new Journal();
    const server = await listen(context, { handlers: journal });
    const socket = connect(server.port, "127.0.0.1");
    context.after(() => socket.destroy());
    socket.write(Buffer.concat([Buffer.from(opening({})), Buffer.from("81850000000048656c6c6f", "hex")]));
    assert.deepEqual(await journal.count(1), ["text Hello"]);
  });
});

describe("connectWebSocket", () => {
  const answers: readonly [name: string, answer: (accept: string) => string, says: RegExp][] = [
    ["a wrong accept", () => opened({ "Sec-WebSocket-Accept": "x" }), /Accept/],
    ["no accept", () => opened({}), /Accept/],
    [
      "another upgrade",
      (accept) => opened({ Upgrade: "h2c", "Sec-WebSocket-Accept": accept }),
      /Upgrade field/,
    ],
    [
      "an extension that was not offered",
      (accept) => opened({ "Sec-WebSocket-Accept": accept, "Sec-WebSocket-Extensions": "x-made-up" }),
      /extension/,
    ],
    [
      "a subprotocol that was not offered",
      (accept) => opened({ "Sec-WebSocket-Accept": accept, "Sec-WebSocket-Protocol": "b" }),
      /subprotocol "b"/,
    ],
    ["no subprotocol", (accept) => opened({ "Sec-WebSocket-Accept": accept }), /none of the subprotocols/],
  ];
  for (const [name, reply, says] of answers) {
    test(`refuses a 101 answer with ${name}`, async (context) => {
      const server = createServer();
      server.on("upgrade", (request, socket) => {
        void import("../src/handshake/accept-key.ts").then(({ acceptFromKey }) => {
          socket.end(reply(acceptFromKey(request.headers["sec-websocket-key"] ?? "")));
        });
      });
      const port = await start(context, server);
      await assert.rejects(connectWebSocket(`ws://127.0.0.1:${port}`, { protocols: ["a"] }), (error) => {
        assert.ok(error instanceof WebSocketError);
        assert.equal(error.code, "handshake_invalid");
        assert.match(error.message, says);
        return true;
      });
    });
  }

  test("does not follow a redirect, and says where it went", async (context) => {
    const server = createServer((_request, response) => {
      response.writeHead(302, { Location: "https://example.org/" }).end("moved");
    });
    const port = await start(context, server);
    await assert.rejects(connectWebSocket(`ws://127.0.0.1:${port}`), (error) => {
      assert.ok(error instanceof WebSocketError);
      assert.deepEqual([error.code, error.status], ["handshake_refused", 302]);
      assert.match(
        error.message,
        /302 Found \(redirects to https:\/\/example\.org\/, which is not followed\): moved/,
      );
      return true;
    });
  });

  test("gives up on a server that does not answer", async (context) => {
    const server = createServer();
    server.on("upgrade", () => {});
    const port = await start(context, server);
    await assert.rejects(connectWebSocket(`ws://127.0.0.1:${port}`, { limits: { handshakeTimeoutMs: 20 } }), {
      code: "handshake_timeout",
    });
  });

  test("gives up when its signal fires, before and during the handshake", async (context) => {
    const server = createServer();
    const asked = once(server, "upgrade");
    const port = await start(context, server);
    await assert.rejects(connectWebSocket(`ws://127.0.0.1:${port}`, { signal: AbortSignal.abort() }), {
      code: "aborted",
    });
    const abort = new AbortController();
    const connecting = connectWebSocket(`ws://127.0.0.1:${port}`, { signal: abort.signal });
    await asked;
    abort.abort(new Error("enough"));
    await assert.rejects(connecting, { code: "aborted", cause: new Error("enough") });
  });

  test("says when there is no server", async () => {
    await assert.rejects(connectWebSocket("ws://127.0.0.1:1"), { code: "connect_failed" });
  });

  test("takes only ws: and wss: URLs without a fragment", async () => {
    for (const url of ["http://example.com", "example.com", "ws://example.com/#part", "ws://example.com/#"]) {
      await assert.rejects(connectWebSocket(url), { code: "url_invalid" });
    }
    await assert.rejects(connectWebSocket("ws://example.com", { protocols: ["a b"] }), RangeError);
  });
});

function opened(change: Readonly<Record<string, string>>): string {
  const fields = { Upgrade: "websocket", Connection: "Upgrade", ...change };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}`);
  return `${["HTTP/1.1 101 Switching Protocols", ...lines].join("\r\n")}\r\n\r\n`;
}
