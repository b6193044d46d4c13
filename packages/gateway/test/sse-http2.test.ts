import assert from "node:assert/strict";
import { once } from "node:events";
import {
  connect,
  constants,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
} from "node:http2";
import { after, before, describe, test, type TestContext } from "node:test";
import { createHttp2Backend } from "@sluice/rpc";
import { startFaultProxy, type FaultProxy } from "@sluice/testkit";
import { createLogger, Gateway } from "../src/index.ts";
import { sessionSchema } from "../src/sessions/schemas.ts";
import { ScriptedHandler } from "./sessions/scripted-handler.ts";
import { deferred } from "./sessions/support.ts";

const room = "log";
const history = { size: 1_000, ttlMs: 60_000 };
/** Released where a test wants the answer to a message that begins with "wait". */
let gate = deferred();
const chat = new ScriptedHandler({
  message: async ({ payload, type }) => {
    const text = payload?.data.case === "text" ? payload.data.value : "";
    if (text.startsWith("wait")) await gate.promise;
    if (type !== "publish")
      return { reply: { data: { case: "text", value: `you said ${text.length} as ${type}` } } };
    return { effects: [{ effect: { case: "publish", value: { room, payload: payload! } } }] };
  },
});
let gateway: Gateway;
let address = "";
/** Before the gateway, for connections that are to break. */
let proxy: FaultProxy;
let keys = 0;

before(async () => {
  await chat.start();
  gateway = new Gateway({
    upstreams: [
      {
        name: "chat",
        backend: createHttp2Backend(chat.address),
        loadSchema: () => Promise.resolve(sessionSchema()),
      },
    ],
    log: createLogger("silent"),
    sessions: {
      sockets: [],
      events: "/events",
      rooms: { [room]: { join: "anyone", publish: "nobody", history } },
      direct: "nobody",
      headers: [],
      limits: {},
      envelopeBytes: 65_536,
      packetsPerMessage: 64,
      graceMs: 60_000,
      callbacks: { backend: "chat", hooks: ["connect", "message", "disconnect", "resume"] },
    },
  });
  const { port } = await gateway.start("127.0.0.1", 0);
  address = `127.0.0.1:${port}`;
  proxy = await startFaultProxy(address);
});
after(async () => {
  await proxy.close();
  await gateway.close(0);
  await chat.kill();
});

/** One event of a stream. */
interface Event {
  readonly id: string;
  readonly type: string;
  readonly data: string;
}

/** A page: one HTTP/2 connection with a stream of events and POSTs beside it. */
class Page {
  readonly connection: ClientHttp2Session;
  readonly #path: string;
  readonly #events: Event[] = [];
  #stream: ClientHttp2Stream | undefined;
  #text = "";
  /** The id of the last event that was read. */
  lastId = "";

  constructor(context: TestContext, key: string, to = address) {
    this.connection = connect(`http://${to}`);
    this.connection.on("error", () => {});
    context.after(() => this.connection.destroy());
    this.#path = `/events?resume=${key}`;
  }

  /** Opens the stream; answers the first event. */
  async open(
    lastId = "",
  ): Promise<{ readonly session: string; readonly resumed: boolean; readonly recovered: boolean }> {
    const stream = this.connection.request({
      ":path": `${this.#path}&room=${room}`,
      accept: "text/event-stream",
      ...(lastId === "" ? {} : { "last-event-id": lastId }),
    });
    this.#stream = stream;
    // What came and was not looked at before is told anew.
    this.#events.length = 0;
    this.#text = "";
    stream.on("error", () => {});
    stream.setEncoding("utf8").on("data", (text: string) => this.#read(text));
    const [headers] = (await once(stream, "response")) as [IncomingHttpHeaders];
    assert.equal(headers[":status"], 200);
    const { type, data } = await this.next();
    assert.equal(type, "sluice.session");
    return JSON.parse(data) as Awaited<ReturnType<Page["open"]>>;
  }

  /** The next event. */
  async next(): Promise<Event> {
    while (this.#events.length === 0) await once(this.#stream!, "data");
    const event = this.#events.shift()!;
    if (event.id !== "") this.lastId = event.id;
    return event;
  }

  /** Says something; answers the status and the text of the answer. */
  async post(
    text: string,
    type = "",
    headers: Record<string, string> = {},
  ): Promise<readonly [number, string]> {
    const query = type === "" ? "" : `&type=${type}`;
    const path = "sluice-session" in headers ? "/events?" : this.#path;
    const stream = this.connection.request({
      ":method": "POST",
      ":path": `${path}${query}`,
      "content-type": "text/plain",
      ...headers,
    });
    stream.end(text);
    const [answer] = (await once(stream, "response")) as [IncomingHttpHeaders];
    let body = "";
    for await (const chunk of stream) body += String(chunk);
    return [Number(answer[":status"]), body];
  }

  /** Begins to say something, and never says the rest. */
  postHalf(text: string): void {
    const stream = this.connection.request({
      ":method": "POST",
      ":path": this.#path,
      "content-type": "text/plain",
    });
    stream.on("error", () => {});
    stream.write(text);
  }

  /** Ends the stream with RST_STREAM, and not the connection. */
  async reset(): Promise<void> {
    const closed = once(this.#stream!, "close");
    this.#stream!.close(constants.NGHTTP2_CANCEL);
    await closed;
  }

  #read(text: string): void {
    const parts = `${this.#text}${text}`.split("\n\n");
    this.#text = parts.pop() ?? "";
    for (const part of parts) {
      const fields = new Map(
        part.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]),
      );
      const data = fields.get("data");
      if (data !== undefined)
        this.#events.push({ id: fields.get("id") ?? "", type: fields.get("event") ?? "message", data });
    }
  }
}

