import assert from "node:assert/strict";
import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { connect } from "node:http2";
import { after, before, describe, test } from "node:test";
import { send, startTestGateway, type TestGateway } from "./support.ts";

let sluice: TestGateway;
before(async () => {
  sluice = await startTestGateway();
});
after(() => sluice.close());

type Expectation = readonly [httpMethod: string, path: string, body: unknown, status: number, json: unknown];

const mappings: readonly Expectation[] = [
  // path
  ["GET", "/v1/say/hello", undefined, 200, { text: "hello" }],
  ["GET", "/v1/say/caf%C3%A9%2F%20%3F", undefined, 200, { text: "café/ ?" }],
  ["GET", "/v1/shelves/1/books/2", undefined, 200, { name: "shelves/1/books/2" }],
  ["GET", "/v1/books/x/chapters/7", undefined, 200, { name: "x", chapter: 7 }],
  ["GET", "/v1/files/a/b/c.txt?revision=r1", undefined, 200, { path: "a/b/c.txt", revision: "r1" }],
  ["GET", "/v1/files/a/b:download", undefined, 200, { path: "a/b" }],
  ["GET", "/v1/everything/points/15/-2", undefined, 200, { point: { x: 15, y: -2 } }],
  // query
  ["GET", "/v1/books/x?full=true&chapter=3", undefined, 200, { name: "x", chapter: 3, full: true }],
  ["GET", "/v1/books/x?name=ignored", undefined, 200, { name: "x" }],
  ["GET", "/v1/books/x?nonsense=1", undefined, 200, { name: "x" }],
  // body
  ["POST", "/v1/say", { text: "hello" }, 200, { text: "hello" }],
  ["POST", "/v1/say", {}, 200, {}],
  ["POST", "/v1/say", undefined, 200, {}],
  ["POST", "/v1/say?text=ignored", {}, 200, {}],
  ["POST", "/v1/say", { text: "x", unknown: [1, { a: 2 }] }, 200, { text: "x" }],
  [
    "POST",
    "/v1/shelves/9/books?bookId=b7",
    { title: "T", pages: "12" },
    200,
    { parent: "shelves/9", bookId: "b7", book: { title: "T", pages: "12" } },
  ],
  [
    "POST",
    "/v1/shelves/1/books/2:move",
    { destination: "d", name: "lost" },
    200,
    {
      name: "shelves/1/books/2",
      destination: "d",
    },
  ],
  // response_body
  [
    "PATCH",
    "/v1/shelves/1/books/2?updateMask=title",
    { title: "N" },
    200,
    { name: "shelves/1/books/2", title: "N" },
  ],
  [
    "PUT",
    "/v1/shelves/1/books/2",
    { title: "N" },
    200,
    {
      book: { name: "shelves/1/books/2", title: "N" },
    },
  ],
  ["DELETE", "/v1/shelves/1/books/2", undefined, 200, {}],
  // other HTTP methods
  ["REPORT", "/v1/shelves/1/books/2", undefined, 200, { name: "shelves/1/books/2" }],
  ["OPTIONS", "/v1/anything/x", undefined, 200, { name: "x" }],
  // no HTTP rule
  ["POST", "/sluice.test.v1.Echo/Metadata", {}, 200, undefined],
  // the errors
  [
    "GET",
    "/v1/nowhere",
    undefined,
    404,
    { code: 5, message: "no method is bound to GET /v1/nowhere", details: [] },
  ],
  ["PUT", "/v1/say", {}, 405, { code: 12, message: "/v1/say is bound to POST, not to PUT", details: [] }],
  ["POST", "/v1/say", "{", 400, undefined],
  ["POST", "/v1/say", '{"text":1}', 400, undefined],
  ["POST", "/v1/say", "[]", 400, undefined],
  ["GET", "/v1/books/x?chapter=seven", undefined, 400, undefined],
  ["GET", "/v1/books/x?chapter=1&chapter=2", undefined, 400, undefined],
  ["GET", "/v1/say/%ff", undefined, 400, undefined],
];

