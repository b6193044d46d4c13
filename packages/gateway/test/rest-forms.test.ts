import assert from "node:assert/strict";
import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { after, before, describe, test } from "node:test";
import { BinaryReader } from "@bufbuild/protobuf/wire";
import { send, startTestGateway, type TestGateway } from "./support.ts";

let sluice: TestGateway;
before(async () => {
  sluice = await startTestGateway();
});
after(() => sluice.close());

async function answerOf(
  path: string,
  accept: string,
): Promise<{ status: number; type: string; body: Buffer }> {
  const response = await fetch(sluice.http + path, { headers: { accept } });
  return {
    status: response.status,
    type: response.headers.get("content-type") ?? "",
    body: Buffer.from(await response.arrayBuffer()),
  };
}

describe("a stream of replies, by what the client accepts", () => {
  test("NDJSON is the default", async () => {
    for (const accept of ["*/*", "application/x-ndjson", "text/html,*/*;q=0.8"]) {
      assert.equal((await answerOf("/v1/repeat/a?count=1", accept)).type, "application/x-ndjson", accept);
    }
  });

  test("Server-Sent Events have ids, and say their end", async () => {
    const { type, body } = await answerOf("/v1/repeat/a?count=2", "text/event-stream");
    assert.equal(type, "text/event-stream");
    assert.equal(
      body.toString(),
      'id: 0\ndata: {"text":"a"}\n\nid: 1\ndata: {"text":"a","index":1}\n\nevent: end\ndata: {}\n\n',
    );
  });

  test("a JSON array is one document", async () => {
    const { type, body } = await answerOf("/v1/repeat/a?count=2", "application/json");
    assert.equal(type, "application/json");
    assert.deepEqual(JSON.parse(body.toString()), [
      { result: { text: "a" } },
      { result: { text: "a", index: 1 } },
    ]);
  });

  test("protobuf messages stand behind their lengths", async () => {
    const { type, body } = await answerOf("/v1/repeat/a?count=2", "application/x-protobuf");
    assert.equal(type, "application/x-protobuf; delimited=true");
    const reader = new BinaryReader(body);
    const messages: string[] = [];
    while (reader.pos < reader.len) messages.push(Buffer.from(reader.bytes()).toString("hex"));
    assert.deepEqual(messages, ["0a01611000", "0a01611001"]);
  });

  const failing = { status: { code: 8, message: "enough" }, after: 1 };
  const failed = async (accept: string, body: unknown = failing): Promise<Awaited<ReturnType<typeof send>>> =>
    send(`${sluice.http}/v1/fail-later`, "POST", body, { accept });

  test("an error in the middle is visible in each form", async () => {
    const status = { code: 8, message: "enough", details: [] };
    const events = await failed("text/event-stream");
    assert.match(
      events.text,
      /\n\nevent: error\ndata: \{"code":8,"message":"enough","details":\[\]\}\n\nevent: end\n/,
    );
    const array = (await failed("application/json")).json as unknown[];
    assert.deepEqual(array.at(-1), { error: status });
    await assert.rejects(failed("application/x-protobuf"), "the connection breaks off");
  });

  test("an error before the first reply has its HTTP status in each form", async () => {
    for (const accept of ["text/event-stream", "application/json", "application/x-protobuf"]) {
      const answer = await failed(accept, { status: { code: 5, message: "gone" } });
      assert.equal(answer.status, 404, accept);
      assert.deepEqual(answer.json, { error: { code: 5, message: "gone", details: [] } });
    }
  });

  test("a silent event stream says that it is alive", async () => {
    const own = await startTestGateway({ keepAliveMs: 5 });
    const request = httpRequest(`${own.http}/v1/repeat/a?count=2&intervalMs=60000`, {
      headers: { accept: "text/event-stream" },
    });
    request.end();
    const [response] = (await once(request, "response")) as [IncomingMessage];
    let text = "";
    response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
    while (!text.includes(": keep-alive\n\n: keep-alive\n\n")) await once(response, "data");
    request.destroy();
    await own.close();
  });

  test("the id of the last event that a client has seen is metadata", async () => {
    const answer = await send(
      `${sluice.http}/sluice.test.v1.Echo/Metadata`,
      "POST",
      {},
      { "last-event-id": "41" },
    );
    const { metadata } = answer.json as { metadata: Record<string, { values: string[] }> };
    assert.deepEqual(metadata["last-event-id"]?.values, ["41"]);
  });
});

