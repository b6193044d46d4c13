import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import { createSecureServer, type Http2ServerResponse } from "node:http2";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import { type FaultProxy, startChromium, startFaultProxy, testCertificates } from "@sluice/testkit";
import { Server, type Socket } from "../src/index.ts";
import { next } from "./support/io-server.ts";

type Chromium = Awaited<ReturnType<typeof startChromium>>;
type Tab = Awaited<ReturnType<Chromium["newPage"]>>;

const pageFile = readFileSync(new URL("browser/page.html", import.meta.url));

function servePage(_request: unknown, response: ServerResponse | Http2ServerResponse): void {
  response.setHeader("content-type", "text/html");
  response.end(pageFile);
}

/** Waits until the page has heard so many events, and answers all of them. */
async function heard(tab: Tab, count: number): Promise<string[]> {
  await tab.waitForFunction(`seen.heard.length >= ${count}`);
  return tab.evaluate<string[]>(`seen.heard`);
}

describe("in Chromium, socket.io-client as the server serves it", () => {
  let chromium: Chromium;
  let io: Server;
  let proxy: FaultProxy;

  before(async () => {
    const http = createServer(servePage);
    io = new Server(http, { pingInterval: 500, pingTimeout: 1500, connectionStateRecovery: {} });
    io.on("connection", (socket) => {
      socket.on("echo", (bytes: Buffer, ack: (bytes: Buffer) => void) => ack(bytes));
    });
    await once(http.listen(0, "127.0.0.1"), "listening");
    const { port } = http.address() as AddressInfo;
    // The network that is lost.
    proxy = await startFaultProxy(`127.0.0.1:${port}`);
    chromium = await startChromium();
  });
  after(async () => {
    await chromium.close();
    await proxy.close();
    await io.close();
  });

  /** A page that has connected, and the server's end. */
  async function openPage(options: object = {}): Promise<{ tab: Tab; socket: Socket }> {
    const tab = await chromium.newPage();
    await tab.goto(`http://${proxy.address}`);
    const connected = next(io, "connection");
    await tab.evaluate(`open(${JSON.stringify(options)})`);
    const [socket] = (await connected) as [Socket];
    return { tab, socket };
  }

  test("polls, and moves to a WebSocket", async () => {
    const { tab, socket } = await openPage();
    await tab.waitForFunction(`seen.transports.length === 2`);
    assert.deepEqual(await tab.evaluate(`seen.transports`), ["polling", "websocket"]);
    assert.equal(socket.conn.transport.name, "websocket");
    assert.deepEqual(await tab.evaluate(`echo(0, 128, 255)`), [0, 128, 255]);
    socket.emit("told", "hällo ☕");
    assert.deepEqual(await heard(tab, 1), ["hällo ☕"]);
    await tab.close();
  });

  for (const transport of ["polling", "websocket"]) {
    test(`has bytes acknowledged by ${transport} alone`, async () => {
      const { tab } = await openPage({ transports: [transport] });
      assert.deepEqual(await tab.evaluate(`echo(0, 128, 255)`), [0, 128, 255]);
      assert.deepEqual(await tab.evaluate(`seen.transports`), [transport]);
      await tab.close();
    });
  }

  test("polls by HTTP/2, and moves to a WebSocket of HTTP/1.1", async () => {
    const http = createSecureServer({ ...testCertificates().server, allowHTTP1: true }, servePage);
    const secure = new Server(http);
    const connection = next(secure, "connection");
    await once(http.listen(0, "127.0.0.1"), "listening");
    const context = await chromium.newContext({ ignoreHTTPSErrors: true });
    const tab = await context.newPage();
    await tab.goto(`https://127.0.0.1:${(http.address() as AddressInfo).port}`);
    await tab.evaluate(`open()`);
    await tab.waitForFunction(`seen.transports.length === 2`);
    const [socket] = (await connection) as [Socket];
    assert.equal(socket.conn.transport.name, "websocket");
    const protocols = `performance.getEntriesByType("resource")
      .filter(({ name }) => name.includes("transport=polling"))
      .map(({ nextHopProtocol }) => nextHopProtocol)`;
    assert.deepEqual(new Set(await tab.evaluate<string[]>(protocols)), new Set(["h2"]));
    await context.close();
    await secure.close();
  });

  const losses: Record<string, () => void> = {
    "falls silent": () => proxy.set({ stall: true }),
    "resets its connections": () => proxy.reset(),
  };
  for (const [loses, lose] of Object.entries(losses)) {
    test(`recovers when the network ${loses} and returns, with all it missed, in order and once`, async () => {
      const { tab, socket } = await openPage();
      await tab.waitForFunction(`seen.transports.length === 2`);
      const expected: string[] = [];
      const tell = (): void => {
        const what = `event ${expected.length + 1}`;
        expected.push(what);
        io.emit("told", what);
      };
      tell();
      tell();
      await heard(tab, 2);
      const { id } = socket;
      const gone = next(socket, "disconnect");
      lose();
      // The server does not know yet.
      tell();
      tell();
      await gone;
      tell();
      tell();
      const returned = next(io, "connection");
      proxy.set({});
      const [again] = (await returned) as [Socket];
      assert.equal(again.recovered, true);
      assert.equal(again.id, id);
      tell();
      assert.deepEqual(await heard(tab, expected.length), expected);
      assert.deepEqual(await tab.evaluate(`seen.connects`), [
        { id, recovered: false },
        { id, recovered: true },
      ]);
      await tab.waitForFunction(`seen.transports.length === 4`);
      assert.deepEqual(await tab.evaluate(`echo(1, 2)`), [1, 2]);
      tell();
      assert.deepEqual(await heard(tab, expected.length), expected);
      await tab.close();
    });
  }
});
