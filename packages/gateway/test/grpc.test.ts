import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, constants } from "node:http2";
import { after, before, describe, test } from "node:test";
import { brotliCompressSync, gunzipSync, gzipSync } from "node:zlib";
import { compressionGzip, createGrpcTransport } from "@connectrpc/connect-node";
import * as grpcJs from "@grpc/grpc-js";
import { RpcError } from "@sluice/rpc";
import { framed, rawRequest, type RawRequest } from "./raw-http2.ts";
import { describeDialect } from "./rpc-suite.ts";
import { startTestGateway, type TestGateway } from "./support.ts";

const writeMaxBytes = 8 * 1024 * 1024;

for (const useBinaryFormat of [true, false]) {
  describeDialect(`gRPC with ${useBinaryFormat ? "protobuf" : "JSON"}`, {
    isDuplex: true,
    createTransport: (options) => createGrpcTransport({ ...options, useBinaryFormat, writeMaxBytes }),
  });
}

describeDialect("gRPC with gzip", {
  isDuplex: true,
  createTransport: (options) =>
    createGrpcTransport({
      ...options,
      sendCompression: compressionGzip,
      acceptCompression: [compressionGzip],
      compressMinBytes: 0,
      writeMaxBytes,
    }),
});

describe("gRPC on the wire", () => {
  let sluice: TestGateway;
  before(async () => {
    sluice = await startTestGateway();
  });
  after(() => sluice.close());

  const say = "/sluice.test.v1.Echo/Say";
  const grpc = { "content-type": "application/grpc", te: "trailers" };
  const hello = Buffer.from("0a0568656c6c6f", "hex");

  test("an answer has headers, messages and trailers", async () => {
    const chunks = [framed(0, hello)];
    const { headers, trailers, body } = await rawRequest(sluice.http, { path: say, headers: grpc, chunks });
    assert.equal(headers[":status"], 200);
    assert.equal(headers["content-type"], "application/grpc");
    assert.match(String(headers["grpc-accept-encoding"]), /^gzip,deflate,br/);
    assert.equal(trailers["grpc-status"], "0");
    assert.deepEqual(body, chunks[0]);
  });

  test("messages pass compressed once the backend has said that it takes them", async () => {
    const headers = { ...grpc, "grpc-encoding": "gzip", "grpc-accept-encoding": "gzip" };
    const chunks = [framed(1, gzipSync(hello))];
    for (let round = 0; round < 2; round++) {
      const { trailers, body } = await rawRequest(sluice.http, { path: say, headers, chunks });
      assert.equal(trailers["grpc-status"], "0");
      const message = body.subarray(5);
      assert.deepEqual(body[0] === 1 ? gunzipSync(message) : message, hello);
    }
  });

  const refusals: readonly [
    name: string,
    request: Omit<RawRequest, "path"> & { readonly path?: string },
    status: number,
    grpcStatus: string | undefined,
  ][] = [
    ["another HTTP method", { method: "PUT", headers: grpc }, 405, undefined],
    ["GET", { method: "GET", headers: grpc }, 405, undefined],
    ["an unknown format", { headers: { "content-type": "application/grpc+xml" } }, 415, undefined],
    ["an unknown method", { path: "/a.B/C", headers: grpc }, 200, "12"],
    ["no message", { headers: grpc }, 200, "12"],
    ["two messages", { headers: grpc, chunks: [framed(0, hello, hello)] }, 200, "12"],
    ["an unknown encoding", { headers: { ...grpc, "grpc-encoding": "lzma" } }, 200, "12"],
    ["a timeout without a unit", { headers: { ...grpc, "grpc-timeout": "10" } }, 200, "3"],
    ["a timeout of nine digits", { headers: { ...grpc, "grpc-timeout": "123456789S" } }, 200, "3"],
    ["an unknown flag", { headers: grpc, chunks: [framed(7, hello)] }, 200, "3"],
    ["a compressed message that was not announced", { headers: grpc, chunks: [framed(1, hello)] }, 200, "13"],
    ["a message that ends early", { headers: grpc, chunks: [framed(0, hello).subarray(0, 8)] }, 200, "3"],
    [
      "a length of 4 GiB",
      { headers: grpc, chunks: [Buffer.from("00ffffffff", "hex")], isOpen: true },
      200,
      "8",
    ],
    [
      "a bomb",
      {
        headers: { ...grpc, "grpc-encoding": "br" },
        chunks: [framed(1, brotliCompressSync(Buffer.alloc(50_000_000)))],
      },
      200,
      "8",
    ],
    [
      "JSON that is none",
      { headers: { "content-type": "application/grpc+json" }, chunks: [framed(0, Buffer.from("{"))] },
      200,
      "3",
    ],
  ];
  for (const [name, asked, status, grpcStatus] of refusals) {
    test(`refuses ${name}`, async () => {
      const { headers, trailers } = await rawRequest(sluice.http, { path: say, ...asked });
      assert.equal(headers[":status"], status);
      assert.equal(headers["grpc-status"] ?? trailers["grpc-status"], grpcStatus);
      await sluice.echo.calls.until(({ open }) => open === 0);
    });
  }

  test("a call that ends at once has headers alone", async () => {
    const { headers, trailers, body } = await rawRequest(sluice.http, { path: "/a.B/C", headers: grpc });
    assert.equal(headers["grpc-status"], "12");
    assert.equal(headers["grpc-message"], "there is no method /a.B/C");
    assert.deepEqual({ ...trailers }, {});
    assert.equal(body.length, 0);
  });

  test("a client that goes on after the end is told to stop", async () => {
    const asked = { path: say, headers: grpc, chunks: [framed(0, hello, hello)], isOpen: true };
    const { headers, trailers, rstCode } = await rawRequest(sluice.http, asked);
    assert.equal(headers["grpc-status"] ?? trailers["grpc-status"], "12");
    assert.equal(rstCode, 0);
  });

  test("metadata that HTTP has one value for does not harm the connection with the backend", async () => {
    const headers = { ...grpc, authorization: "Bearer a", "x-many": ["1", "2"], "user-agent": "test" };
    const path = "/sluice.test.v1.Echo/Metadata";
    const { body, trailers } = await rawRequest(sluice.http, {
      path,
      headers,
      chunks: [framed(0, Buffer.alloc(0))],
    });
    assert.equal(trailers["grpc-status"], "0");
    assert.match(body.toString("latin1"), /Bearer a/);
  });

  test("over HTTP/1.1 it is refused", async () => {
    const response = await fetch(sluice.http + say, {
      method: "POST",
      headers: { "content-type": "application/grpc" },
    });
    assert.equal(response.status, 505);
    assert.match(await response.text(), /gRPC needs HTTP\/2/);
  });

  test("a slow reader holds up the backend, not the memory", async () => {
    const session = connect(sluice.http, { settings: { initialWindowSize: 65_535 } });
    const stream = session.request({ ":method": "POST", ":path": "/sluice.test.v1.Echo/Send", ...grpc });
    stream.on("error", () => undefined);
    // 64 KiB each, and no end.
    stream.end(framed(0, Buffer.from("08808004", "hex")));
    await once(stream, "response");
    const { calls } = sluice.echo;
    await calls.until(({ records }) => (records.at(-1)?.sent ?? 0) > 0);
    const sent = await settled(() => calls.records.at(-1)?.sent ?? 0);
    assert.ok(sent < 100, `${sent} messages of 64 KiB were sent that nobody reads`);
    stream.close(constants.NGHTTP2_CANCEL);
    await calls.until(({ open }) => open === 0);
    session.close();
  });
});

