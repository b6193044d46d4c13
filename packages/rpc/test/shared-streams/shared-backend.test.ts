import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { beforeEach, describe, test } from "node:test";
import { Code } from "@sluice/protocol";
import { createStatus, SharedBackend, type CallStart, type ShareRule } from "../../src/index.ts";
import { repeat, open, Recording, say, type Opened } from "../backend/harness.ts";
import { ScriptedBackend } from "./scripted-backend.ts";

const path = repeat.path;
let backend: ScriptedBackend;
let shared: SharedBackend;

function share(rule: ShareRule = {}): void {
  backend = new ScriptedBackend();
  shared = new SharedBackend(backend, new Map([[path, rule]]));
}
beforeEach(() => share());

/** A client that has asked for a stream. */
function join(request = "q", start: Partial<CallStart> = {}): Opened {
  const opened = open(shared, repeat, start);
  opened.call.send(Buffer.from(request));
  opened.call.halfClose();
  return opened;
}

const textsOf = ({ heard }: Opened): string[] => heard.messages.map((bytes) => Buffer.from(bytes).toString());

describe("clients that ask for the same", () => {
  test("share one call, and each message is told to all as the same bytes", async () => {
    const clients = [join(), join(), join()];
    await turn();
    assert.equal(backend.calls.length, 1);
    assert.deepEqual(shared.counts, { streams: 1, clients: 3 });
    assert.deepEqual(backend.last.requests.map(String), ["q"]);
    assert.ok(backend.last.isHalfClosed);
    backend.last.listener.headers({ "x-head": "1" });
    backend.last.reply("a", "b");
    for (const client of clients) {
      assert.deepEqual(client.heard.events, ["headers", "message", "message"]);
      assert.deepEqual(client.heard.received, { "x-head": "1" });
      assert.equal(client.heard.messages[0], clients[0]?.heard.messages[0]);
    }
  });

  test("and come later get the headers, and what comes from then on", async () => {
    const first = join();
    backend.last.listener.headers({ "x-head": "1" });
    backend.last.reply("a");
    const late = join();
    backend.last.reply("b");
    await turn();
    assert.deepEqual(textsOf(first), ["a", "b"]);
    assert.deepEqual(textsOf(late), ["b"]);
    assert.deepEqual(late.heard.received, { "x-head": "1" });
  });

  test("and come later get the latest message first, where that is wanted", async () => {
    share({ replay: true });
    join();
    backend.last.listener.headers({});
    backend.last.reply("a", "b");
    const late = join();
    assert.deepEqual(late.heard.events, [], "nothing is told before the dialect is ready");
    backend.last.reply("c");
    await turn();
    assert.deepEqual(late.heard.events, ["headers", "message", "message"]);
    assert.deepEqual(textsOf(late), ["b", "c"]);
  });

  test("are told how the call ended, once, and the next one opens another", async () => {
    const clients = [join(), join()];
    await turn();
    backend.last.finish(createStatus(Code.ABORTED, "so far"), { "x-trail": "1" });
    for (const { heard } of clients) {
      assert.deepEqual(heard.events, ["end"]);
      assert.equal(heard.status?.code, Code.ABORTED);
      assert.deepEqual(heard.trailers, { "x-trail": "1" });
    }
    assert.deepEqual(shared.counts, { streams: 0, clients: 0 });
    join();
    assert.equal(backend.calls.length, 2);
  });

  test("may leave; the call ends with the last of them", async () => {
    const [first, second] = [join(), join()];
    await turn();
    first.call.cancel();
    assert.equal((await first.heard.ended()).code, Code.CANCELLED);
    assert.equal(backend.running, 1);
    backend.last.reply("a");
    assert.deepEqual([textsOf(first), textsOf(second)], [[], ["a"]]);
    second.call.cancel();
    assert.equal(backend.running, 0);
    assert.deepEqual(shared.counts, { streams: 0, clients: 0 });
    join();
    assert.equal(backend.calls.length, 2);
  });

  test("may leave and join from within a message", async () => {
    const [first, second] = [join(), join()];
    await turn();
    let late: Opened | undefined;
    first.heard.onMessage = () => {
      second.call.cancel();
      late ??= join();
      first.call.cancel();
    };
    backend.last.reply("a");
    await turn();
    assert.deepEqual(textsOf(second), []);
    assert.ok(late !== undefined);
    assert.deepEqual(textsOf(late), []);
    backend.last.reply("b");
    assert.deepEqual(textsOf(late), ["b"]);
    assert.deepEqual(first.heard.events, ["end", "message"]);
    assert.equal(backend.calls.length, 1);
  });

  test("end each at its own deadline, which the backend is not told", async () => {
    const hasty = join("q", { timeout: 10 });
    const patient = join();
    assert.equal((await hasty.heard.ended()).code, Code.DEADLINE_EXCEEDED);
    assert.equal(backend.last.start.timeout, undefined);
    assert.equal(patient.heard.status, undefined);
    patient.call.cancel();
  });
});

