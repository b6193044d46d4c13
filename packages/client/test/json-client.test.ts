import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { settled } from "@sluice/testkit/fake-clock";
import { EventWebSocket } from "@sluice/websocket";
import {
  CallError,
  Code,
  Connection,
  createJsonClient,
  type JsonClient,
  type Metadata,
} from "../src/index.ts";
import { MemoryGateway } from "./support/memory-gateway.ts";
import { startEchoGateway } from "./support/gateway.ts";
import { bytes } from "./support/recorder.ts";

interface Text {
  readonly text: string;
  readonly index?: number;
}

let sluice: Awaited<ReturnType<typeof startEchoGateway>>;
let client: JsonClient;
const echo = (name: string): string => `sluice.test.v1.Echo/${name}`;

before(async () => {
  sluice = await startEchoGateway();
  client = createJsonClient({ url: sluice.http, webSocket: EventWebSocket });
});
after(async () => {
  client.close();
  await sluice.close();
});

async function* texts(...all: string[]): AsyncGenerator<Text> {
  for (const text of all) yield { text };
}

async function failure(work: Promise<unknown>): Promise<CallError> {
  const error: unknown = await work.catch((reason: unknown) => reason);
  assert.ok(error instanceof CallError, String(error));
  return error;
}

describe("a call by its name", () => {
  test("has one request and one reply", async () => {
    assert.deepEqual(await client.call<Text>(echo("Say"), { text: "hällo" }), { text: "hällo" });
    assert.deepEqual(await client.call(`/${echo("Say")}`, undefined), {});
  });

  test("has a stream of replies", async () => {
    const heard: unknown[] = [];
    for await (const reply of client.stream<Text>(echo("Repeat"), { text: "a", count: 3 })) heard.push(reply);
    assert.deepEqual(heard, [{ text: "a" }, { text: "a", index: 1 }, { text: "a", index: 2 }]);
  });

  test("has a stream of requests", async () => {
    assert.deepEqual(await client.call(echo("Collect"), texts("a", "b")), { texts: ["a", "b"] });
  });

  test("has streams both ways, from an iterable", async () => {
    const heard: unknown[] = [];
    for await (const reply of client.stream(echo("Converse"), texts("a", "b"))) heard.push(reply);
    assert.deepEqual(heard, [{ text: "a" }, { text: "b", index: 1 }]);
  });

  test("has streams both ways, message by message", async () => {
    const stream = client.stream<Text, Text>(echo("Converse"));
    for (const text of ["one", "two"]) {
      assert.equal(await stream.send({ text }), true);
      assert.equal((await stream.next()).value?.text, text);
    }
    stream.end();
    assert.deepEqual(await stream.next(), { done: true, value: undefined });
    assert.equal(await stream.send({ text: "late" }), false);
  });

  test("takes no request behind the last one, and says so", async () => {
    const said = { message: "no request can follow the end of the requests, or the only one" };
    const ended = client.stream<Text, Text>(echo("Sleep"));
    await ended.send({ text: "" });
    ended.end();
    await assert.rejects(ended.send({ text: "late" }), said);
    ended.cancel();
    assert.equal(await ended.send({ text: "later" }), false);
    const single = client.stream<Text, Text>(echo("Sleep"), { text: "" });
    await assert.rejects(single.send({ text: "second" }), said);
    single.cancel();
  });

  test("carries headers and trailers", async () => {
    const told: Metadata[] = [];
    const reply = await client.call<{ metadata: Record<string, { values: string[] }> }>(
      echo("Metadata"),
      { headers: { "x-head": "1" }, trailers: { "x-trail": "2" } },
      {
        headers: { "X-One": "eins", "x-two-bin": "//79" },
        onHeader: (headers) => told.push(headers),
        onTrailer: (trailers) => told.push(trailers),
      },
    );
    assert.deepEqual(reply.metadata["x-one"]?.values, ["eins"]);
    assert.deepEqual(reply.metadata["x-two-bin"]?.values, ["//79"]);
    assert.deepEqual([told[0]?.["x-head"], told[1]?.["x-trail"]], ["1", "2"]);
  });

  test("fails with the server's status, details and trailers", async () => {
    const details = [
      { "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "LOST" },
      { "@type": "type.googleapis.com/google.rpc.RequestInfo", requestId: "7" },
    ];
    const status = { code: 5, message: "no € such", details };
    const error = await failure(client.call(echo("Fail"), { status, trailers: { "x-why": "so" } }));
    assert.deepEqual([error.code, error.rawMessage], [Code.NOT_FOUND, "no € such"]);
    assert.deepEqual(
      error.details.map(({ type, value }) => [type, Buffer.from(value).toString("latin1")]),
      [
        ["google.rpc.ErrorInfo", "\n\u0004LOST"],
        ["google.rpc.RequestInfo", "\n\u00017"],
      ],
    );
    assert.equal(error.metadata["x-why"], "so");
  });

  test("fails for what the gateway does not know, or cannot read", async () => {
    assert.equal((await failure(client.call("no.Such/Method", {}))).code, Code.UNIMPLEMENTED);
    assert.equal((await failure(client.call(echo("Say"), { text: 5 }))).code, Code.INVALID_ARGUMENT);
    assert.equal((await failure(client.call("not a method", {}))).code, Code.INTERNAL);
  });

  test("ends at its deadline, at the server too", async () => {
    const error = await failure(client.call(echo("Sleep"), {}, { timeoutMs: 50 }));
    assert.equal(error.code, Code.DEADLINE_EXCEEDED);
    await sluice.echo.calls.until(({ open }) => open === 0);
  });

  test("is cancelled by leaving its loop, by its signal, and by itself", async () => {
    const { calls } = sluice.echo;
    const earlier = calls.cancelled;
    for await (const { index } of client.stream<Text>(echo("Repeat"), { text: "endless" })) {
      if (index === 3) break;
    }
    await calls.until(({ cancelled }) => cancelled === earlier + 1);

    const controller = new AbortController();
    const { signal } = controller;
    const sleeping = failure(client.call(echo("Sleep"), {}, { signal }));
    await calls.until(({ open }) => open === 1);
    controller.abort(new Error("enough"));
    assert.equal((await sleeping).code, Code.CANCELLED);
    assert.match(String((await sleeping).cause), /enough/);
    await calls.until(({ cancelled }) => cancelled === earlier + 2);

    const stream = client.stream<Text>(echo("Repeat"), { text: "endless" });
    await stream.next();
    stream.cancel();
    assert.equal((await failure(stream.next())).code, Code.CANCELLED);
    await calls.until(({ cancelled }) => cancelled === earlier + 3);
  });

  test("fails with what its iterable throws, and with what cannot be JSON", async () => {
    const lost = new Error("lost");
    async function* broken(): AsyncGenerator<Text> {
      yield { text: "a" };
      throw lost;
    }
    await assert.rejects(client.call(echo("Collect"), broken()), lost);
    await assert.rejects(client.call(echo("Say"), { text: 1n }), TypeError);
    await sluice.echo.calls.until(({ open }) => open === 0);
  });

  test("answers 1,000 calls at once on one socket, 100 at a time", async () => {
    const replies = await Promise.all(
      Array.from({ length: 1000 }, (_, index) => client.call<Text>(echo("Say"), { text: String(index) })),
    );
    assert.deepEqual(
      replies.map(({ text }) => text),
      replies.map((_, index) => String(index)),
    );
    assert.equal(sluice.gateway.counts.webSockets, 1);
  });
});

test("a reply that is no JSON ends the call", async () => {
  const gateway = new MemoryGateway();
  gateway.service = ({ call }) => ({ halfClose: () => void call.send(bytes("{")) });
  const connection = new Connection({ url: "ws://a", webSocket: gateway.webSocket });
  const json = createJsonClient({ connection });
  assert.equal(json.connection, connection);
  const error = await failure(json.stream("a.B/C", {}).next());
  assert.equal(error.code, Code.INTERNAL);
  assert.match(error.message, /the server answered what is no JSON/);
  await settled();
  assert.equal(gateway.calls[0]?.ends[0]?.code, Code.CANCELLED);
  json.close();
});
