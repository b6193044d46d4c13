import assert from "node:assert/strict";
import { describe, test, type TestContext } from "node:test";
import { createHttp2Backend, type Http2Backend } from "@sluice/rpc";
import { FakeClock } from "@sluice/testkit/fake-clock";
import { converse, eventually, message, open, repeat, run, say } from "../backend/harness.ts";
import { answer, framed, startScriptedServer } from "../backend/scripted-server.ts";
import { frame, startRawServer, type RawServer } from "./raw-server.ts";

const hello = message([1, "hello"]);
const [data, headers, rstStream, , pushPromise, ping, goaway, windowUpdate, continuation] = [
  0, 1, 3, 4, 5, 6, 7, 8, 9,
];
/** `:status: 200`, `content-type: application/grpc`. */
const head = `88 5f10${Buffer.from("application/grpc").toString("hex")}`;
/** `grpc-status: 0`. */
const trailers = `000b${Buffer.from("grpc-status").toString("hex")}0130`;
const endHeaders = 4;
const endStream = 1;

/** A backend whose server answers the first request with some bytes. */
async function answering(
  context: TestContext,
  bytes: readonly Buffer[],
): Promise<{ backend: Http2Backend; server: RawServer }> {
  const server = await startRawServer(({ type }, socket) => {
    if (type === headers) for (const each of bytes) socket.write(each);
  });
  context.after(() => server.close());
  const backend = createHttp2Backend(server.address, { clock: new FakeClock() });
  context.after(() => backend.close(0));
  return { backend, server };
}