/** A page with an open stream, its resume key and its session. */
async function opened(
  context: TestContext,
  to = address,
): Promise<{ readonly page: Page; readonly key: string; readonly session: string }> {
  const key = `key-${String(++keys).padStart(22, "0")}`;
  const page = new Page(context, key, to);
  const { session } = await page.open();
  return { page, key, session };
}

/** Has somebody else say texts to the room. */
async function publish(context: TestContext, all: readonly string[]): Promise<void> {
  const { page } = await opened(context);
  for (const text of all) assert.deepEqual(await page.post(text, "publish"), [202, ""]);
  page.connection.destroy();
}

function texts(prefix: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${prefix} ${index}`);
}

/** The data of the next events. */
async function read(page: Page, count: number): Promise<readonly string[]> {
  const all: string[] = [];
  while (all.length < count) all.push((await page.next()).data);
  return all;
}

/** How often the backend was told a text. */
function told(text: string): number {
  return chat.of("message").filter(({ payload }) => payload?.data.value === text).length;
}

describe("a session on Server-Sent Events over HTTP/2", () => {
  test("says things by POST on the connection of its stream, many at once and large ones", async (context) => {
    const { page, session } = await opened(context);
    const answers = await Promise.all(texts("x", 8).map((text) => page.post(text, "kind")));
    for (const answer of answers) assert.deepEqual(answer, [200, "you said 3 as kind"]);
    assert.deepEqual(await page.post("y".repeat(60_000), "large"), [200, "you said 60000 as large"]);
    const byId = { "sluice-session": session };
    assert.deepEqual(await page.post("by id", "kind", byId), [200, "you said 5 as kind"]);
    const [status, text] = await page.post("by id", "kind", { "sluice-session": "nobody" });
    assert.deepEqual([status, /"code":"NOT_FOUND"/.test(text)], [404, true]);
    assert.deepEqual(await page.post("hello", "publish"), [202, ""]);
    assert.equal((await page.next()).data, "hello");
  });

  test("has its stream reset, and on the same connection is given what it missed once, in order", async (context) => {
    const { page, session } = await opened(context);
    await publish(context, texts("a", 5));
    assert.deepEqual(await read(page, 3), texts("a", 3));
    const { lastId } = page;
    await page.reset();
    await publish(context, texts("b", 5));
    const again = await page.open(lastId);
    assert.deepEqual([again.session, again.resumed, again.recovered], [session, true, true]);
    assert.deepEqual(await read(page, 7), [...texts("a", 5).slice(3), ...texts("b", 5)]);
    assert.deepEqual(await page.post("still me", "kind"), [200, "you said 8 as kind"]);
  });

  for (const [how, spoil] of [
    ["is reset", () => proxy.reset()],
    ["falls silent", () => proxy.set({ stall: true })],
  ] as const) {
    test(`whose connection ${how} in the middle of POSTs goes on on another one`, async (context) => {
      const { page, key, session } = await opened(context, proxy.address);
      gate = deferred();
      const [waiting, half] = [`wait until it ${how}`, `a half where it ${how}`];
      page.post(waiting).catch(() => undefined);
      page.postHalf(half);
      while (told(waiting) === 0) await new Promise(setImmediate);
      await publish(context, texts("c", 3));
      assert.deepEqual(await read(page, 2), texts("c", 2));
      spoil();
      context.after(() => proxy.set({}));
      await publish(context, texts("d", 3));
      const next = new Page(context, key);
      const again = await next.open(page.lastId);
      assert.deepEqual([again.session, again.resumed, again.recovered], [session, true, true]);
      assert.deepEqual(await read(next, 4), ["c 2", ...texts("d", 3)]);
      const behind = next.post("behind it", "kind");
      gate.resolve();
      assert.deepEqual(await behind, [200, "you said 9 as kind"]);
      assert.deepEqual([told(waiting), told(half)], [1, 0]);
      assert.deepEqual(
        chat.of("disconnect").filter((end) => end.session?.id === session),
        [],
      );
    });
  }
});
