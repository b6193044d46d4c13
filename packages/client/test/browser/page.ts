/** What runs in the pages and the worker of `browser.test.ts`: it hangs its functions on the global object. */
import { type Client, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { createTransport, type MultiplexTransport } from "../../src/connect/index.ts";
import { CallError, createJsonClient } from "../../src/index.ts";
import { Chat, type Post } from "../generated/chat_pb.ts";
import { Echo } from "../generated/echo_pb.ts";

/** One who sits in a room. */
export interface Member {
  say(text: string): void;
  leave(): void;
  readonly heard: string[];
  /** How the call ended. */
  readonly ended: Promise<string>;
}

/** Delays in milliseconds. */
export interface Delays {
  readonly count: number;
  readonly median: number;
  readonly p99: number;
}

/** What an upload found. */
export interface UploadFindings {
  readonly bytes: number;
  readonly seconds: number;
  readonly idle: Delays;
  readonly beside: Delays;
}

let transport: MultiplexTransport;
let echo: Client<typeof Echo>;
let states: string[] = [];

function open(options: { url: string } & Record<string, unknown>): void {
  transport = createTransport(options);
  echo = createClient(Echo, transport);
  states = [];
  transport.connection.subscribe(({ kind }) => states.push(kind));
}

/** Has a fallback over HTTP from now on. */
function fallBack(baseUrl: string, protocol: "connect" | "grpc-web"): void {
  const { connection } = transport;
  const createFallback = protocol === "connect" ? createConnectTransport : createGrpcWebTransport;
  transport = createTransport({ connection, fallback: createFallback({ baseUrl }) });
  echo = createClient(Echo, transport);
}

const name = (method: string): string => `sluice.test.v1.Echo/${method}`;

async function* texts(): AsyncGenerator<{ text: string }> {
  yield { text: "a" };
  yield { text: "b" };
}

/** Makes calls of all four kinds, and one that fails, with nothing generated; tells what was heard. */
async function withJson(): Promise<string[]> {
  const client = createJsonClient({ connection: transport.connection });
  const heard = [JSON.stringify(await client.call(name("Say"), { text: "ä" }, { headers: { "x-a": "1" } }))];
  for await (const reply of client.stream(name("Repeat"), { text: "r", count: 2 })) {
    heard.push(JSON.stringify(reply));
  }
  heard.push(JSON.stringify(await client.call(name("Collect"), texts())));
  const talk = client.stream(name("Converse"));
  await talk.send({ text: "one by one" });
  heard.push(JSON.stringify(await talk.next()));
  talk.end();
  heard.push(JSON.stringify((await talk.next()).done));
  const error: unknown = await client.call(name("Say"), { text: 5 }).catch((reason: unknown) => reason);
  heard.push(error instanceof CallError ? error.message : "no CallError");
  return heard;
}

/** Requests that are made one by one. */
class Posts<Each> implements AsyncIterable<Each> {
  readonly #waiting: Each[] = [];
  #isOver = false;
  #wake: () => void = () => {};

  push(each: Each): void {
    this.#waiting.push(each);
    this.#wake();
  }

  end(): void {
    this.#isOver = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Each> {
    for (;;) {
      const each = this.#waiting.shift();
      if (each !== undefined) yield each;
      else if (this.#isOver) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

/** Joins a room with a generated client. */
function join(room: string, author: string): Member {
  const posts = new Posts<Pick<Post, "room" | "author" | "text">>();
  const heard: string[] = [];
  const post = (text: string): void => posts.push({ room, author, text });
  const read = async (): Promise<string> => {
    const others = createClient(Chat, transport).join(posts);
    for await (const { author: by, text } of others) heard.push(`${by}: ${text}`);
    return "OK";
  };
  post("joins");
  const ended = read().catch((error: unknown) => ConnectError.from(error).message);
  return { say: post, leave: () => posts.end(), heard, ended };
}

/** Opens so many bidirectional calls at once; each has said one thing and heard it when this resolves. */
async function converse(count: number): Promise<{ end(): Promise<number> }> {
  const all = Array.from({ length: count }, (_, index) => {
    const posts = new Posts<{ text: string }>();
    posts.push({ text: `call ${index}` });
    const replies = echo.converse(posts)[Symbol.asyncIterator]();
    return { posts, replies, index };
  });
  const right = await Promise.all(
    all.map(async ({ replies, index }) => (await replies.next()).value?.text === `call ${index}`),
  );
  const end = async (): Promise<number> => {
    for (const { posts } of all) posts.end();
    await Promise.all(all.map(({ replies }) => replies.next()));
    return right.filter(Boolean).length;
  };
  return { end };
}

function delaysOf(samples: readonly number[]): Delays {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (part: number): number => Math.round((sorted[Math.floor(sorted.length * part)] ?? 0) * 10) / 10;
  return { count: sorted.length, median: at(0.5), p99: at(0.99) };
}

/** Pings with unary calls, one after another, until told to stop. */
async function ping(isDone: () => boolean): Promise<Delays> {
  const samples: number[] = [];
  while (!isDone()) {
    const begun = performance.now();
    await echo.say({ text: "ping" });
    samples.push(performance.now() - begun);
  }
  return delaysOf(samples);
}

async function upload(megabytes: number): Promise<UploadFindings> {
  let left = 200;
  const idle = await ping(() => left-- === 0);
  const data = new Uint8Array(1_000_000);
  async function* chunks(): AsyncGenerator<{ data: Uint8Array }> {
    for (let index = 0; index < megabytes; index++) yield { data };
  }
  let isDone = false;
  const begun = performance.now();
  const beside = ping(() => isDone);
  const { bytes } = await echo.receive(chunks());
  isDone = true;
  const seconds = (performance.now() - begun) / 1000;
  return { bytes: Number(bytes), seconds, idle, beside: await beside };
}

/** An endless stream of messages of 16 KiB, of which so many are read as one asks for. */
function download(): { read(count: number): Promise<void>; stop(): void } {
  const controller = new AbortController();
  const replies = echo.send({ size: 16_384, count: 0 }, { signal: controller.signal });
  const reader = replies[Symbol.asyncIterator]();
  const read = async (count: number): Promise<void> => {
    for (let left = count; left > 0; left--) await reader.next();
  };
  return { read, stop: () => controller.abort() };
}

/** Sends messages of 16 KiB without an end to a server that does not read them; tells how many were asked for. */
async function push(): Promise<{ asked(): number; stop(): void }> {
  const controller = new AbortController();
  let asked = 0;
  async function* endless(): AsyncGenerator<{ text: string }> {
    const text = "x".repeat(16_384);
    for (;;) {
      asked++;
      yield { text };
    }
  }
  // It answers each, and does not read while nobody reads its answers.
  const replies = echo.converse(endless(), { signal: controller.signal });
  await replies[Symbol.asyncIterator]().next();
  return { asked: () => asked, stop: () => controller.abort() };
}

/** The text that comes back, or the error. */
async function say(text: string): Promise<string> {
  return echo.say({ text }).then(
    (reply) => reply.text,
    (error: unknown) => ConnectError.from(error).message,
  );
}

/** Starts a call that never answers; resolves with its error. */
async function sleep(): Promise<string> {
  return echo.sleep({}).then(
    () => "it answered",
    (error: unknown) => ConnectError.from(error).message,
  );
}

/** Makes a call in a worker. */
function inWorker(url: string): Promise<string> {
  const worker = new Worker("page.js", { name: url });
  return new Promise((resolve) => {
    worker.addEventListener("message", ({ data }) => {
      resolve(String(data));
      worker.terminate();
    });
  });
}

// In the worker, whose name is the URL.
if (!("document" in globalThis)) {
  open({ url: String(Reflect.get(globalThis, "name")) });
  void say("from a worker").then((text) => postMessage(text));
}

const page = {
  open,
  fallBack,
  withJson,
  join,
  converse,
  upload,
  download,
  push,
  say,
  sleep,
  inWorker,
  statesSince: () => states,
  close: () => transport.close(),
};

/** What the page offers to the test. */
export type Page = typeof page;

Object.assign(globalThis, { page });