/** A number, once it has stayed the same for many turns of the event loop. */
async function settled(value: () => number): Promise<number> {
  let last = value();
  for (let same = 0; same < 500; same++) {
    await new Promise((resolve) => setImmediate(resolve));
    if (value() !== last) same = 0;
    last = value();
  }
  return last;
}

const bytes = (value: Buffer): Buffer => value;
const pathOf = (name: string): string => `/sluice.test.v1.Echo/${name}`;
const text = (value: string): Buffer =>
  Buffer.concat([Buffer.from([0x0a, value.length]), Buffer.from(value)]);

test("without a schema every dialect says in its own way that the backend is unavailable", async (t) => {
  const absent = new RpcError("reflection_unavailable", "nobody is there");
  const sluice = await startTestGateway({ loadSchema: () => Promise.reject(absent) });
  t.after(() => sluice.close());
  const path = "/sluice.test.v1.Echo/Say";
  const types = [
    "application/grpc",
    "application/grpc-web",
    "application/connect+proto",
    "application/proto",
  ];
  const [grpc, web, stream, unary] = await Promise.all(
    types.map((type) => rawRequest(sluice.http, { path, headers: { "content-type": type } })),
  );
  assert.equal(grpc?.headers["grpc-status"], "14");
  assert.match(web?.body.toString("latin1") ?? "", /grpc-status: 14/);
  assert.match(stream?.body.toString("latin1") ?? "", /"code":"unavailable","message":"nobody is there"/);
  assert.equal(unary?.headers[":status"], 503);
});

