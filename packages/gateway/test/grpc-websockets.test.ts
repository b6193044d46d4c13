import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { createRequire } from "node:module";
import { after, afterEach, before, describe, test } from "node:test";
import { fromBinary, fromJson, toBinary, toJson, type JsonObject } from "@bufbuild/protobuf";
import type { grpc as Improbable } from "@improbable-eng/grpc-web";
import { Code } from "@sluice/protocol";
import { type Method, type Schema } from "@sluice/rpc";
import { connectHttp2WebSocket } from "@sluice/websocket";
import { ClientError, createChannel, createClient, Metadata, WebsocketTransport } from "nice-grpc-web";
import { WebSocket } from "ws";
import { until } from "./multiplex-client.ts";
import { echoSchema, startTestGateway, type TestGateway } from "./support.ts";

// Its module has no names that Node could see.
const { grpc } = createRequire(import.meta.url)("@improbable-eng/grpc-web") as {
  readonly grpc: typeof Improbable;
};

let sluice: TestGateway;
let schema: Schema;
before(async () => {
  // The client takes the WebSocket of its browser.
  Object.assign(globalThis, { WebSocket });
  sluice = await startTestGateway();
  schema = await echoSchema(sluice.echo);
});
after(() => sluice.close());
afterEach(() => sluice.echo.calls.until(({ open }) => open === 0));

function methodOf(name: string): Method {
  const method = schema.methods.get(`/sluice.test.v1.Echo/${name}`);
  assert.ok(method !== undefined);
  return method;
}

function encode({ input }: Method, json: JsonObject): Uint8Array<ArrayBuffer> {
  return toBinary(input, fromJson(input, json, { registry: schema.registry }));
}

function decode({ output }: Method, bytes: Uint8Array): JsonObject {
  return toJson(output, fromBinary(output, bytes), { registry: schema.registry }) as JsonObject;
}

/** What came of a call. */
interface Reply {
  readonly messages: readonly JsonObject[];
  readonly code: number;
  readonly text: string;
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly trailers: ReadonlyMap<string, readonly string[]>;
}

interface CallOptions {
  readonly metadata?: Record<string, string>;
  /** Called with each message; `leave` gives the call up. */
  readonly onMessage?: (message: JsonObject, leave: () => void) => void;
}

type MakeCall = (name: string, requests: readonly JsonObject[], options?: CallOptions) => Promise<Reply>;

/** A message as `protoc-gen-js` makes them, as far as the client looks. */
class ImprobableMessage {
  bytes: Uint8Array = new Uint8Array();

  static deserializeBinary(bytes: Uint8Array): ImprobableMessage {
    const message = new ImprobableMessage();
    message.bytes = bytes;
    return message;
  }

  serializeBinary(): Uint8Array {
    return this.bytes;
  }

  toObject(): object {
    return this;
  }
}

const withImprobable: MakeCall = (name, requests, { metadata = {}, onMessage } = {}) =>
  new Promise((resolve) => {
    const method = methodOf(name);
    const client = grpc.client(
      {
        methodName: name,
        service: { serviceName: "sluice.test.v1.Echo" },
        requestStream: true,
        responseStream: true,
        requestType: ImprobableMessage,
        responseType: ImprobableMessage,
      },
      { host: sluice.http, transport: grpc.WebsocketTransport() },
    );
    const messages: JsonObject[] = [];
    const headers = new Map<string, readonly string[]>();
    const end = (code: number, text: string, all?: Improbable.Metadata): void => {
      const trailers = new Map<string, readonly string[]>();
      all?.forEach((key, values) => trailers.set(key, values));
      resolve({ messages, code, text, headers, trailers });
    };
    client.onHeaders((all) => all.forEach((key, values) => headers.set(key, values)));
    client.onMessage((reply) => {
      const message = decode(method, reply.serializeBinary());
      messages.push(message);
      onMessage?.(message, () => {
        client.close();
        end(Code.CANCELLED, "left");
      });
    });
    client.onEnd(end);
    client.start(new grpc.Metadata(metadata));
    for (const request of requests) client.send(ImprobableMessage.deserializeBinary(encode(method, request)));
    client.finishSend();
  });

