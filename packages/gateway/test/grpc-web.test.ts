import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { compressionGzip, createGrpcWebTransport } from "@connectrpc/connect-node";
import { framed } from "./raw-http2.ts";
import { describeDialect } from "./rpc-suite.ts";
import { startTestGateway, type TestGateway } from "./support.ts";

const run = promisify(execFile);

for (const httpVersion of ["1.1", "2"] as const) {
  for (const useBinaryFormat of [true, false]) {
    const format = useBinaryFormat ? "protobuf" : "JSON";
    describeDialect(`gRPC-Web with ${format} over HTTP/${httpVersion}`, {
      isDuplex: httpVersion === "2",
      createTransport: (options) =>
        createGrpcWebTransport({ ...options, httpVersion, useBinaryFormat, writeMaxBytes: 8 * 1024 * 1024 }),
    });
  }
}

describeDialect("gRPC-Web with gzip over HTTP/1.1", {
  isDuplex: false,
  createTransport: (options) =>
    createGrpcWebTransport({
      ...options,
      httpVersion: "1.1",
      sendCompression: compressionGzip,
      acceptCompression: [compressionGzip],
      compressMinBytes: 0,
      writeMaxBytes: 8 * 1024 * 1024,
    }),
});

describe("gRPC-Web on the wire", () => {
  let sluice: TestGateway;
  before(async () => {
    sluice = await startTestGateway();
  });
  after(() => sluice.close());

  const say = "/sluice.test.v1.Echo/Say";
  const hello = Buffer.from("0a0568656c6c6f", "hex");
  const web = "application/grpc-web";
  const text = "application/grpc-web-text";

  /** Calls, and answers the response with its body. */
  async function post(
    path: string,
    contentType: string,
    body: string | Buffer,
    init: RequestInit = {},
  ): Promise<{ readonly response: Response; readonly body: Buffer }> {
    const response = await fetch(sluice.http + path, {
      method: "POST",
      headers: { "content-type": contentType },
      ...(init.method === "GET" ? {} : { body: typeof body === "string" ? body : new Uint8Array(body) }),
      ...init,
    });
    return { response, body: Buffer.from(await response.arrayBuffer()) };
  }

  test("the trailers are the last envelope of the body", async () => {
    const { response, body } = await post(say, web, framed(0, hello));
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("content-type"), web);
    assert.deepEqual(body.subarray(0, 12), framed(0, hello));
    assert.deepEqual(body.subarray(12), framed(0x80, Buffer.from("grpc-status: 0\r\ngrpc-message: OK\r\n")));
  });

  test("as text all is base64, of which a request may have several pieces", async () => {
    const [first, second] = [framed(0, hello).subarray(0, 4), framed(0, hello).subarray(4)];
    const asked = first.toString("base64") + second.toString("base64");
    const { response, body } = await post(say, `${text}+proto`, asked);
    assert.equal(response.headers.get("content-type"), `${text}+proto`);
    const pieces = body.toString().match(/[^=]+=*/g) ?? [];
    const decoded = Buffer.concat(pieces.map((piece) => Buffer.from(piece, "base64")));
    assert.deepEqual(decoded.subarray(0, 12), framed(0, hello));
    assert.match(decoded.toString("latin1"), /grpc-status: 0\r\ngrpc-message: OK\r\n$/);
  });

  const refusals: readonly [
    name: string,
    path: string,
    contentType: string,
    body: string | Buffer,
    grpcStatus: number,
  ][] = [
    ["an unknown method", "/a.B/C", web, framed(0, hello), 12],
    ["no message", say, web, "", 12],
    ["two messages", say, web, framed(0, hello, hello), 12],
    ["trailers of the client", say, web, framed(0x80, Buffer.from("a: b\r\n")), 3],
    ["a length of 4 GiB", say, web, Buffer.from("00ffffffff", "hex"), 8],
    ["a message that ends early", say, web, framed(0, hello).subarray(0, 9), 3],
    ["text that is not base64", say, text, "!!!!", 3],
    ["text that ends early", say, text, framed(0, hello).toString("base64").slice(0, 9), 3],
    ["JSON that is none", say, `${web}+json`, framed(0, Buffer.from("[")), 3],
  ];
  for (const [name, path, contentType, asked, grpcStatus] of refusals) {
    test(`refuses ${name}`, async () => {
      const { response, body } = await post(path, contentType, asked);
      assert.equal(response.status, 200);
      const said = contentType === text ? Buffer.from(body.toString(), "base64") : body;
      assert.equal(said[0], 0x80);
      assert.match(said.toString("latin1"), new RegExp(`grpc-status: ${grpcStatus}\\r\\n`));
      await sluice.echo.calls.until(({ open }) => open === 0);
    });
  }

  test("refuses other HTTP methods and formats", async () => {
    const put = await post(say, web, "", { method: "PUT", headers: { "content-type": web } });
    assert.equal(put.response.status, 405);
    assert.equal(put.response.headers.get("allow"), "POST");
    const xml = await post(say, `${web}+xml`, "");
    assert.equal(xml.response.status, 415);
    assert.match(xml.response.headers.get("accept-post") ?? "", /application\/grpc-web\+proto/);
  });

  test("curl makes calls", async () => {
    const args = ["-sS", "-H", `content-type: ${text}`, "-d", framed(0, hello).toString("base64")];
    const { stdout } = await run("curl", [...args, sluice.http + say]);
    assert.equal(Buffer.from(stdout, "base64").subarray(5, 12).toString("hex"), hello.toString("hex"));
  });
});