describe("REST over HTTP/1.1", () => {
  for (const [method, path, body, status, json] of mappings) {
    test(`${method} ${path} ${body === undefined ? "" : JSON.stringify(body)} is answered with ${status}`, async () => {
      const answer = await send(sluice.http + path, method, body);
      assert.equal(answer.status, status, answer.text);
      if (json !== undefined) assert.deepEqual(answer.json, json);
      assert.equal(answer.headers.get("content-type"), "application/json");
      if (status >= 400) {
        const error = answer.json as { code: number; message: string };
        assert.equal(typeof error.code, "number");
        assert.ok(error.message.length > 0);
      }
    });
  }

  test("HEAD is answered as GET, without a body", async () => {
    const answer = await send(`${sluice.http}/v1/say/hello`, "HEAD");
    assert.equal(answer.status, 200);
    assert.equal(answer.text, "");
  });

  test("a wrong method names the right ones", async () => {
    const answer = await send(`${sluice.http}/v1/say`, "DELETE");
    assert.equal(answer.headers.get("allow"), "POST");
  });

  test("an error of the backend keeps code, message and details", async () => {
    const status = {
      code: 9,
      message: "not now",
      details: [
        { "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "CLOSED", domain: "test" },
        { "@type": "type.googleapis.com/sluice.test.v1.SayReply", text: "a detail" },
      ],
    };
    const answer = await send(`${sluice.http}/v1/fail`, "POST", { status });
    assert.equal(answer.status, 400);
    assert.deepEqual(answer.json, status);
  });

  test("every gRPC code has its HTTP status", async () => {
    const expected = [500, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401];
    for (let code = 1; code <= 16; code++) {
      const answer = await send(`${sluice.http}/v1/fail`, "POST", {
        status: { code, message: `code ${code}` },
      });
      assert.equal(answer.status, expected[code], `code ${code}`);
      assert.deepEqual(answer.json, { code, message: `code ${code}`, details: [] });
    }
  });

  test("a server stream is a line of NDJSON for each message", async () => {
    const answer = await send(`${sluice.http}/v1/repeat/hi?count=3`);
    assert.equal(answer.headers.get("content-type"), "application/x-ndjson");
    assert.deepEqual(
      answer.text
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as unknown),
      [0, 1, 2].map((index) => ({ result: index === 0 ? { text: "hi" } : { text: "hi", index } })),
    );
  });

  test("a stream that fails later ends with a line that says so", async () => {
    const answer = await send(`${sluice.http}/v1/fail-later`, "POST", {
      status: { code: 8, message: "enough" },
      after: 1,
    });
    assert.equal(answer.status, 200);
    const lines = answer.text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as unknown);
    assert.deepEqual(lines.at(-1), { error: { code: 8, message: "enough", details: [] } });
    assert.equal(lines.length, 2);
  });

  test("a stream that fails before its first message has the HTTP status of its error", async () => {
    const answer = await send(`${sluice.http}/v1/fail-later`, "POST", {
      status: { code: 5, message: "gone" },
    });
    assert.equal(answer.status, 404);
    assert.deepEqual(answer.json, { error: { code: 5, message: "gone", details: [] } });
  });

  test("the first message of a stream arrives while the stream goes on", async () => {
    const response = await fetch(`${sluice.http}/v1/repeat/tick?count=0&intervalMs=1`);
    const reader = response.body?.getReader();
    const { value } = (await reader?.read()) ?? {};
    assert.match(Buffer.from(value ?? []).toString(), /^\{"result":\{"text":"tick"/);
    const { cancelled } = sluice.echo.calls;
    await reader?.cancel();
    await sluice.echo.calls.until((calls) => calls.cancelled > cancelled, 1000);
  });

  for (const type of ["application/json", "application/x-ndjson", "application/jsonl", "text/plain"]) {
    test(`a client's stream may be called ${type}, also on the path of the method`, async () => {
      const response = await fetch(`${sluice.http}/sluice.test.v1.Echo/Receive`, {
        method: "POST",
        headers: { "content-type": type },
        body: '{"data":"AAAA"}\n{"data":"AA=="}\n',
      });
      assert.deepEqual([response.status, await response.json()], [200, { messages: "2", bytes: "4" }]);
    });
  }

  test("a client's stream of JSON texts is a stream of messages", async () => {
    for (const body of [
      '{"text":"a"}\n{"text":"b"}\n',
      '{"text":"a"}{"text":"b"}',
      ' {"text":"a"} {"text":"b"}',
    ]) {
      const answer = await send(`${sluice.http}/v1/collect`, "POST", body);
      assert.deepEqual(answer.json, { texts: ["a", "b"] });
    }
    assert.deepEqual((await send(`${sluice.http}/v1/collect`, "POST", "")).json, {});
    const wrong = await send(`${sluice.http}/v1/collect`, "POST", '{"text":"a"}{"text":');
    assert.deepEqual([wrong.status, (wrong.json as { code: number }).code], [400, 3]);
  });

  test("a client that can do both at once has a dialogue", async () => {
    const request = httpRequest(`${sluice.http}/v1/converse`, { method: "POST" });
    request.write('{"text":"one"}');
    const [response] = (await once(request, "response")) as [IncomingMessage];
    response.setEncoding("utf8");
    assert.match(String(await once(response, "data")), /"one"/);
    request.write('{"text":"two"}');
    assert.match(String(await once(response, "data")), /"two"/);
    request.end();
    await once(response.resume(), "end");
  });

  test("metadata goes both ways, trailers to those who ask for them", async () => {
    const request = httpRequest(`${sluice.http}/sluice.test.v1.Echo/Metadata`, {
      method: "POST",
      headers: {
        te: "trailers",
        "grpc-metadata-color": ["red", "blue"],
        "grpc-metadata-key-bin": "AAEC",
        "grpc-metadata-sluice-user": "root",
        authorization: "Bearer abc",
        "x-private": "stays here",
        "grpc-timeout": "5S",
      },
    });
    request.end(JSON.stringify({ headers: { "a-header": "h" }, trailers: { "a-trailer": "t" } }));
    const [response] = (await once(request, "response")) as [IncomingMessage];
    let text = "";
    response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
    await once(response, "end");
    const { metadata, timeoutMs } = JSON.parse(text) as {
      metadata: Record<string, { values: string[] }>;
      timeoutMs: number;
    };
    assert.deepEqual(metadata["color"]?.values.join(", "), "red, blue");
    assert.deepEqual(metadata["key-bin"]?.values, ["AAEC"]);
    assert.deepEqual(metadata["authorization"]?.values, ["Bearer abc"]);
    assert.deepEqual(metadata["x-forwarded-for"]?.values, ["127.0.0.1"]);
    assert.deepEqual(metadata["x-forwarded-host"]?.values, [`127.0.0.1:${sluice.port}`]);
    assert.equal(metadata["x-private"], undefined);
    assert.equal(metadata["sluice-user"], undefined, "only the gateway says whose session it is");
    assert.ok(timeoutMs > 4000 && timeoutMs <= 5000, `${timeoutMs}`);
    assert.equal(response.headers["grpc-metadata-a-header"], "h");
    assert.equal(response.trailers["grpc-trailer-a-trailer"], "t");
  });

  test("a timeout ends the call, one that is none is refused", async () => {
    const sleep = `${sluice.http}/sluice.test.v1.Echo/Sleep`;
    assert.equal((await send(sleep, "POST", {}, { "grpc-timeout": "20m" })).status, 504);
    assert.equal((await send(sleep, "POST", {}, { "grpc-timeout": "soon" })).status, 400);
  });
});

describe("REST over HTTP/2 on the same port", () => {
  test("answers calls, streams and errors", async (context) => {
    const session = connect(sluice.http);
    context.after(() => session.close());
    const call = async (path: string, body?: string): Promise<{ status: number; text: string }> => {
      const stream = session.request({ ":path": path, ":method": body === undefined ? "GET" : "POST" });
      stream.setEncoding("utf8");
      stream.end(body);
      const [headers] = (await once(stream, "response")) as [{ ":status": number }];
      let text = "";
      for await (const chunk of stream) text += String(chunk);
      return { status: headers[":status"], text };
    };
    assert.deepEqual(await call("/v1/say/hello"), { status: 200, text: '{"text":"hello"}' });
    assert.deepEqual(await call("/v1/say", '{"text":"x"}'), { status: 200, text: '{"text":"x"}' });
    assert.equal((await call("/v1/repeat/a?count=2")).text.split("\n").length, 3);
    assert.equal((await call("/v1/nowhere")).status, 404);
    // Over HTTP/1 Node's parser refuses it.
    for (const path of ["/v1/say/é", "/v1/files/x?revision=é"]) assert.equal((await call(path)).status, 400);
    const large = "x".repeat(300_000);
    assert.equal((await call("/v1/say", JSON.stringify({ text: large }))).text.length, large.length + 11);
  });

  test("metadata of the backend arrives as headers and trailers", async (context) => {
    const session = connect(sluice.http);
    context.after(() => session.close());
    const stream = session.request({
      ":path": "/sluice.test.v1.Echo/Metadata",
      ":method": "POST",
      te: "trailers",
    });
    stream.end(JSON.stringify({ headers: { "a-header": "h" }, trailers: { "a-trailer": "t" } }));
    stream.resume();
    const [headers] = (await once(stream, "response")) as [Record<string, string>];
    const [trailers] = (await once(stream, "trailers")) as [Record<string, string>];
    assert.equal(headers["grpc-metadata-a-header"], "h");
    assert.equal(trailers["grpc-trailer-a-trailer"], "t");
  });
});
