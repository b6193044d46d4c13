import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { compileProtos } from "@sluice/rpc";
import { type ScriptPage, startChromium, startFaultProxy, startScriptPage } from "@sluice/testkit";
import { build } from "esbuild";
import type { UploadFindings } from "./browser/page.ts";
import { chatProtoPath, startChatServer } from "./support/chat-server.ts";
import { startEchoGateway, startGateway } from "./support/gateway.ts";
import { steadyCount } from "./support/steady-count.ts";

type Chromium = Awaited<ReturnType<typeof startChromium>>;
type Tab = Awaited<ReturnType<Chromium["newPage"]>>;

/** Serves an empty page with the script. */
async function startPage(): Promise<ScriptPage> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL("browser/page.ts", import.meta.url))],
    bundle: true,
    write: false,
    format: "iife",
    platform: "browser",
    conditions: ["@sluice/source"],
    logLevel: "error",
  });
  return startScriptPage(outputFiles[0]?.text ?? "");
}

/** Memory of this process, where server and gateway are, in MiB. */
function mebibytes(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return Math.round((heapUsed + arrayBuffers) / 1024 / 1024);
}

describe("in Chromium", () => {
  let page: ScriptPage;
  let chat: Awaited<ReturnType<typeof startChatServer>>;
  let sluice: Awaited<ReturnType<typeof startEchoGateway>>;
  let chromium: Chromium;

  before(async () => {
    page = await startPage();
    chat = await startChatServer();
    sluice = await startEchoGateway({ origin: [page.origin] });
    chromium = await startChromium();
  });
  after(async () => {
    await chromium.close();
    await sluice.close();
    chat.close();
    page.close();
  });

  /** A window of its own, in which `page` is. */
  async function openWindow(
    url: string,
    options: object = {},
    browser: Pick<Chromium, "newPage"> = chromium,
  ): Promise<Tab> {
    const tab = await browser.newPage();
    await tab.goto(page.origin);
    await tab.evaluate(`page.open(${JSON.stringify({ url, ...options })})`);
    return tab;
  }

  test("two windows chat through a bidirectional stream of a generated client", async () => {
    const schema = await compileProtos([chatProtoPath], { importPaths: [dirname(chatProtoPath)] });
    const gateway = await startGateway(chat.address, schema, { origin: [page.origin] });
    const [ann, bob] = [await openWindow(gateway.ws), await openWindow(gateway.ws)];
    await ann.evaluate(`window.me = page.join("tea", "Ann"), undefined`);
    await ann.waitForFunction(`me.heard.length === 1`);
    await bob.evaluate(`window.me = page.join("tea", "Bob"), undefined`);
    await bob.waitForFunction(`me.heard.length === 1`);
    await ann.evaluate(`me.say("hello Bob ☕")`);
    await bob.waitForFunction(`me.heard.length === 2`);
    await bob.evaluate(`me.say("hello Ann")`);
    const all = ["Bob: joins", "Ann: hello Bob ☕", "Bob: hello Ann"];
    await ann.waitForFunction(`me.heard.length === 4`);
    assert.deepEqual(await ann.evaluate(`me.heard`), ["Ann: joins", ...all]);
    await bob.waitForFunction(`me.heard.length === 3`);
    assert.deepEqual(await bob.evaluate(`me.heard`), all);
    await bob.evaluate(`me.leave()`);
    assert.equal(await bob.evaluate(`me.ended`), "OK");
    await ann.evaluate(`page.close()`);
    assert.match(await ann.evaluate<string>(`me.ended`), /^\[unavailable\]/);
    await Promise.all([ann.close(), bob.close()]);
    await gateway.close();
  });

  test("100 bidirectional calls are open at once, on one socket", async () => {
    const tab = await openWindow(sluice.ws);
    await tab.evaluate(`page.converse(100).then((all) => { window.all = all; })`);
    const { webSockets, multiplexCalls } = sluice.gateway.counts;
    assert.deepEqual([webSockets, multiplexCalls], [1, 100]);
    assert.equal(await tab.evaluate(`all.end()`), 100);
    await tab.close();
  });

  test("pings pass beside an upload of 100 MB", async (context) => {
    const tab = await openWindow(sluice.ws);
    const found = await tab.evaluate<UploadFindings>(`page.upload(100)`);
    const { bytes, seconds, idle, beside } = found;
    assert.equal(bytes, 100_000_000);
    context.diagnostic(
      `upload: ${(100 / seconds).toFixed(0)} MB/s; ${beside.count} pings beside it: median ${beside.median} ms, p99 ${beside.p99} ms; alone: median ${idle.median} ms, p99 ${idle.p99} ms`,
    );
    assert.ok(beside.count > 20, `${beside.count} pings`);
    assert.equal(sluice.gateway.counts.webSockets, 1);
    await tab.close();
  });

  test("a page that reads slowly stops the gRPC server, and one is stopped by a server that does not read", async (context) => {
    const tab = await openWindow(sluice.ws);
    const { calls } = sluice.echo;
    await tab.evaluate(`window.download = page.download(), download.read(1)`);
    const record = calls.records.at(-1);
    assert.ok(record !== undefined);
    const ahead: number[] = [];
    const memory: number[] = [];
    for (let read = 1; read < 1000; read += 200) {
      ahead.push((await steadyCount(() => record.sent)) - read);
      memory.push(mebibytes());
      await tab.evaluate(`download.read(200)`);
    }
    context.diagnostic(
      `down: the server is ${ahead.join(", ")} messages of 16 KiB ahead; server and gateway have ${memory.join(", ")} MiB`,
    );
    for (const messages of ahead) assert.ok(messages < 200, `${messages} messages ahead`);
    await tab.evaluate(`download.stop()`);

    const idle = mebibytes();
    await tab.evaluate(`page.push().then((upload) => { window.upload = upload; })`);
    const asked = await steadyCount(() => tab.evaluate<number>(`upload.asked()`));
    context.diagnostic(`up: ${asked} messages of 16 KiB were asked for; ${idle}, then ${mebibytes()} MiB`);
    assert.ok(asked < 400, `${asked} messages were asked for`);
    await tab.evaluate(`upload.stop()`);
    await calls.until(({ open }) => open === 0);
    await tab.close();
  });

  test("calls of all kinds are made with JSON, and nothing generated", async () => {
    const tab = await openWindow(sluice.ws);
    assert.deepEqual(await tab.evaluate(`page.withJson()`), [
      `{"text":"ä"}`,
      `{"text":"r"}`,
      `{"text":"r","index":1}`,
      `{"texts":["a","b"]}`,
      `{"done":false,"value":{"text":"one by one"}}`,
      "true",
      "[INVALID_ARGUMENT] text: expected a string, got 5",
    ]);
    assert.equal(sluice.gateway.counts.webSockets, 1);
    await tab.close();
  });

  test("a call is made in a worker", async () => {
    const tab = await openWindow(sluice.ws);
    assert.equal(await tab.evaluate(`page.inWorker(${JSON.stringify(sluice.ws)})`), "from a worker");
    await tab.close();
  });

  test("a network that is cut is noticed, and used again when it is back", async () => {
    const proxy = await startFaultProxy(`127.0.0.1:${sluice.port}`);
    const tab = await openWindow(`ws://${proxy.address}`, {
      keepaliveIntervalMs: 500,
      keepaliveTimeoutMs: 500,
      connectTimeoutMs: 1000,
      backoff: { initialMs: 50, maxMs: 200 },
      failFastAfter: 1000,
    });
    assert.equal(await tab.evaluate(`page.say("before")`), "before");
    await tab.evaluate(`window.sleeping = page.sleep(), undefined`);
    // Silent, as where a cable is pulled: nobody is told.
    proxy.set({ stall: true });
    assert.match(await tab.evaluate<string>(`sleeping`), /^\[unavailable\] .*4408/);
    await tab.evaluate(`window.waiting = page.say("after"), undefined`);
    proxy.set({});
    assert.equal(await tab.evaluate(`waiting`), "after");
    const states = await tab.evaluate<string[]>(`page.statesSince()`);
    assert.deepEqual([...states.slice(0, 3), states.at(-1)], ["connecting", "open", "waiting", "open"]);
    proxy.reset();
    assert.equal(
      await tab.evaluate(`page.say("again").then((text) => text === "again" ? text : page.say("again"))`),
      "again",
    );
    await tab.close();
    await proxy.close();
  });

  test("a connection is made at once when the browser says that it is online", async () => {
    const proxy = await startFaultProxy(`127.0.0.1:${sluice.port}`);
    const context = await chromium.newContext();
    const hour = { initialMs: 3_600_000, maxMs: 3_600_000 };
    const tab = await openWindow(`ws://${proxy.address}`, { backoff: hour }, context);
    assert.equal(await tab.evaluate(`page.say("before")`), "before");
    proxy.reset();
    await tab.waitForFunction(`page.statesSince().at(-1) === "waiting"`);
    await tab.evaluate(`window.waiting = page.say("after"), undefined`);
    await context.setOffline(true);
    await context.setOffline(false);
    assert.equal(await tab.evaluate(`waiting`), "after");
    await context.close();
    await proxy.close();
  });

  test("calls go over HTTP where WebSockets are blocked", async () => {
    const blocker = createServer((_request, response) => response.writeHead(400).end());
    blocker.listen(0, "127.0.0.1");
    await once(blocker, "listening");
    const { port } = blocker.address() as AddressInfo;
    for (const protocol of ["connect", "grpc-web"]) {
      const tab = await openWindow(`ws://127.0.0.1:${port}`, { backoff: { initialMs: 50 } });
      await tab.evaluate(`page.fallBack(${JSON.stringify(sluice.http)}, ${JSON.stringify(protocol)})`);
      assert.equal(await tab.evaluate(`page.say("over HTTP")`), "over HTTP");
      assert.match(
        await tab.evaluate<string>(`page.converse(1).catch((error) => error.message)`),
        /^\[unavailable\] sluice\.test\.v1\.Echo\/Converse has a stream of requests, which HTTP cannot carry/,
      );
      await tab.close();
    }
    blocker.close();
  });

  test("calls go on that a gateway has when it goes away, and the next ones find its successor", async () => {
    const { echo, schema } = sluice;
    const options = { origin: [page.origin] };
    const old = await startGateway(echo.address, schema, options);
    // The successor may need its time.
    const patience = { failFastAfter: 1000, backoff: { initialMs: 50, maxMs: 200 } };
    const tab = await openWindow(old.ws, patience);
    await tab.evaluate(`page.converse(10).then((all) => { window.all = all; })`);
    const closed = old.close(20_000);
    await tab.waitForFunction(`page.statesSince().includes("waiting")`);
    const successor = await startGateway(echo.address, schema, { ...options, port: old.port });
    assert.equal(await tab.evaluate(`page.say("new")`), "new");
    assert.equal(successor.gateway.counts.webSockets, 1);
    assert.equal(old.gateway.counts.multiplexCalls, 10);
    assert.equal(await tab.evaluate(`all.end()`), 10);
    await closed;
    assert.equal(await tab.evaluate(`page.say("still")`), "still");
    await tab.close();
    await successor.close();
  });
});