function take(all: Metadata, into: Map<string, readonly string[]>): void {
  for (const [key, values] of all) into.set(key, values.map(String));
}

const withNice: MakeCall = async (name, requests, { metadata = {}, onMessage } = {}) => {
  const method = methodOf(name);
  const call = {
    path: method.path,
    requestStream: true as const,
    responseStream: true as const,
    requestSerialize: (json: JsonObject) => encode(method, json),
    requestDeserialize: () => ({}) as JsonObject,
    responseSerialize: () => new Uint8Array(),
    responseDeserialize: (bytes: Uint8Array) => decode(method, bytes),
    options: {},
  };
  const client = createClient({ call }, createChannel(sluice.http, WebsocketTransport()));
  const controller = new AbortController();
  const messages: JsonObject[] = [];
  const headers = new Map<string, readonly string[]>();
  const trailers = new Map<string, readonly string[]>();
  async function* input(): AsyncGenerator<JsonObject> {
    yield* requests;
  }
  try {
    const replies = client.call(input(), {
      metadata: Metadata(metadata),
      signal: controller.signal,
      onHeader: (all) => take(all, headers),
      onTrailer: (all) => take(all, trailers),
    });
    for await (const message of replies) {
      messages.push(message);
      onMessage?.(message, () => controller.abort());
    }
  } catch (error) {
    const isError = error instanceof ClientError;
    const code = isError ? error.code : Code.CANCELLED;
    return { messages, code, text: isError ? error.details : String(error), headers, trailers };
  }
  return { messages, code: Code.OK, text: "", headers, trailers };
};

for (const [title, call] of [
  ["@improbable-eng/grpc-web", withImprobable],
  ["nice-grpc-web", withNice],
] as const) {
  describe(`the client ${title}`, () => {
    test("makes calls of all four kinds", async () => {
      const unary = await call("Say", [{ text: "hällo 🌊" }]);
      assert.deepEqual([unary.code, unary.messages], [Code.OK, [{ text: "hällo 🌊" }]], unary.text);
      assert.deepEqual((await call("Say", [{}])).messages, [{}]);
      const down = await call("Repeat", [{ text: "a", count: 500 }]);
      assert.deepEqual([down.code, down.messages.length], [Code.OK, 500]);
      assert.deepEqual(down.messages[499], { text: "a", index: 499 });
      const up = await call("Collect", [{ text: "a" }, { text: "b" }, {}]);
      assert.deepEqual(up.messages, [{ texts: ["a", "b", ""] }]);
      assert.deepEqual((await call("Collect", [])).messages, [{}]);
      const both = await call("Converse", [{ text: "a" }, { text: "b" }]);
      assert.deepEqual(both.messages, [{ text: "a" }, { text: "b", index: 1 }]);
    });

    test("reads headers and trailers, of calls that go well and that do not", async () => {
      const { headers, trailers, messages } = await call(
        "Metadata",
        [{ headers: { "x-head": "1" }, trailers: { "x-trail": "2" } }],
        { metadata: { "x-one": "eins", authorization: "Bearer abc" } },
      );
      assert.deepEqual(headers.get("x-head"), ["1"]);
      assert.deepEqual(trailers.get("x-trail"), ["2"]);
      const metadata = messages[0]?.["metadata"] as Record<string, { values: string[] }>;
      assert.deepEqual(metadata["x-one"]?.values, ["eins"]);
      assert.deepEqual(metadata["authorization"]?.values, ["Bearer abc"]);
      assert.match(metadata["x-forwarded-for"]?.values[0] ?? "", /127\.0\.0\.1$/);
      assert.equal(metadata["x-grpc-web"], undefined);
    });

    test("is told errors, before any message and behind some", async () => {
      const status = { code: 5, message: "no € such: 100%" };
      const failed = await call("Fail", [{ status, trailers: { "x-why": "because" } }]);
      assert.deepEqual([failed.code, failed.text], [Code.NOT_FOUND, status.message]);
      assert.deepEqual(failed.trailers.get("x-why"), ["because"]);
      const later = await call("FailLater", [{ status, after: 3 }]);
      assert.deepEqual([later.code, later.text], [Code.NOT_FOUND, status.message]);
      assert.equal(later.messages.length, 3);
      const none = await call("Say", []);
      assert.equal(none.code, Code.UNIMPLEMENTED);
      assert.match(none.text, /no message/);
    });

    test("carries large messages", async () => {
      const { messages } = await call("Large", [{ size: 3_000_000 }]);
      assert.equal(JSON.stringify(messages).length, '[{"data":""}]'.length + 4_000_000);
      const data = Buffer.alloc(2_000_000, "x").toString("base64");
      const received = await call("Receive", [{ data }, { data }]);
      assert.deepEqual(received.messages, [{ messages: "2", bytes: "4000000" }]);
    });

    test("is told of a message that is too large", async () => {
      const { code, text } = await call("Say", [{ text: "x".repeat(4 * 1024 * 1024) }]);
      assert.equal(code, Code.RESOURCE_EXHAUSTED, text);
    });

    test("ends a call at its deadline", async () => {
      const { code } = await call("Sleep", [{}], { metadata: { "grpc-timeout": "30m" } });
      assert.equal(code, Code.DEADLINE_EXCEEDED);
    });

    test("cancels the call of the backend when it leaves", async () => {
      const { cancelled } = sluice.echo.calls;
      const { code } = await call("Repeat", [{ text: "endless" }], {
        onMessage: (_message, leave) => leave(),
      });
      assert.equal(code, Code.CANCELLED);
      await sluice.echo.calls.until((calls) => calls.cancelled === cancelled + 1);
    });
  });
}

