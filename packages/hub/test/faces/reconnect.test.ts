import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, describe, test, type TestContext } from "node:test";
import { type FaultProxy, startChromium, startFaultProxy } from "@sluice/testkit";
import { acceptInto, createSseHandler, Hub, roomsByPattern, type Session } from "../../src/index.ts";
import { Queue } from "./support/queue.ts";
import { listen } from "./support/server.ts";
import { SessionClient } from "./support/session-client.ts";
import { SseClient } from "./support/sse-client.ts";
import { WsClient } from "./support/ws-client.ts";

const key = "a-secret-of-this-client-0001";
const rounds = 8;
const perRound = 25;
const all = Array.from({ length: rounds * perRound }, (_, index) => String(index));

/** A hub behind a proxy that can break its connections. */
async function start(context: TestContext): Promise<{
  readonly hub: Hub;
  readonly port: number;
  readonly proxy: FaultProxy;
  readonly away: Queue<Session>;
}> {
  const hub = new Hub({
    authorize: () => true,
    rooms: roomsByPattern({ "*": { history: { size: 1_000, ttlMs: 60_000 } } }),
  });
  const away = new Queue<Session>();
  hub.onAway((session) => away.push(session));
  const events = createSseHandler(hub, { retryMs: 40 });
  const http = createServer((request, response) => {
    if (request.url === "/") response.setHeader("content-type", "text/html").end("<!doctype html>");
    else events(request, response);
  });
  http.on("upgrade", acceptInto(hub));
  const port = await listen(context, http, hub);
  const proxy = await startFaultProxy(`127.0.0.1:${port}`);
  context.after(() => proxy.close());
  return { hub, port, proxy, away };
}

/** Publishes the messages of a round, and breaks the connections in their midst. */
async function speakAndBreak(hub: Hub, round: number, breakNow: () => void): Promise<void> {
  for (let index = 0; index < perRound; index++) {
    await hub.publish("room", all[round * perRound + index]!);
    if (index === 10) breakNow();
  }
}

describe("a client whose connection breaks again and again", () => {
  test("misses nothing and hears nothing twice on the face websocket", async (context) => {
    const { hub, proxy, away } = await start(context);
    hub.onConnect((session) => void session.join("room"));
    const heard: string[] = [];
    for (let round = 0; round < rounds; round++) {
      const path = `/?resume=${key}&received=${heard.length}`;
      const client = await WsClient.connect(context, proxy.address, { path });
      client.socket.on("message", (data: Buffer) => heard.push(data.toString()));
      await speakAndBreak(hub, round, () => proxy.reset());
      await client.closed;
      await away.next();
    }
    const last = await WsClient.connect(context, proxy.address, {
      path: `/?resume=${key}&received=${heard.length}`,
    });
    while (heard.length < all.length) heard.push(String(await last.next()));
    assert.deepEqual(heard, all);
  });

  test("misses nothing and hears nothing twice on the session wire, by session or by room", async (context) => {
    for (const resume of [{ key, received: 0 }, undefined]) {
      const { hub, proxy } = await start(context);
      const heard: string[] = [];
      let received = 0;
      let since: { epoch?: string; offset?: number } = {};
      const read = async (client: SessionClient): Promise<void> => {
        const { data, offset, epoch } = await client.next();
        heard.push(String(data));
        received++;
        since = { ...since, ...(typeof epoch === "string" ? { epoch } : {}), offset: Number(offset) };
      };
      for (let round = 0; round <= rounds; round++) {
        const { client, connected } = await SessionClient.connect(context, proxy.address, {
          ...(resume === undefined ? {} : { resume: { key, received } }),
          rooms: [{ room: "room", ...since }],
        });
        assert.equal(connected["resumed"], resume !== undefined && round > 0);
        const [room] = connected["rooms"] as { epoch: string; offset: number; recovered: boolean }[];
        assert.equal(room?.recovered, true);
        if (since.epoch === undefined) since = { epoch: room.epoch, offset: room.offset };
        if (round === rounds) {
          while (heard.length < all.length) await read(client);
        } else {
          await speakAndBreak(hub, round, () => proxy.reset());
          await client.ws.closed;
          while (client.ws.messages.size > 0) await read(client);
        }
      }
      assert.deepEqual(heard, all);
    }
  });

  test("misses nothing and hears nothing twice on an event stream, by session or by room", async (context) => {
    for (const path of [`/events?room=room&resume=${key}`, "/events?room=room"]) {
      const { hub, proxy } = await start(context);
      const heard: string[] = [];
      let lastId = "";
      for (let round = 0; round <= rounds; round++) {
        const headers: Record<string, string> = lastId === "" ? {} : { "last-event-id": lastId };
        const client = await SseClient.connect(context, proxy.port, path, headers);
        const greeting = await client.next();
        assert.equal(greeting.type, "sluice.session");
        lastId = greeting.id;
        const read = async (): Promise<void> => {
          const { type, data, id } = await client.next();
          assert.equal(type, "message");
          heard.push(data);
          lastId = id;
        };
        if (round === rounds) {
          while (heard.length < all.length) await read();
        } else {
          await speakAndBreak(hub, round, () => proxy.reset());
          await client.ended;
          while (client.events.size > 0) await read();
        }
      }
      assert.deepEqual(heard, all);
    }
  });

  test("takes its session over where the server has not heard of the end", async (context) => {
    const { hub, proxy, port } = await start(context);
    hub.onConnect((session) => void session.join("room"));
    const path = `/?resume=${key}`;
    const lost = await WsClient.connect(context, proxy.address, { path });
    await hub.publish("room", "1");
    await lost.next();
    proxy.set({ stall: true });
    await hub.publish("room", "2");
    const found = await WsClient.connect(context, port, { path: `${path}&received=1` });
    assert.equal(await found.next(), "2");
    await hub.publish("room", "3");
    assert.equal(await found.next(), "3");
    assert.equal(hub.size, 1);
  });
});