describe("a connection whose server breaks HTTP/2", () => {
  const cases: readonly (readonly [name: string, bytes: readonly Buffer[], text: RegExp])[] = [
    ["pushes", [frame(pushPromise ?? 5, endHeaders, 1, "00000002")], /it pushes/],
    ["sends data on no stream", [frame(data, 0, 0, "00")], /there is no stream 0/],
    ["sends data on a stream that was not opened", [frame(data, 0, 9, "00")], /there is no stream 9/],
    ["sends data on a stream of its own", [frame(data, 0, 2, "00")], /there is no stream 2/],
    [
      "sends too large a frame",
      [frame(data, 0, 1, "00".repeat(16_385))],
      /16385 bytes, the maximum is 16384/,
    ],
    [
      "interrupts its headers",
      [frame(headers, 0, 1, head), frame(ping, 0, 0, "00".repeat(8))],
      /a block of headers is interrupted/,
    ],
    [
      "goes on with headers that did not begin",
      [frame(continuation ?? 9, endHeaders, 1, head)],
      /did not begin/,
    ],
    ["sends headers that cannot be decoded", [frame(headers, endHeaders, 1, "be")], /no header 62/],
    [
      "sends headers without an end",
      [frame(headers, 0, 1), ...Array.from({ length: 100 }, () => frame(9, 0, 1))],
      /too large/,
    ],
    ["sends more padding than there is", [frame(data, 8, 1, "05 00")], /more padding than payload/],
    ["sends a PING that is too short", [frame(ping, 0, 0, "00")], /a frame has 1 bytes, not 8/],
    ["sends SETTINGS that are cut off", [frame(4, 0, 0, "0003")], /SETTINGS are cut off/],
    [
      "makes the window of the connection too wide",
      [frame(windowUpdate, 0, 0, "7fffffff")],
      /a window grows too wide/,
    ],
    [
      "makes the windows of the streams too wide",
      [frame(4, 0, 0, "0004 80000000")],
      /a window grows too wide/,
    ],
    ["widens a window by nothing", [frame(windowUpdate, 0, 0, "00000000")], /grows by nothing/],
    ["sends a GOAWAY that is cut off", [frame(goaway, 0, 0, "00")], /a malformed GOAWAY/],
    ["speaks HTTP/1.1", [Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n")], /the maximum is 16384/],
  ];
  for (const [name, bytes, text] of cases) {
    test(`is ended when it ${name}, and its calls with UNAVAILABLE`, async (context) => {
      const { backend, server } = await answering(context, bytes);
      const { status } = await run(backend, say, [hello]);
      assert.equal(status?.code, 14);
      assert.match(status.message, text);
      await eventually(() => server.frames.some(({ type }) => type === goaway));
    });
  }

  test("is ended when the server asks and does not read the answers", async (context) => {
    const pings = Buffer.concat(Array.from({ length: 2_000 }, () => frame(ping, 0, 0, "00".repeat(8))));
    const { backend } = await answering(context, [pings]);
    const { status } = await run(backend, say, [hello]);
    assert.match(status?.message ?? "", /asks and does not read the answers/);
  });
});

describe("a stream whose server breaks HTTP/2", () => {
  const cases: readonly (readonly [name: string, bytes: readonly Buffer[], code: number])[] = [
    ["data comes before the headers", [frame(data, 0, 1, "00")], 13],
    [
      "headers come twice",
      [frame(headers, endHeaders, 1, head), frame(headers, endHeaders, 1, trailers)],
      13,
    ],
    ["headers come without a status", [frame(headers, endHeaders, 1, trailers)], 13],
    ["its window grows by nothing", [frame(windowUpdate, 0, 1, "00000000")], 13],
    ["its window grows too wide", [frame(windowUpdate, 0, 1, "7fffffff")], 13],
    [
      "it gets more than its window",
      [
        frame(headers, endHeaders, 1, head),
        ...Array.from({ length: 8 }, () => frame(data, 0, 1, "00".repeat(16_384))),
      ],
      13,
    ],
    [
      "data comes after the end",
      [Buffer.concat([frame(headers, endHeaders, 1, head), frame(data, 1, 1), frame(data, 0, 1, "00")])],
      13,
    ],
    [
      "trailers come after the end",
      [
        Buffer.concat([
          frame(headers, endHeaders, 1, head),
          frame(data, 1, 1),
          frame(headers, 5, 1, trailers),
        ]),
      ],
      13,
    ],
  ];
  for (const [name, bytes, code] of cases) {
    test(`is reset when ${name}, and the connection stays`, async (context) => {
      const { backend, server } = await answering(context, bytes);
      const { call, heard } = open(backend, converse);
      if (name.includes("more than its window")) call.pause();
      assert.equal((await heard.ended()).code, code, heard.status?.message);
      await eventually(() => server.frames.some(({ type }) => type === rstStream));
      assert.equal(backend.state().kind, "ready");
    });
  }
});

describe("the last call on a connection that takes no further one", () => {
  test("ends as the server says, not as if the connection had been lost", async (context) => {
    const internalError = "00000002";
    const { backend } = await answering(context, [
      frame(goaway, 0, 0, "00000001 00000000"),
      frame(headers, endHeaders, 1, head),
      frame(rstStream, 0, 1, internalError),
    ]);
    assert.deepEqual((await run(backend, say, [hello])).status, {
      code: 13,
      message: "the stream was reset with INTERNAL_ERROR",
    });
    await eventually(() => backend.counters().connections === 0);
  });
});

test("a server that has said its last is not waited for with what it does not read", async (context) => {
  const server = await startRawServer(({ type }, socket) => {
    if (type !== headers) return;
    socket.pause();
    socket.write(frame(windowUpdate, 0, 0, "7fff0000"));
    socket.write(frame(4, 0, 0, "0004 7fffffff"));
    socket.end(frame(headers, endHeaders, 1, head));
  });
  context.after(() => server.close());
  const backend = createHttp2Backend(server.address, { clock: new FakeClock() });
  context.after(() => backend.close(0));
  const { call, heard } = open(backend, converse);
  call.send(Buffer.alloc(64 * 1024 * 1024));
  const { code, message: text } = await heard.ended();
  assert.equal(code, 14);
  assert.match(text, /was lost: it closed the connection/);
});

describe("the answers of a server", () => {
  test("may come byte by byte, with padding, priorities, unknown frames, and an interim head", async (context) => {
    const body = Buffer.concat([Buffer.from([0, 0, 0, 0, hello.length]), hello]).toString("hex");
    const bytes = Buffer.concat([
      frame(0xfa, 0xff, 0, "0102"),
      frame(headers, endHeaders, 1, "08 03 313033"),
      frame(headers, endHeaders | 0x28, 1, `02 0000000110 ${head} 0000`),
      frame(data, 8, 1, `03 ${body} 000000`),
      frame(data, 0, 1),
      frame(headers, endStream, 1, trailers.slice(0, 8)),
      frame(continuation ?? 9, endHeaders, 1, trailers.slice(8)),
    ]);
    const { backend } = await answering(
      context,
      [...bytes].map((byte) => Buffer.from([byte])),
    );
    const heard = await run(backend, say, [hello]);
    assert.deepEqual(heard.status, { code: 0, message: "" });
    assert.deepEqual(heard.texts, ["hello"]);
  });

  test("have headers of every printable character", async (context) => {
    const sent: Record<string, string> = { "grpc-status": "0" };
    for (let code = 0x21; code < 0x7f; code++)
      sent[`x-${code}`] = `aaaaaaaaaaaaaaaaaaaa${String.fromCharCode(code)}e`;
    const server = await startScriptedServer((stream) => answer(stream, framed(hello), sent));
    context.after(() => server.close());
    const backend = createHttp2Backend(server.address);
    context.after(() => backend.close(0));
    for (let round = 0; round < 2; round++) {
      const { "grpc-status": _, ...expected } = sent;
      assert.deepEqual({ ...(await run(backend, say, [hello])).trailers }, expected);
    }
  });
});

describe("the requests of a client", () => {
  test("are split where a server takes no larger frames", async (context) => {
    const { backend, server } = await answering(context, [
      frame(headers, endHeaders, 1, head),
      frame(headers, endHeaders | endStream, 1, trailers),
    ]);
    open(backend, converse, { metadata: { x: "y".repeat(40_000) } });
    await eventually(() => server.frames.filter(({ type }) => type === 9).length === 2);
    assert.deepEqual(
      server.frames.filter(({ type }) => type === 1 || type === 9).map(({ type, flags }) => [type, flags]),
      [
        [1, 0],
        [9, 0],
        [9, 4],
      ],
    );
  });

  test("are refused where they have more headers than the server takes", async (context) => {
    const server = await startScriptedServer((stream) => answer(stream, framed(hello)), {
      settings: { maxHeaderListSize: 2_000 },
    });
    context.after(() => server.close());
    const backend = createHttp2Backend(server.address);
    context.after(() => backend.close(0));
    const [small, large] = await Promise.all(
      [500, 2_000].map((length) => run(backend, say, [hello], { metadata: { x: "y".repeat(length) } })),
    );
    assert.equal(small?.status?.code, 0);
    assert.equal(large?.status?.code, 8);
    assert.match(large.status.message, /has \d+ bytes of headers, more than the 2000 that the backend/);
    assert.equal(server.streams.length, 1);
    assert.deepEqual(backend.counters(), { openCalls: 0, waitingCalls: 0, connections: 1 });
  });

  test("wait for the windows of the stream and of the connection", async (context) => {
    const received = (): number =>
      server.frames.reduce((sum, { type, payload }) => sum + (type === data ? payload.length : 0), 0);
    const { backend, server } = await answering(context, [frame(headers, endHeaders, 1, head)]);
    const { call, heard } = open(backend, repeat);
    await heard.until(({ events }) => events.includes("headers"));
    call.send(Buffer.alloc(200_000));
    await eventually(() => received() === 65_535);
  });
});