/** Everything that came in a conversation of bytes, until its end. */
interface Answer {
  readonly frames: readonly Buffer[];
  readonly code: number;
}

async function exchange(
  method: string,
  messages: readonly (Buffer | string)[],
  options: {
    readonly url?: string;
    readonly protocol?: string;
    readonly headers?: Record<string, string>;
  } = {},
): Promise<Answer> {
  const { url = sluice.ws, protocol = "grpc-websockets", headers = {} } = options;
  const socket = new WebSocket(`${url}/sluice.test.v1.Echo/${method}`, [protocol], { headers });
  const frames: Buffer[] = [];
  socket.on("message", (data: Buffer) => frames.push(data));
  const closed = once(socket, "close") as Promise<[number]>;
  await once(socket, "open");
  assert.equal(socket.protocol, protocol);
  for (const message of messages) socket.send(message);
  const [code] = await closed;
  return { frames, code };
}

/** The text of a frame of headers or trailers. */
function blockOf(frame: Buffer | undefined): string {
  assert.ok(frame !== undefined && frame[0] === 0x80);
  assert.equal(frame.readUInt32BE(1), frame.length - 5);
  return frame.toString("latin1", 5);
}

const head = Buffer.from("content-type: application/grpc-web+proto\r\nx-grpc-web: 1\r\n");
const halfClose = Buffer.from([1]);
/** A request message of one byte and its frame, with the byte before it that says so. */
const say = Buffer.from([0, 0, 0, 0, 0, 3, 0x0a, 1, 0x78]);