describe("the EventSource of Chromium", () => {
  let browser: Awaited<ReturnType<typeof startChromium>>;
  before(async () => {
    browser = await startChromium();
  });
  after(() => browser.close());

  test("comes back by itself, misses nothing, and sends by fetch", async (context) => {
    const { hub, proxy } = await start(context);
    const texts = new Queue<string>();
    hub.onMessage((session, text) => texts.push(`${session.face} ${text}`));
    const resumed = new Queue<Session>();
    hub.onResume((session) => resumed.push(session));
    const connected = new Queue<Session>();
    hub.onConnect((session) => connected.push(session));
    const page = await browser.newPage();
    await page.goto(`http://${proxy.address}/`);
    await page.evaluate(`
      globalThis.heard = [];
      globalThis.greetings = [];
      globalThis.source = new EventSource("/events?room=room&resume=${key}");
      source.addEventListener("sluice.session", ({ data }) => greetings.push(JSON.parse(data).resumed));
      source.addEventListener("message", ({ data }) => heard.push(data));
    `);
    await connected.next();
    await page.waitForFunction("greetings.length === 1");
    for (let round = 0; round < rounds; round++) {
      await speakAndBreak(hub, round, () => proxy.reset());
      await resumed.next();
    }
    await page.waitForFunction(`heard.length >= ${all.length}`);
    assert.deepEqual(await page.evaluate("heard"), all);
    assert.deepEqual(await page.evaluate("greetings.slice(0, 2)"), [false, true]);
    const status = await page.evaluate<number>(`
      fetch("/events?resume=${key}", { method: "POST", body: "from the page" }).then(({ status }) => status)
    `);
    assert.equal(status, 202);
    assert.equal(await texts.next(), "sse from the page");
    const multiline = page.evaluate(
      "new Promise((resolve) => source.addEventListener('lines', ({ data }) => resolve(data)))",
    );
    await page.evaluate("1");
    await hub.publish("room", { data: "a\r\nb\n\nc\r", type: "lines" });
    assert.equal(await multiline, "a\nb\n\nc\n");
    const [session] = [...hub.sessions];
    const closed = page.evaluate<{ code: number }>(
      "new Promise((resolve) => source.addEventListener('sluice.close', ({ data }) => { source.close(); resolve(JSON.parse(data)); }))",
    );
    await page.evaluate("1");
    session?.close(4403, "enough");
    assert.deepEqual(await closed, { code: 4403, reason: "enough" });
    await page.close();
  });
});