describe("clients do not share", () => {
  test("where they ask for something else, or another method is called", () => {
    join("one");
    join("two");
    assert.equal(backend.calls.length, 2);
    const unary = open(shared, say);
    unary.call.send(Buffer.from("q"));
    assert.equal(backend.calls.length, 3, "it passes as it is, at once");
  });

  test("where the metadata differs that tells them apart, which alone the backend is told", () => {
    share({ per: ["Authorization", "x-tenant"] });
    const ada = { authorization: "Bearer ada", "x-tenant": ["a", "b"], "x-trace": "1" };
    join("q", { metadata: ada });
    join("q", { metadata: { ...ada, "x-trace": "2" } });
    assert.equal(backend.calls.length, 1);
    assert.deepEqual(backend.last.start.metadata, {
      authorization: "Bearer ada",
      "x-tenant": ["a", "b"],
    });
    join("q", { metadata: { ...ada, authorization: "Bearer bob" } });
    join("q", { metadata: { ...ada, "x-tenant": "a" } });
    join("q");
    assert.equal(backend.calls.length, 4);
  });

  test("metadata without being told apart by it: the backend learns of none", () => {
    join("q", { metadata: { authorization: "Bearer ada", cookie: "a=b" } });
    assert.deepEqual(backend.last.start.metadata, {});
  });
});

describe("a request that is not one message", () => {
  test("ends with UNIMPLEMENTED and reaches no backend", async () => {
    const none = open(shared, repeat);
    none.call.halfClose();
    assert.equal((await none.heard.ended()).code, Code.UNIMPLEMENTED);
    const two = open(shared, repeat);
    two.call.send(Buffer.from("a"));
    two.call.send(Buffer.from("b"));
    two.call.halfClose();
    assert.equal((await two.heard.ended()).code, Code.UNIMPLEMENTED);
    const left = open(shared, repeat);
    left.call.cancel();
    assert.equal((await left.heard.ended()).code, Code.CANCELLED);
    assert.equal(backend.calls.length, 0);
  });
});

describe("a client that reads slowly", () => {
  test("holds up neither the call nor the others", async () => {
    const [slow, other] = [join(), join()];
    await turn();
    slow.call.pause();
    backend.last.reply("a", "b");
    assert.deepEqual([textsOf(slow), textsOf(other)], [[], ["a", "b"]]);
    assert.equal(backend.last.pauses, 0);
    slow.call.resume();
    assert.deepEqual(textsOf(slow), ["a", "b"]);
  });

  test("is told what waits as far as it goes on, and then the end", async () => {
    const slow = join();
    await turn();
    slow.call.pause();
    backend.last.reply("a", "b", "c");
    backend.last.finish();
    slow.heard.onMessage = () => slow.call.pause();
    slow.call.resume();
    assert.deepEqual(textsOf(slow), ["a"]);
    slow.call.resume();
    assert.deepEqual(slow.heard.events, ["message", "message"]);
    slow.call.resume();
    assert.deepEqual(slow.heard.events, ["message", "message", "message", "end"]);
    assert.equal(slow.heard.status?.code, Code.OK);
  });

  test("is cut off with RESOURCE_EXHAUSTED when too much waits for it", async () => {
    share({ maxWaitingBytes: 1000 });
    const [slow, other] = [join(), join()];
    await turn();
    slow.call.pause();
    const text = "x".repeat(300);
    backend.last.reply(text, text, text);
    assert.equal(slow.heard.status, undefined);
    backend.last.reply(text);
    const { code, message } = await slow.heard.ended();
    assert.equal(code, Code.RESOURCE_EXHAUSTED);
    assert.match(message, /more than 1000 bytes/);
    assert.deepEqual(slow.heard.events, ["end"]);
    backend.last.reply(text);
    assert.equal(other.heard.messages.length, 5);
    assert.deepEqual(shared.counts, { streams: 1, clients: 1 });
  });

  test("is bounded also where messages are empty", async () => {
    share({ maxWaitingBytes: 1000 });
    const slow = join();
    await turn();
    slow.call.pause();
    for (let each = 0; each < 32; each++) backend.last.reply("");
    assert.equal(slow.heard.status?.code, Code.RESOURCE_EXHAUSTED);
    assert.equal(backend.running, 0, "it was the last one");
  });

  test("gets the latest message alone, where that is wanted", async () => {
    share({ slow: "latest", maxWaitingBytes: 10 });
    const slow = join();
    await turn();
    backend.last.reply("a");
    slow.call.pause();
    backend.last.reply("b", "c", "d".repeat(100));
    slow.call.resume();
    assert.deepEqual(textsOf(slow), ["a", "d".repeat(100)]);
  });
});

test("a message that is larger than what may wait reaches those who come later, and those who read slowly", async () => {
  share({ replay: true, maxWaitingBytes: 1000 });
  const first = join();
  await turn();
  first.call.pause();
  const large = "x".repeat(2000);
  backend.last.reply(large);
  const late = join();
  await turn();
  first.call.resume();
  for (const client of [first, late]) assert.deepEqual(textsOf(client), [large]);
  assert.deepEqual(shared.counts, { streams: 1, clients: 2 });
  late.call.cancel();
  first.call.cancel();
  assert.deepEqual(late.heard.events, ["message", "end"]);
  assert.deepEqual(shared.counts, { streams: 0, clients: 0 });
});

test("when the backend closes, everybody is told", async () => {
  const clients = [join(), join()];
  await turn();
  await shared.close(0);
  for (const { heard } of clients) assert.equal(heard.status?.code, Code.UNAVAILABLE);
  assert.deepEqual(shared.counts, { streams: 0, clients: 0 });
});

test("a listener that leaves when it is told the end is told it once", async () => {
  const one = new Recording();
  const call = shared.open({ method: repeat, metadata: {} }, one);
  call.send(Buffer.from("q"));
  call.halfClose();
  await turn();
  const two = join();
  await turn();
  one.end = () => two.call.cancel();
  backend.last.finish();
  assert.deepEqual(two.heard.events, ["end"]);
});
