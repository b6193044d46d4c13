import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { ServerHttp2Stream } from "node:http2";
import { createHttp2Backend, type Http2Backend } from "@sluice/rpc";
import { converse, eventually, message, method, open, run, say } from "./harness.ts";
import { answer, framed, grpcHeaders, startScriptedServer, type ScriptedServer } from "./scripted-server.ts";

const hello = message([1, "hello"]);

function nothing(_stream: ServerHttp2Stream): void {}

describe("a server that answers", () => {
  let server: ScriptedServer;
  let backend: Http2Backend;
  let script = nothing;
  before(async () => {
    server = await startScriptedServer((stream) => script(stream));
    backend = createHttp2Backend(server.address, { maxMessageBytes: 100 });
  });
  after(async () => {
    await backend.close(0);
    await server.close();
  });

  const cases: readonly {
    readonly name: string;
    readonly script: (stream: ServerHttp2Stream) => void;
    readonly code: number;
    readonly text: RegExp;
    readonly messages?: number;
  }[] = [
    {
      name: "with trailers alone",
      script: (stream) =>
        stream.respond(
          { ...grpcHeaders, "grpc-status": "7", "grpc-message": "not%20you" },
          { endStream: true },
        ),
      code: 7,
      text: /^not you$/,
    },
    {
      name: "with trailers alone and OK, where a message is due",
      script: (stream) => stream.respond({ ...grpcHeaders, "grpc-status": "0" }, { endStream: true }),
      code: 12,
      text: /answered \/sluice.test.v1.Echo\/Say with no message, but it has exactly one/,
    },
    {
      name: "with OK but no message, where one is due",
      script: (stream) => answer(stream, framed()),
      code: 12,
      text: /with no message/,
    },
    {
      name: "with two messages, where one is due",
      script: (stream) => answer(stream, framed(hello, hello)),
      code: 12,
      text: /with more than one message/,
      messages: 1,
    },
    {
      name: "with an error although it sent a message",
      script: (stream) => answer(stream, framed(hello), { "grpc-status": "5", "grpc-message": "gone" }),
      code: 5,
      text: /^gone$/,
      messages: 1,
    },
    {
      name: "with a code that gRPC does not define",
      script: (stream) => answer(stream, framed(), { "grpc-status": "42", "grpc-message": "own" }),
      code: 42,
      text: /^own$/,
    },
    {
      name: "with a page of HTML",
      script: (stream) => {
        stream.respond({ ":status": 502, "content-type": "text/html" });
        stream.end("<html>\n<h1>502 Bad Gateway</h1>");
      },
      code: 14,
      text: /HTTP 502 with the content-type text\/html instead of application\/grpc: <html> <h1>502 Bad Gateway/,
    },
    {
      name: "with a page that does not end",
      script: (stream) => {
        stream.respond({ ":status": 503, "content-type": "text/plain" });
        stream.write("x".repeat(10_000));
      },
      code: 14,
      text: /HTTP 503 .*: x{400}$/,
    },
    {
      name: "with nothing but an HTTP status",
      script: (stream) => stream.respond({ ":status": 404 }, { endStream: true }),
      code: 12,
      text: /HTTP 404 with no content-type/,
    },
    {
      name: "with another content type and 200",
      script: (stream) => {
        stream.respond({ ":status": 200, "content-type": "application/json" });
        stream.end("{}");
      },
      code: 2,
      text: /HTTP 200 with the content-type application\/json .*: \{\}/,
    },
    {
      name: "with another HTTP status, but a grpc-status",
      script: (stream) =>
        answer(stream, framed(), { "grpc-status": "16" }, { ...grpcHeaders, ":status": 500 }),
      code: 16,
      text: /^$/,
    },
    {
      name: "with another content type, but OK",
      script: (stream) =>
        answer(stream, framed(hello), undefined, { ":status": 200, "content-type": "text/plain" }),
      code: 2,
      text: /content-type text\/plain/,
    },
    {
      name: "with an encoding that was not offered",
      script: (stream) =>
        answer(stream, framed(hello), undefined, { ...grpcHeaders, "grpc-encoding": "gzip" }),
      code: 13,
      text: /grpc-encoding gzip, which was not offered/,
    },
    {
      name: "with a compressed message",
      script: (stream) => answer(stream, Buffer.from("010000000100", "hex")),
      code: 13,
      text: /compressed message/,
    },
    {
      name: "with a message over the limit",
      script: (stream) => answer(stream, framed(Buffer.alloc(101))),
      code: 8,
      text: /a message of 101 bytes, more than the maximum of 100/,
    },
    {
      name: "with bytes that are no messages",
      script: (stream) => answer(stream, Buffer.from("hello, world")),
      code: 13,
      text: /begins with the byte 104/,
    },
    {
      name: "with OK inside a message",
      script: (stream) => answer(stream, framed(hello).subarray(0, 7)),
      code: 13,
      text: /after 2 of 7 bytes/,
    },
    {
      name: "with trailers without a status",
      script: (stream) => answer(stream, framed(hello), { "x-other": "1" }),
      code: 2,
      text: /without a grpc-status/,
      messages: 1,
    },
    {
      name: "without trailers",
      script: (stream) => {
        stream.respond({ ...grpcHeaders });
        stream.end(framed(hello));
      },
      code: 13,
      text: /without trailers/,
      messages: 1,
    },
    {
      name: "with a part of a message and no trailers",
      script: (stream) => {
        stream.respond({ ...grpcHeaders });
        stream.end(framed(hello).subarray(0, 3));
      },
      code: 13,
      text: /inside the length/,
    },
    {
      name: "with an informational response first",
      script: (stream) => {
        stream.additionalHeaders({ ":status": 103 });
        answer(stream, framed(hello));
      },
      code: 0,
      text: /^$/,
      messages: 1,
    },
  ];
  for (const { name, script: does, code, text, messages } of cases) {
    test(`${name} ends the call with ${code}`, async () => {
      script = does;
      const heard = await run(backend, say, [hello]);
      assert.equal(heard.status?.code, code, heard.status?.message);
      assert.match(heard.status.message, text);
      if (messages !== undefined) assert.equal(heard.messages.length, messages);
      assert.equal(heard.events.filter((event) => event === "end").length, 1);
      await server.until(() => server.streams.every((stream) => stream.closed));
    });
  }

  for (const [error, code] of [13, 13, 13, 13, 13, 13, 13, 14, 1, 13, 13, 8, 7, 13].entries()) {
    test(`with RST_STREAM ${error} ends the call with ${code}`, async () => {
      script = (stream) => stream.close(error);
      const heard = await run(backend, method("Converse", "bidi_streaming"), [hello]);
      assert.equal(heard.status?.code, code, heard.status?.message);
    });

    test(`with RST_STREAM ${error} after a message ends the call with ${code}`, async () => {
      script = (stream) => {
        stream.respond({ ...grpcHeaders });
        stream.write(framed(hello));
      };
      const { call, heard } = open(backend, converse);
      call.send(hello);
      await heard.until(({ messages }) => messages.length === 1);
      server.streams.at(-1)?.close(error);
      assert.equal((await heard.ended()).code, code, heard.status?.message);
    });
  }

  test("before the request has ended frees the stream", async () => {
    script = (stream) => answer(stream, framed(), { "grpc-status": "9", "grpc-message": "enough" });
    const { call, heard } = open(backend, converse);
    call.send(hello);
    assert.deepEqual(await heard.ended(), { code: 9, message: "enough" });
    await server.until(() => server.streams.at(-1)?.closed === true);
  });

  test("before a large request has left frees the stream", async () => {
    script = (stream) => answer(stream, framed(), { "grpc-status": "8", "grpc-message": "too large" });
    const { call, heard } = open(backend, converse);
    call.send(Buffer.alloc(10_000_000));
    call.halfClose();
    assert.deepEqual(await heard.ended(), { code: 8, message: "too large" });
    await server.until(() => server.streams.at(-1)?.closed === true);
  });

  test("leaves no call open", () => eventually(() => backend.counters().openCalls === 0));
});