describe("bodies that are no JSON", () => {
  const form = { "content-type": "application/x-www-form-urlencoded" };

  test("a form fills fields as a query does", async () => {
    const say = await send(`${sluice.http}/v1/say`, "POST", "text=a+b%26c", form);
    assert.deepEqual(say.json, { text: "a b&c" });
    const book = await send(`${sluice.http}/v1/shelves/1/books`, "POST", "book.title=T&bookId=b", form);
    assert.deepEqual(book.json, { parent: "shelves/1", bookId: "b", book: { title: "T" } });
  });

  test("JSON that calls itself a form, as curl -d does, is JSON", async () => {
    assert.deepEqual((await send(`${sluice.http}/v1/say`, "POST", ' {"text":"x"}', form)).json, {
      text: "x",
    });
  });

  test("a form may stand for a GET, with X-HTTP-Method-Override", async () => {
    const headers = { ...form, "x-http-method-override": "get" };
    const answer = await send(`${sluice.http}/v1/books/x`, "POST", "full=true&chapter=2", headers);
    assert.deepEqual(answer.json, { name: "x", chapter: 2, full: true });
  });

  test("a google.api.HttpBody is downloaded as it stands", async () => {
    const response = await fetch(`${sluice.http}/v1/download/1000?contentType=text/plain`);
    assert.equal(response.headers.get("content-type"), "text/plain");
    assert.equal((await response.arrayBuffer()).byteLength, 1000);
    const stream = await fetch(`${sluice.http}/v1/download-stream/1000?chunks=3&contentType=image/png`);
    assert.equal(stream.headers.get("content-type"), "image/png");
    assert.equal((await stream.arrayBuffer()).byteLength, 1000);
  });

  test("a google.api.HttpBody is uploaded as it stands, whole or as a stream", async () => {
    const body = Buffer.from([0, 1, 2, 255, 254, 0x7b]);
    const type = { "content-type": "application/octet-stream" };
    const whole = await fetch(`${sluice.http}/v1/upload/a.bin`, { method: "POST", body, headers: type });
    assert.deepEqual(await whole.json(), {
      name: "a.bin",
      contentType: "application/octet-stream",
      size: "6",
      chunks: 1,
    });
    const large = Buffer.alloc(8 * 1024 * 1024, 7);
    const stream = await fetch(`${sluice.http}/v1/upload-stream`, {
      method: "POST",
      body: large,
      headers: type,
    });
    const reply = (await stream.json()) as { contentType: string; size: string };
    assert.deepEqual([reply.contentType, reply.size], ["application/octet-stream", String(large.length)]);
  });
});

async function getEverything(query: string): Promise<unknown> {
  return (await send(`${sluice.http}/v1/everything?${query}`)).json;
}

async function patch(path: string, body: unknown): Promise<unknown> {
  return (await send(sluice.http + path, "PATCH", body)).json;
}

describe("what a URL can say", () => {
  test("entries of a map, and messages that are JSON", async () => {
    assert.deepEqual(await getEverything("labels[a]=1&labels[b%20c]=x"), { labels: { a: "1", "b c": "x" } });
    assert.deepEqual(await getEverything("labels[__proto__]=1"), JSON.parse('{"labels":{"__proto__":"1"}}'));
    assert.deepEqual(await getEverything("labels=1"), {});
  });

  test("a PATCH without a mask means the fields that its body has", async () => {
    assert.deepEqual(await patch("/v1/whole-updates", { title: "T", place: { x: 1, y: 0 }, authors: [] }), {
      book: { title: "T", place: { x: 1 } },
      updateMask: "title,authors,place.x,place.y",
    });
    assert.deepEqual(await patch("/v1/whole-updates?updateMask=pages", { title: "T" }), {
      book: { title: "T" },
      updateMask: "pages",
    });
  });

  test("escaped characters, in four ways", async () => {
    const path = "/v1/files/a%2Fb/c%20d%3A";
    const expected = {
      spec: "a%2Fb/c d:",
      all: "a/b/c d:",
      "all-except-slash": "a%2Fb/c d:",
      "all-except-reserved": "a%2Fb/c d%3A",
    } as const;
    for (const [pathUnescaping, value] of Object.entries(expected)) {
      const own = await startTestGateway({
        rest: { pathUnescaping: pathUnescaping as keyof typeof expected },
      });
      assert.deepEqual((await send(own.http + path)).json, { path: value }, pathUnescaping);
      await own.close();
    }
  });
});

test("JSON has the options that it was asked to have", async () => {
  const own = await startTestGateway({
    rest: { emitDefaults: true, enumsAsNumbers: true, protoFieldNames: true },
  });
  const answer = await send(`${own.http}/v1/shelves/1/books`, "POST", { cover: 1 });
  assert.deepEqual(answer.json, {
    parent: "shelves/1",
    book_id: "",
    book: { name: "", title: "", pages: "0", cover: 1, authors: [] },
  });
  await own.close();
});