describe("on the wire", () => {
  test("the headers stand alone in a message, and the socket closes behind the trailers", async () => {
    const { frames, code } = await exchange("Say", [head, say, halfClose]);
    assert.equal(code, 1000);
    assert.match(blockOf(frames[0]), /^content-type: application\/grpc\+proto\r\n/);
    const rest = Buffer.concat(frames.slice(1));
    assert.equal(rest.subarray(0, 8).toString("hex"), "00000000030a0178");
    assert.match(blockOf(rest.subarray(8)), /^grpc-status: 0\r\n/);
  });

  test("a call that fails at once has trailers alone", async () => {
    const { frames, code } = await exchange("Nonexistent", [head, say, halfClose]);
    assert.equal(frames.length, 1);
    assert.match(
      blockOf(frames[0]),
      /^grpc-status: 12\r\ngrpc-message: there is no method \/sluice\.test\.v1\.Echo\/Nonexistent\r\n$/,
    );
    assert.equal(code, 1000);
  });

  test("the request is one stream of bytes, however it is cut, and nothing counts behind its end", async () => {
    const pieces = [...say.subarray(1)].map((byte) => Buffer.from([0, byte]));
    const { frames } = await exchange("Collect", [
      head,
      Buffer.from([0]),
      ...pieces,
      Buffer.alloc(0),
      Buffer.concat([say, say.subarray(1)]),
      halfClose,
      say,
      Buffer.from([7]),
    ]);
    assert.equal(Buffer.concat(frames.slice(1)).subarray(5, 14).toString("hex"), "0a01780a01780a0178");
  });

  test("lines end with LF too, and names may stand twice", async () => {
    const lines = Buffer.from("X-Many: 1\nX-Many: 2\nx-bytes-bin: AAEC, AwQ=\n\n");
    const { frames } = await exchange("Metadata", [lines, Buffer.from([0, 0, 0, 0, 0, 0]), halfClose]);
    const text = Buffer.concat(frames.slice(1)).toString("latin1");
    assert.match(text, /x-many[^]{4,6}1, 2/);
    assert.match(text, /x-bytes-bin[^]{4,6}AAEC[^]{2}AwQ=/);
  });

  test("the subprotocol may stand in any case", async () => {
    const { frames } = await exchange("Say", [head, say, halfClose], { protocol: "gRPC-WebSockets" });
    assert.match(blockOf(frames[0]), /^content-type: /);
  });

  test("what the request for the socket says of the user is not replaced", async () => {
    const lines = Buffer.from("x-user: root\r\nx-forwarded-for: 10.0.0.1\r\nauthorization: Bearer mine\r\n");
    const { frames } = await exchange("Metadata", [lines, Buffer.from([0, 0, 0, 0, 0, 0]), halfClose], {
      headers: { "x-user": "ada" },
    });
    const text = Buffer.concat(frames.slice(1)).toString("latin1");
    assert.match(text, /x-user[^]{4,6}ada/);
    assert.doesNotMatch(text, /root|10\.0\.0\.1/);
    assert.match(text, /Bearer mine/);
  });

  for (const [what, messages, status] of [
    ["a text", [head, "hello"], /^grpc-status: 3\r\n/],
    ["a text in place of the headers", ["hello"], /^grpc-status: 3\r\n/],
    ["bytes that are no headers", [Buffer.from([0, 1, 2, 3])], /^grpc-status: 3\r\n/],
    ["a line without a colon", [Buffer.from("hello\r\n")], /^grpc-status: 3\r\n/],
    ["more headers than are taken", [Buffer.alloc(65_537, "a: b\r\n")], /^grpc-status: 8\r\n/],
    ["another first byte", [head, Buffer.from([2, 0])], /^grpc-status: 3\r\n/],
    ["a half-close with something behind it", [head, Buffer.from([1, 0])], /^grpc-status: 3\r\n/],
    ["a message that is cut", [head, say.subarray(0, 8), halfClose], /^grpc-status: 3\r\n/],
    ["two messages for one", [head, say, say, halfClose], /^grpc-status: 12\r\n/],
    ["a message that is too large", [head, Buffer.from([0, 0, 0xff, 0, 0, 0])], /^grpc-status: 8\r\n/],
    ["another content type", [Buffer.from("content-type: text/html")], /^grpc-status: 12\r\n/],
    ["a timeout that is none", [Buffer.from("grpc-timeout: soon\r\n")], /^grpc-status: 3\r\n/],
  ] as const) {
    test(`${what} ends the call with a status`, async () => {
      const { frames, code } = await exchange("Say", messages);
      assert.match(blockOf(frames.at(-1)), status);
      assert.equal(code, 1000);
    });
  }

  test("headers, and the message of a method that takes one, have to come in time", async () => {
    const own = await startTestGateway({ bodyMs: 20 });
    for (const messages of [[], [head], [head, say]]) {
      const { frames, code } = await exchange("Say", messages, { url: own.ws });
      assert.match(blockOf(frames.at(-1)), /^grpc-status: 4\r\n/);
      assert.equal(code, 1000);
    }
    await own.close();
  });

  test("a WebSocket message far over the limit closes with 1009", async () => {
    const { code } = await exchange("Say", [head, Buffer.alloc(5 * 1024 * 1024)]);
    assert.equal(code, 1009);
  });

  test("a page of another origin is refused", async () => {
    const socket = new WebSocket(`${sluice.ws}/sluice.test.v1.Echo/Say`, ["grpc-websockets"], {
      origin: "https://evil.example",
    });
    const [error] = (await once(socket, "error")) as [Error];
    assert.match(error.message, /403/);
  });
});

