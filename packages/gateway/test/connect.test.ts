import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { createConnection } from "node:net";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { compressionGzip, createConnectTransport } from "@connectrpc/connect-node";
import { framed } from "./raw-http2.ts";
import { RpcClient } from "./rpc-client.ts";
import { describeDialect } from "./rpc-suite.ts";
import { echoSchema, send, startTestGateway, type TestGateway } from "./support.ts";

const run = promisify(execFile);

for (const httpVersion of ["1.1", "2"] as const) {
  for (const useBinaryFormat of [true, false]) {
    const format = useBinaryFormat ? "protobuf" : "JSON";
    describeDialect(`Connect with ${format} over HTTP/${httpVersion}`, {
      isDuplex: httpVersion === "2",
      createTransport: (options) =>
        createConnectTransport({ ...options, httpVersion, useBinaryFormat, writeMaxBytes: 8 * 1024 * 1024 }),
    });
  }
}

describeDialect("Connect with gzip over HTTP/2", {
  isDuplex: true,
  createTransport: (options) =>
    createConnectTransport({
      ...options,
      httpVersion: "2",
      sendCompression: compressionGzip,
      acceptCompression: [compressionGzip],
      compressMinBytes: 0,
      writeMaxBytes: 8 * 1024 * 1024,
    }),
});

