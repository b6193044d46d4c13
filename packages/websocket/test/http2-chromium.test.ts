import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse } from "node:http2";
import { after, before, describe, test } from "node:test";
import { startChromium, testCertificates } from "@sluice/testkit";
import { createWebSocketServer, type HandshakeRequest, type WebSocketServer } from "../src/index.ts";
import { startHttp2 } from "./support/http2.ts";
import { echo, Journal } from "./support/journal.ts";
import { start } from "./support/server.ts";

type Browser = Awaited<ReturnType<typeof startChromium>>;
type Page = Awaited<ReturnType<Browser["newPage"]>>;

/** The script of the page: opens sockets, sends a text and bytes on each, closes it, and says what came. */
const script = `
function converse(path, protocols, count) {
  return Promise.all(Array.from({ length: count }, (_, index) => new Promise((resolve) => {
    const socket = new WebSocket(location.origin.replace("http", "ws") + path, protocols);
    socket.binaryType = "arraybuffer";
    const seen = [];
    socket.onopen = () => {
      seen.push("open " + socket.protocol + " " + socket.extensions);
      socket.send("text " + index + " ☃");
      socket.send(new Uint8Array(100_000).fill(7));
    };
    socket.onmessage = ({ data }) => {
      seen.push(typeof data === "string" ? data : data.byteLength + " bytes");
      if (seen.length === 3) socket.close(1000, "done");
    };
    socket.onclose = ({ code, reason, wasClean }) => {
      seen.push("close " + code + " " + reason + (wasClean ? " clean" : " unclean"));
      resolve(seen);
    };
  })));
}`;

function servePage(
  _: IncomingMessage | Http2ServerRequest,
  response: ServerResponse | Http2ServerResponse,
): void {
  response.writeHead(200, { "content-type": "text/html; charset=utf-8" });
  response.end(`<!doctype html><title>test</title><script>${script}</script>`);
}

/** What sockets of a page see, of which each gets back what it sends. */
function converse(
  page: Page,
  path: string,
  { protocols = [], count = 1 }: { readonly protocols?: readonly string[]; readonly count?: number } = {},
): Promise<string[][]> {
  const call = `converse(${JSON.stringify(path)}, ${JSON.stringify(protocols)}, ${count})`;
  return page.evaluate<string[][]>(call);
}

/** A server that writes down its opening requests. */
function recording(journal: Journal): { server: WebSocketServer; requests: HandshakeRequest[] } {
  const requests: HandshakeRequest[] = [];
  const server = createWebSocketServer({
    handlers: { ...echo, close: (connection, closed) => journal.close(connection, closed) },
    protocols: ["chat.v1"],
    compression: true,
    verify: (request) => void requests.push(request),
  });
  return { server, requests };
}

describe("Chromium", () => {
  let browser: Browser;
  before(async () => {
    browser = await startChromium();
  });
  after(() => browser.close());

  /** A page of a server, whose WebSockets go to `server`. */
  async function pageOf(url: string): Promise<Page> {
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    const page = await context.newPage();
    await page.goto(url);
    return page;
  }

  test("speaks WebSocket over HTTP/2 with a server that has TLS", async (context) => {
    const journal = new Journal();
    const { server, requests } = recording(journal);
    const http = createSecureServer({ ...testCertificates().server, allowHTTP1: true }, servePage);
    let upgrades = 0;
    http.on("upgrade", () => upgrades++);
    server.attach(http);
    let sessions = 0;
    http.on("session", () => sessions++);
    const port = await startHttp2(context, http);
    const page = await pageOf(`https://localhost:${port}/`);
    const [seen] = await converse(page, "/chat?x=1", { protocols: ["chat.v1"] });
    assert.deepEqual(seen, [
      "open chat.v1 permessage-deflate; server_max_window_bits=12; client_max_window_bits=12",
      "text 0 ☃",
      "100000 bytes",
      "close 1000 done clean",
    ]);
    const [request] = requests;
    assert.equal(request?.headers[":method" as "host"], "CONNECT");
    assert.equal(request?.headers[":protocol" as "host"], "websocket");
    assert.equal(request?.headers.host, `localhost:${port}`);
    assert.equal(request?.headers["sec-websocket-key"], undefined);
    assert.equal(request?.url, "/chat?x=1");
    assert.equal(upgrades, 0);
    assert.deepEqual(await journal.count(1), ["close 1000 done"]);
    assert.equal(journal.closed?.clean, true);

    // More than these at once Chromium delays by up to five seconds.
    const many = await converse(page, "/many", { count: 12 });
    assert.equal(many.length, 12);
    for (const [index, each] of many.entries()) {
      assert.deepEqual(each.slice(1), [`text ${index} ☃`, "100000 bytes", "close 1000 done clean"]);
    }
    assert.equal(requests.length, 13);
    assert.ok(sessions <= 2, `${sessions} sessions`);
    await journal.count(13);
    assert.equal(server.connections.size, 0);
    await page.context().close();
  });

  test("is refused over HTTP/2, closed by a server that goes, and knows a reset", async (context) => {
    const server = createWebSocketServer([
      { path: "/refused", handlers: {}, verify: () => ({ status: 403, message: "No." }) },
      { path: "/lost", handlers: { open: (connection) => connection.terminate() } },
      { path: "/going", handlers: { open: () => void setImmediate(() => void server.close()) } },
    ]);
    const http = createSecureServer({ ...testCertificates().server, allowHTTP1: true }, servePage);
    server.attach(http);
    const page = await pageOf(`https://localhost:${await startHttp2(context, http)}/`);
    const [refused] = await converse(page, "/refused");
    assert.deepEqual(refused, ["close 1006  unclean"]);
    const [lost] = await converse(page, "/lost");
    assert.equal(lost?.at(-1), "close 1006  unclean");
    const [going] = await converse(page, "/going");
    assert.equal(going?.at(-1), "close 1001 the server closes clean");
    await page.context().close();
  });

  test("speaks WebSocket over HTTP/1.1 with a server that has no TLS", async (context) => {
    const journal = new Journal();
    const { server, requests } = recording(journal);
    const http = createServer(servePage);
    server.attach(http);
    const page = await pageOf(`http://localhost:${await start(context, http)}/`);
    const [seen] = await converse(page, "/", { protocols: ["other", "chat.v1"] });
    assert.deepEqual(seen?.slice(1), ["text 0 ☃", "100000 bytes", "close 1000 done clean"]);
    assert.match(seen?.[0] ?? "", /^open chat\.v1 permessage-deflate/);
    assert.equal(requests[0]?.headers.upgrade, "websocket");
    assert.equal(requests[0]?.headers[":protocol" as "host"], undefined);
    await journal.count(1);
    await page.context().close();
  });
});