describe("a call on a socket of its own", () => {
  test("is held back by a client that reads slowly", async () => {
    const socket = new WebSocket(`${sluice.ws}/sluice.test.v1.Echo/Send`, ["grpc-websockets"]);
    await once(socket, "open");
    socket.pause();
    socket.send(head);
    const method = methodOf("Send");
    const request = encode(method, { size: 64 * 1024, count: 1000 });
    socket.send(Buffer.concat([Buffer.from([0, 0, 0, 0, 0, request.length]), request]));
    socket.send(halfClose);
    const record = () => sluice.echo.calls.records.findLast(({ path }) => path.endsWith("/Send"));
    await sluice.echo.calls.until(() => (record()?.sent ?? 0) > 10);
    for (let call = 0; call < 20; call++) await withImprobable("Say", [{ text: "x" }]);
    assert.ok(
      (record()?.sent ?? 0) < 500,
      `${record()?.sent} messages were sent to a client that reads none`,
    );
    let bytes = 0;
    socket.on("message", (data: Buffer) => (bytes += data.length));
    socket.resume();
    const [code] = (await once(socket, "close")) as [number];
    assert.equal(code, 1000);
    assert.ok(bytes > 64 * 1024 * 1000);
  });

  test("goes over HTTP/2 as well", async () => {
    const session = connectHttp2(sluice.http);
    const frames: Buffer[] = [];
    const closed = new Promise<number>((resolve, reject) => {
      connectHttp2WebSocket(session, "/sluice.test.v1.Echo/Say", {
        protocols: ["grpc-websockets"],
        handlers: {
          open: (connection) => {
            for (const message of [head, say, halfClose]) connection.send(message);
          },
          message: (_connection, data) => frames.push(Buffer.from(data)),
          close: (_connection, { code }) => resolve(code),
        },
      }).catch(reject);
    });
    assert.equal(await closed, 1000);
    assert.match(blockOf(frames[0]), /application\/grpc\+proto/);
    session.close();
  });

  test("is told when the gateway shuts down", async () => {
    const own = await startTestGateway();
    const socket = new WebSocket(`${own.ws}/sluice.test.v1.Echo/Sleep`, ["grpc-websockets"]);
    const frames: Buffer[] = [];
    socket.on("message", (data: Buffer) => frames.push(data));
    await once(socket, "open");
    for (const message of [head, Buffer.from([0, 0, 0, 0, 0, 0]), halfClose]) socket.send(message);
    await own.echo.calls.until(({ open }) => open === 1);
    const closed = once(socket, "close") as Promise<[number]>;
    await own.gateway.close(10);
    assert.equal((await closed)[0], 1000);
    assert.match(blockOf(frames.at(-1)), /^grpc-status: 14\r\ngrpc-message: the gateway is shutting down/);
    await own.close();
  });
});

test("nothing is left when all is done", async () => {
  await until(() => sluice.gateway.counts.webSockets === 0, "no socket is open");
  await sluice.echo.calls.until(({ open }) => open === 0);
});
