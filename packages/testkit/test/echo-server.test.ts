import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectHttp2, type Settings } from "node:http2";
import { after, before, describe, test } from "node:test";
import * as grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { startEchoServer, testCertificates, type EchoServer } from "@sluice/testkit";

type Message = Record<string, unknown>;
type Unary = (
  request: Message,
  metadata: grpc.Metadata,
  options: grpc.CallOptions,
  callback: (error: grpc.ServiceError | null, reply: Message) => void,
) => grpc.ClientUnaryCall;

type ServerStreaming = (request: Message) => grpc.ClientReadableStream<Message>;
type ClientStreaming = (
  callback: (error: grpc.ServiceError | null, reply: Message) => void,
) => grpc.ClientWritableStream<Message>;

type Client = grpc.Client &
  Record<"Say" | "Fail" | "Metadata" | "Sleep" | "PutEverything", Unary> &
  Record<"Repeat" | "FailLater" | "Send", ServerStreaming> & {
    Collect: ClientStreaming;
    Converse: () => grpc.ClientDuplexStream<Message, Message>;
  };

function clientOf(
  server: EchoServer,
  { service = "Echo", credentials = grpc.credentials.createInsecure() } = {},
): Client {
  const includeDirs = [...server.importPaths];
  const definition = loadSync(server.protoPath, {
    includeDirs,
    keepCase: true,
    longs: String,
    defaults: true,
  });
  const loaded = grpc.loadPackageDefinition(definition) as unknown as {
    sluice: { test: { v1: Record<string, grpc.ServiceClientConstructor> } };
  };
  const Constructor = loaded.sluice.test.v1[service];
  assert.ok(Constructor);
  return new Constructor(server.address, credentials, {
    // TLS does not take an IP address for a name.
    "grpc.ssl_target_name_override": "localhost",
  }) as unknown as Client;
}

const same = (bytes: Buffer): Buffer => bytes;

interface Outcome {
  readonly reply?: Message;
  readonly error?: grpc.ServiceError;
  readonly headers?: grpc.Metadata;
  readonly status?: grpc.StatusObject;
}

function unary(
  client: Client,
  name: "Say" | "Fail" | "Metadata" | "Sleep" | "PutEverything",
  request: Message,
  metadata = new grpc.Metadata(),
): Promise<Outcome> {
  return new Promise<Outcome>((resolve) => {
    let headers: grpc.Metadata | undefined;
    let outcome: Outcome = {};
    const call = client[name](request, metadata, {}, (error, reply) => {
      outcome = error === null ? { reply } : { error };
    });
    call.on("metadata", (received: grpc.Metadata) => (headers = received));
    call.on("status", (status: grpc.StatusObject) =>
      setImmediate(() => resolve({ ...outcome, ...(headers && { headers }), status })),
    );
  });
}

describe("the echo server", () => {
  let server: EchoServer;
  let client: Client;

  before(async () => {
    server = await startEchoServer({ reflection: "none" });
    client = clientOf(server);
  });

  after(async () => {
    client.close();
    await server.close();
  });

  test("answers a unary call", async () => {
    assert.deepEqual((await unary(client, "Say", { text: "hello" })).reply, { text: "hello" });
  });

  test("answers a server-streaming call", async () => {
    const replies = await client.Repeat({ text: "again", count: 3, interval_ms: 1 }).toArray();
    assert.deepEqual(
      replies,
      [0, 1, 2].map((index) => ({ text: "again", index })),
    );
  });

  test("answers a client-streaming call after the half-close", async () => {
    const reply = await new Promise<Message>((resolve) => {
      const call = client.Collect((_error, message) => resolve(message));
      call.write({ text: "a" });
      call.write({ text: "b" });
      call.end();
    });
    assert.deepEqual(reply, { texts: ["a", "b"] });
  });

  test("answers each message of a bidirectional call before the next is sent", async () => {
    const call = client.Converse();
    for (const [index, text] of ["a", "b"].entries()) {
      call.write({ text });
      assert.deepEqual(await once(call, "data"), [{ text, index }]);
    }
    call.end();
    await once(call, "end");
  });

  test("fails with the status, details and trailers asked for", async () => {
    const { error } = await unary(client, "Fail", {
      status: {
        code: 9,
        message: "no more",
        details: [{ type_url: "type.example/x", value: Buffer.from([8, 1]) }],
      },
      trailers: { reason: "quota", "proof-bin": "AAEC" },
    });
    assert.ok(error);
    assert.equal(error.code, 9);
    assert.equal(error.details, "no more");
    assert.deepEqual(error.metadata.get("reason"), ["quota"]);
    assert.deepEqual(error.metadata.get("proof-bin"), [Buffer.from([0, 1, 2])]);
    assert.equal(
      (error.metadata.get("grpc-status-details-bin")[0] as Buffer).toString("latin1"),
      "\x08\x09\x12\x07no more\x1a\x14\x0a\x0etype.example/x\x12\x02\x08\x01",
    );
  });

  test("fails after as many replies as asked for", async () => {
    const call = client.FailLater({ status: { code: 10, message: "later" }, after: 2 });
    const replies: Message[] = [];
    call.on("data", (reply: Message) => replies.push(reply));
    const [error] = (await once(call, "error")) as [grpc.ServiceError];
    assert.equal(error.code, 10);
    assert.equal(replies.length, 2);
  });

  test("shows the metadata that came, and sends what is asked for", async () => {
    const metadata = new grpc.Metadata();
    metadata.add("two", "1");
    metadata.add("two", "2");
    metadata.add("raw-bin", Buffer.from([0xff]));
    const request = { headers: { "x-head": "h", "x-head-bin": "/w==" }, trailers: { "x-tail": "t" } };
    const { reply, headers, status } = await unary(client, "Metadata", request, metadata);
    const received = reply?.["metadata"] as Record<string, { values: string[] }>;
    assert.deepEqual(received["two"]?.values.join(", "), "1, 2");
    assert.deepEqual(received["raw-bin"]?.values, ["/w=="]);
    assert.deepEqual(headers?.get("x-head"), ["h"]);
    assert.deepEqual(headers?.get("x-head-bin"), [Buffer.from([0xff])]);
    assert.deepEqual(status?.metadata.get("x-tail"), ["t"]);
  });

  test("tells of a call that was cancelled", async () => {
    const already = server.calls.cancelled;
    const call = client.Sleep({}, new grpc.Metadata(), {}, () => {});
    await server.calls.until((log) => log.records.at(-1)?.path.endsWith("/Sleep") === true);
    call.cancel();
    await server.calls.until((log) => log.cancelled === already + 1);
    assert.equal(server.calls.open, 0);
  });

  test("sends no more than flow control admits", async () => {
    const call = client.Send({ size: 16384, count: 0 });
    call.pause();
    await server.calls.until((log) => (log.records.at(-1)?.sent ?? 0) > 1);
    call.cancel();
    call.on("error", () => {});
    await server.calls.until((log) => log.open === 0);
    assert.ok((server.calls.records.at(-1)?.sent ?? 0) < 1000);
  });

  test("rejects a wait that does not come true", async () => {
    await assert.rejects(
      server.calls.until(() => false, 1),
      /did not happen within 1 ms/,
    );
  });

  test("mirrors every kind of field, byte for byte", async () => {
    const library = clientOf(server, { service: "Library" });
    const request = {
      int64_value: "-9007199254740993",
      strings: ["a"],
      labels: { k: "v" },
      choice_string: "x",
    };
    const { reply } = await unary(library, "PutEverything", request);
    for (const [name, value] of Object.entries(request)) assert.deepEqual(reply?.[name], value);
    library.close();
  });
});