describe("Connect on the wire", () => {
  let sluice: TestGateway;
  before(async () => {
    sluice = await startTestGateway();
  });
  after(() => sluice.close());

  const say = "/sluice.test.v1.Echo/Say";
  const getBook = "/sluice.test.v1.Library/GetBook";
  const json = { "content-type": "application/json", "connect-protocol-version": "1" };
  const proto = { "content-type": "application/proto" };

  test("a unary call is one message, and an error JSON with its HTTP status", async () => {
    const good = await send(sluice.http + say, "POST", { text: "hi" }, json);
    assert.equal(good.status, 200);
    assert.equal(good.headers.get("content-type"), "application/json");
    assert.deepEqual(good.json, { text: "hi" });
    const status = { code: 5, message: "no such", details: [{ "@type": "x/google.rpc.Help" }] };
    const bad = await send(`${sluice.http}/sluice.test.v1.Echo/Fail`, "POST", { status }, json);
    assert.equal(bad.status, 404);
    assert.equal(bad.headers.get("content-type"), "application/json");
    assert.deepEqual(bad.json, {
      code: "not_found",
      message: "no such",
      details: [{ type: "google.rpc.Help", value: "" }],
    });
  });

  test("trailers of a unary call are headers with a prefix", async () => {
    const body = { headers: { "x-head": "1" }, trailers: { "x-trail": "2" } };
    const { headers } = await send(`${sluice.http}/sluice.test.v1.Echo/Metadata`, "POST", body, json);
    assert.equal(headers.get("x-head"), "1");
    assert.equal(headers.get("trailer-x-trail"), "2");
    assert.equal(headers.get("x-trail"), null);
  });

  test("a message in the body may be compressed, as may be the answer", async () => {
    const path = sluice.http + say;
    const message = Buffer.from("0a0568656c6c6f", "hex");
    for (const [encoding, bytes] of [
      ["gzip", gzipSync(message)],
      ["br", brotliCompressSync(message)],
    ] as const) {
      const response = await fetch(path, {
        method: "POST",
        headers: { ...proto, "content-encoding": encoding },
        body: new Uint8Array(bytes),
      });
      assert.equal(response.status, 200);
      assert.deepEqual(Buffer.from(await response.arrayBuffer()), message);
    }
  });

  const gets: readonly [query: string, status: number, json: unknown][] = [
    ["connect=v1&encoding=json&message=%7B%22name%22%3A%22x%22%7D", 200, { name: "x" }],
    ["encoding=json&message={}", 200, {}],
    ["connect=v1&encoding=json&base64=1&message=eyJuYW1lIjoieCJ9", 200, { name: "x" }],
    [
      `connect=v1&encoding=json&base64=1&compression=gzip&message=${gzipSync("{}").toString("base64url")}`,
      200,
      {},
    ],
    ["connect=v1&encoding=json&base64=1&message=!", 400, undefined],
    ["connect=v1&encoding=json&message=%7B", 400, undefined],
    ["connect=v1&message={}", 400, undefined],
    ["connect=v1&encoding=json&compression=lzma&message={}", 501, undefined],
    ["connect=v1&encoding=xml&message={}", 415, undefined],
  ];
  for (const [query, status, expected] of gets) {
    test(`GET ?${query} is ${status}`, async () => {
      const response = await send(`${sluice.http}${getBook}?${query}`);
      assert.equal(response.status, status);
      if (status === 200) {
        assert.deepEqual(response.json, expected);
        assert.equal(response.headers.get("vary"), "accept-encoding");
      } else if (status !== 415) {
        assert.equal(response.headers.get("cache-control"), "no-store");
      }
    });
  }

  test("GET is refused for what may have side effects", async () => {
    const response = await send(`${sluice.http}${say}?connect=v1&encoding=json&message={}`);
    assert.equal(response.status, 405);
    assert.equal(response.headers.get("allow"), "POST");
  });

  test("Connect-ES makes calls with GET", async () => {
    const schema = await echoSchema(sluice.echo);
    for (const useBinaryFormat of [true, false]) {
      const transport = createConnectTransport({
        baseUrl: sluice.http,
        httpVersion: "2",
        useHttpGet: true,
        useBinaryFormat,
      });
      const { messages } = await new RpcClient(transport, schema).call("GetBook", [
        { name: "é", full: true },
      ]);
      assert.deepEqual(messages, [{ name: "é", full: true }]);
    }
  });

  const refusals: readonly [
    name: string,
    request: { path?: string; method?: string; headers: Record<string, string>; body?: string },
    status: number,
    code: string | undefined,
  ][] = [
    ["another HTTP method", { method: "DELETE", headers: proto }, 405, undefined],
    ["an unknown format", { headers: { ...json, "content-type": "application/xml" } }, 415, undefined],
    [
      "an unknown format of a stream",
      { headers: { "content-type": "application/connect+xml" } },
      415,
      undefined,
    ],
    ["a content type that is no protocol's", { headers: { "content-type": "image/jpeg" } }, 415, undefined],
    ["a unary form of a stream", { path: "/sluice.test.v1.Echo/Repeat", headers: json }, 415, undefined],
    [
      "a stream's form of a unary call",
      { headers: { "content-type": "application/connect+json" } },
      415,
      undefined,
    ],
    ["an unknown method", { path: "/a.B/C", headers: proto }, 404, "unimplemented"],
    [
      "an unknown version",
      { headers: { ...json, "connect-protocol-version": "2" } },
      400,
      "invalid_argument",
    ],
    ["a timeout that is none", { headers: { ...json, "connect-timeout-ms": "1s" } }, 400, "invalid_argument"],
    [
      "a timeout of 11 digits",
      { headers: { ...json, "connect-timeout-ms": "12345678901" } },
      400,
      "invalid_argument",
    ],
    ["an unknown encoding", { headers: { ...json, "content-encoding": "lzma" } }, 501, "unimplemented"],
    [
      "what is not its encoding",
      { headers: { ...json, "content-encoding": "gzip" }, body: "{}" },
      400,
      "invalid_argument",
    ],
    ["JSON that is none", { headers: json, body: "{" }, 400, "invalid_argument"],
    ["no JSON", { headers: json, body: "" }, 400, "invalid_argument"],
    [
      "a body over the limit",
      { headers: json, body: " ".repeat(4 * 1024 * 1024 + 1) },
      429,
      "resource_exhausted",
    ],
  ];
  for (const [name, { path = say, method = "POST", headers, body = "{}" }, status, code] of refusals) {
    test(`refuses ${name}`, async () => {
      const response = await send(sluice.http + path, method, body, headers);
      assert.equal(response.status, status);
      assert.equal((response.json as { code?: string } | undefined)?.code, code);
      if (status === 405) assert.equal(response.headers.get("allow"), "POST");
      await sluice.echo.calls.until(({ open }) => open === 0);
    });
  }

  test("a stream ends with its error and HTTP 200", async () => {
    const response = await fetch(`${sluice.http}/sluice.test.v1.Echo/Converse`, {
      method: "POST",
      headers: { "content-type": "application/connect+json" },
      body: new Uint8Array([...framed(0, Buffer.from('{"text":"a"}')), ...framed(2, Buffer.from("{}"))]),
    });
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("content-type"), "application/connect+json");
    const body = Buffer.from(await response.arrayBuffer());
    const last = body.subarray(body.lastIndexOf(Buffer.from([2, 0, 0, 0])));
    assert.equal(
      (JSON.parse(last.subarray(5).toString()) as { error: { code: string } }).error.code,
      "invalid_argument",
    );
  });

  test("a client that never stops sending is let pass for a while, then disconnected", async () => {
    const socket = createConnection(sluice.port, "127.0.0.1");
    socket.on("error", () => undefined);
    const head = "POST /a.B/C HTTP/1.1\r\nhost: x\r\ncontent-type: application/proto\r\n";
    socket.write(`${head}content-length: 1000000000\r\n\r\n`);
    const [answer] = (await once(socket, "data")) as [Buffer];
    assert.match(answer.toString(), /^HTTP\/1\.1 404/);
    let sent = 0;
    const chunk = Buffer.alloc(1024 * 1024);
    const flood = (): void => {
      sent += chunk.length;
      socket.write(chunk, (error) => {
        if (error === undefined || error === null) flood();
      });
    };
    flood();
    await new Promise((resolve) => socket.once("close", resolve));
    assert.ok(sent >= 16 * chunk.length && sent < 200 * chunk.length, `${sent} bytes were sent`);
  });

  test("curl makes unary calls and reads streams", async () => {
    const unary = ["-H", "connect-protocol-version: 1", "-H", "content-type: application/json"];
    const said = await run("curl", ["-sS", ...unary, "-d", '{"text":"curl"}', sluice.http + say]);
    assert.equal(said.stdout, '{"text":"curl"}');
    const prior = ["--http2-prior-knowledge", "-H", "content-type: application/proto", "--data-binary", ""];
    const two = await run("curl", ["-sS", "-i", ...prior, sluice.http + say]);
    assert.match(two.stdout, /^HTTP\/2 200/);
  });
});