describe("the limit of headers", () => {
  const long = { "x-long": "y".repeat(5_000) };

  test("ends a call whose metadata is larger, and harms no other", async (context) => {
    const server = await startScriptedServer((stream) => answer(stream, framed(hello)));
    context.after(() => server.close());
    const backend = createHttp2Backend(server.address);
    context.after(() => backend.close(0));
    const { call, heard } = open(backend, say, { metadata: { "x-long": ["y".repeat(65_536)] } });
    assert.equal(heard.status, undefined);
    call.send(hello);
    assert.deepEqual(await heard.ended(), {
      code: 8,
      message: "the metadata of the call has 65574 bytes, more than the maximum of 65536 (--max-metadata)",
      isUnprocessed: true,
    });
    const fits = { metadata: { "x-long": "~".repeat(65_536 - 38) } };
    assert.equal((await run(backend, say, [hello], fits)).status?.code, 0);
    assert.equal(server.streams.length, 1);
  });

  for (const part of ["headers", "trailers"] as const) {
    test(`ends a call whose ${part} are larger`, async (context) => {
      const server = await startScriptedServer((stream, { "x-want": want }) => {
        const extra = want === "much" ? long : {};
        if (part === "headers") answer(stream, framed(hello), undefined, { ...grpcHeaders, ...extra });
        else answer(stream, framed(hello), { "grpc-status": "0", ...extra });
      });
      context.after(() => server.close());
      const backend = createHttp2Backend(server.address, { maxHeaderBytes: 4_000 });
      context.after(() => backend.close(0));
      // The server has to know the limit before it holds.
      await run(backend, say, [hello]);
      const heard = await run(backend, say, [hello], { metadata: { "x-want": "much" } });
      assert.equal(heard.status?.code, 8, heard.status?.message);
      assert.match(heard.status.message, /too large headers/);
      assert.equal((await run(backend, say, [hello])).status?.code, 0);
      assert.equal(server.sessions.size, 1);
    });
  }

  test("counts bytes and not headers", async (context) => {
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`x-${index}`, "y"]));
    const server = await startScriptedServer((stream) =>
      answer(stream, framed(hello), undefined, { ...grpcHeaders, ...many }),
    );
    context.after(() => server.close());
    const backend = createHttp2Backend(server.address);
    context.after(() => backend.close(0));
    const heard = await run(backend, say, [hello]);
    assert.equal(heard.status?.code, 0);
    assert.equal(heard.received?.["x-299"], "y");
  });
});

test("a listener that throws at a message still gets those behind it as they are", async (context) => {
  const server = await startScriptedServer((stream) =>
    answer(stream, framed(hello, Buffer.alloc(1000, 7), Buffer.alloc(40_000, 8), hello)),
  );
  context.after(() => server.close());
  const backend = createHttp2Backend(server.address);
  context.after(() => backend.close(0));
  const thrown: string[] = [];
  process.setUncaughtExceptionCaptureCallback((error) => thrown.push(error.message));
  context.after(() => process.setUncaughtExceptionCaptureCallback(null));
  const { call, heard } = open(backend, converse);
  heard.onMessage = ({ length }) => {
    throw new Error(`${length}`);
  };
  call.halfClose();
  assert.equal((await heard.ended()).code, 0);
  assert.deepEqual(heard.messages, [hello, Buffer.alloc(1000, 7), Buffer.alloc(40_000, 8), hello]);
  assert.deepEqual(thrown, ["7", "1000", "40000", "7"]);
});