test("a server that is killed cuts its calls and can come back on the same port", async () => {
  const first = await startEchoServer({ reflection: "none" });
  const client = clientOf(first);
  const cut = unary(client, "Sleep", {});
  await first.calls.until((log) => log.open === 1);
  await first.kill();
  assert.equal((await cut).error?.code, 14);
  assert.equal(first.connections.open, 0);

  const second = await startEchoServer({ reflection: "none", port: first.port });
  const ready = new Promise((resolve) => client.waitForReady(Date.now() + 5000, resolve));
  assert.equal(await ready, undefined);
  assert.deepEqual((await unary(client, "Say", { text: "back" })).reply, { text: "back" });
  client.close();
  await second.close();
});

test("a server announces how many calls a connection may have", async () => {
  const server = await startEchoServer({ reflection: "none", maxConcurrentStreams: 3 });
  const session = connectHttp2(`http://${server.address}`);
  const [settings] = (await once(session, "remoteSettings")) as [Settings];
  assert.equal(settings.maxConcurrentStreams, 3);
  session.destroy();
  await server.close();
});

test("a server sends GOAWAY, and cuts what still runs after the grace", async () => {
  const server = await startEchoServer({ reflection: "none" });
  const session = connectHttp2(`http://${server.address}`);
  const stream = session.request({
    ":method": "POST",
    ":path": "/sluice.test.v1.Echo/Sleep",
    "content-type": "application/grpc",
  });
  stream.on("error", () => {});
  session.on("error", () => {});
  stream.end(Buffer.alloc(5));
  await server.calls.until((log) => log.open === 1);
  server.goAway(60_000);
  assert.equal((await once(session, "goaway"))[0], 0);
  assert.equal(server.calls.open, 1);
  server.goAway(0);
  await new Promise((resolve) => stream.once("close", resolve));
  await server.calls.until((log) => log.cancelled === 1);
  await server.close();
});

test("a server that resets its connections takes new ones", async () => {
  const server = await startEchoServer({ reflection: "none" });
  const client = clientOf(server);
  const cut = unary(client, "Sleep", {});
  await server.calls.until((log) => log.open === 1);
  server.reset();
  assert.equal((await cut).error?.code, 14);
  await unary(client, "Say", { text: "again" }, new grpc.Metadata({ waitForReady: true }));
  assert.deepEqual({ ...server.connections }, { open: 1, accepted: 2 });
  client.close();
  await server.close();
});

for (const tls of [true, "mutual"] as const) {
  test(`a server speaks TLS (${tls})`, async () => {
    const { ca, client: pair } = testCertificates();
    const server = await startEchoServer({ reflection: "none", tls });
    const mutual = tls === "mutual" ? [Buffer.from(pair.key), Buffer.from(pair.cert)] : [];
    const credentials = grpc.credentials.createSsl(Buffer.from(ca), mutual[0], mutual[1]);
    const client = clientOf(server, { credentials });
    assert.deepEqual((await unary(client, "Say", { text: "safe" })).reply, { text: "safe" });
    client.close();
    await server.close();
  });
}

for (const [reflection, version] of [
  ["v1", "v1"],
  ["v1alpha", "v1alpha"],
  ["grpc-reflection", "v1"],
] as const) {
  test(`a server lists its services by reflection (${reflection})`, async () => {
    const server = await startEchoServer({ reflection });
    const client = new grpc.Client(server.address, grpc.credentials.createInsecure());
    const path = `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`;
    const call = client.makeBidiStreamRequest(path, same, same);
    call.write(Buffer.from([0x3a, 0]));
    const [answer] = (await once(call, "data")) as [Buffer];
    assert.ok(answer.includes("sluice.test.v1.Echo"));
    call.end();
    await once(call, "end");
    client.close();
    await server.close();
  });
}