test("the head of a request may have 64 KiB, and no more", async (t) => {
  const sluice = await startTestGateway();
  t.after(() => sluice.close());
  const url = `${sluice.http}/v1/say/hello`;
  const statusOf = async (length: number): Promise<number> =>
    (await fetch(url, { headers: { "x-large": "x".repeat(length) } })).status;
  assert.equal(await statusOf(60_000), 200);
  assert.equal(await statusOf(70_000), 431);
  const headers = { "content-type": "application/grpc", "x-large": "x".repeat(70_000) };
  const refused = await rawRequest(sluice.http, { path: "/sluice.test.v1.Echo/Say", headers });
  assert.notEqual(refused.headers[":status"], 200);
});

describe("gRPC with grpc-js", () => {
  let sluice: TestGateway;
  let client: grpcJs.Client;
  before(async () => {
    sluice = await startTestGateway();
    client = new grpcJs.Client(`127.0.0.1:${sluice.port}`, grpcJs.credentials.createInsecure());
  });
  after(async () => {
    client.close();
    await sluice.close();
  });

  test("makes a unary call, with gzip too", async () => {
    const { identity, gzip } = grpcJs.compressionAlgorithms;
    for (const algorithm of [identity, gzip]) {
      const zipped = new grpcJs.Client(`127.0.0.1:${sluice.port}`, grpcJs.credentials.createInsecure(), {
        "grpc.default_compression_algorithm": algorithm,
      });
      const reply = await new Promise<Buffer | undefined>((resolve, reject) => {
        zipped.makeUnaryRequest(pathOf("Say"), bytes, bytes, text("hello"), (error, value) =>
          error === null ? resolve(value) : reject(error),
        );
      });
      assert.deepEqual(reply, text("hello"));
      zipped.close();
    }
  });

  test("has a dialogue", async () => {
    const call = client.makeBidiStreamRequest(pathOf("Converse"), bytes, bytes);
    for (const word of ["one", "two"]) {
      call.write(text(word));
      const [reply] = (await once(call, "data")) as [Buffer];
      assert.deepEqual(reply.subarray(0, 5), text(word));
    }
    call.end();
    call.resume();
    const [status] = (await once(call, "status")) as [grpcJs.StatusObject];
    assert.equal(status.code, 0);
  });

  test("is told the status, and the metadata, of a call that fails", async () => {
    // FailRequest{status: {code: 7, message: "no"}, trailers: {"k-bin": "AAE="}}
    const request = Buffer.from("0a06080712026e6f120d0a056b2d62696e12044141453d", "hex");
    const error = await new Promise<grpcJs.ServiceError>((resolve, reject) => {
      client.makeUnaryRequest(pathOf("Fail"), bytes, bytes, request, (failure) =>
        failure === null ? reject(new Error("no failure")) : resolve(failure),
      );
    });
    assert.equal(error.code, 7);
    assert.equal(error.details, "no");
    assert.deepEqual(error.metadata.get("k-bin"), [Buffer.from([0, 1])]);
  });

  test("cancels, and meets its deadline", async () => {
    const { calls } = sluice.echo;
    const call = client.makeServerStreamRequest(pathOf("Repeat"), bytes, bytes, text("x"));
    call.on("error", () => undefined);
    await once(call, "data");
    call.cancel();
    await calls.until(({ open }) => open === 0);
    const late = await new Promise<grpcJs.ServiceError | null>((resolve) => {
      const deadline = Date.now() + 100;
      client.makeUnaryRequest(pathOf("Sleep"), bytes, bytes, Buffer.alloc(0), { deadline }, resolve);
    });
    assert.equal(late?.code, 4);
    await calls.until(({ open }) => open === 0);
  });
});
