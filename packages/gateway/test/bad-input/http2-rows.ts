import { flag, frame, frameType, headerBlock, Http2Peer } from "../http2-peer.ts";
import { hello, pathOf, type Outcome, type Row } from "./row.ts";

const whole = flag.endHeaders | flag.endStream;
const pseudo = { ":method": "GET", ":path": "/v1/say/x", ":scheme": "http", ":authority": "x" };

function get(fields: Readonly<Record<string, string>> = {}, stream = 1): Buffer {
  return frame(frameType.headers, whole, stream, headerBlock({ ...pseudo, ...fields }));
}

/** A head that a body follows. */
function post(path: string, fields: Readonly<Record<string, string>> = {}, stream = 1): Buffer {
  const head = { ...pseudo, ":method": "POST", ":path": path, ...fields };
  return frame(frameType.headers, flag.endHeaders, stream, headerBlock(head));
}

const grpc = { "content-type": "application/grpc", te: "trailers" };
const call = (method: string, stream = 1): Buffer => post(pathOf(`Echo/${method}`), grpc, stream);
const data = (payload: Uint8Array | string, flags = 0, stream = 1): Buffer =>
  frame(frameType.data, flags, stream, payload);
const continuation = (payload: Uint8Array | string, flags = 0): Buffer =>
  frame(frameType.continuation, flags, 1, payload);
const repeat = (count: number, bytes: (index: number) => Buffer): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, index) => bytes(index)));

const ping = frame(frameType.ping, flag.none, 0, "0000000000000000");
const reset = (stream: number): Buffer => frame(frameType.rstStream, flag.none, stream, "00000008");
const framedHello = Buffer.concat([Buffer.from("0000000007", "hex"), hello]);

const openHead = frame(frameType.headers, flag.endStream, 1, headerBlock(pseudo));
const stream = "RST_STREAM PROTOCOL_ERROR";
const session = "GOAWAY PROTOCOL_ERROR";
/** What Node says of most violations, whatever they are. */
const internal = "GOAWAY INTERNAL_ERROR";
const size = "GOAWAY FRAME_SIZE_ERROR";

const table: readonly [what: string, bytes: Buffer, said: string, isLarge?: boolean][] = [
  // Frames that are none.
  ["a frame over the largest size", frame(frameType.data, 0, 1, Buffer.alloc(20_000)), size],
  ["a length of 16 MiB", frame(frameType.headers, whole, 1, "00", 0xffffff), size],
  ["SETTINGS of 5 bytes", frame(frameType.settings, 0, 0, "0004ffffff"), size],
  ["SETTINGS on a stream", frame(frameType.settings, 0, 1), internal],
  ["a window of more than 2^31", frame(frameType.settings, 0, 0, "0004ffffffff"), internal],
  ["a largest frame of 1 byte", frame(frameType.settings, 0, 0, "000500000001"), internal],
  ["PING of 7 bytes", frame(frameType.ping, 0, 0, "00000000000000"), size],
  ["PUSH_PROMISE of a client", frame(frameType.pushPromise, flag.endHeaders, 1, "00000002"), internal],
  ["RST_STREAM of a stream that is not there", reset(1), internal],
  ["a stream that depends on itself", frame(frameType.priority, 0, 1, "0000000110"), session],
  ["padding longer than its frame", Buffer.concat([call("Say"), data("ff00", 8)]), session],
  ["no SETTINGS but garbage", Buffer.alloc(1000, 0xff), size],
  // Streams.
  ["DATA after the end of its stream", Buffer.concat([get(), data("00")]), "GOAWAY STREAM_CLOSED"],
  ["DATA of no stream", data("00"), session],
  ["DATA on stream 0", data("00", 0, 0), session],
  ["a stream with an even number", get({}, 2), internal],
  ["trailers that do not end their stream", Buffer.concat([call("Say"), call("Say")]), stream],
  // Heads.
  ["HPACK that is none", frame(frameType.headers, whole, 1, "ffffffffffffffff"), "GOAWAY COMPRESSION_ERROR"],
  [
    "an index of HPACK that is not there",
    frame(frameType.headers, whole, 1, "80"),
    "GOAWAY COMPRESSION_ERROR",
  ],
  [
    "a table of HPACK of 256 MiB",
    frame(frameType.headers, whole, 1, "3fffffff7f"),
    "GOAWAY COMPRESSION_ERROR",
  ],
  ["a header in capitals", get({ "X-Up": "1" }), stream],
  ["a header of one connection", get({ connection: "close" }), stream],
  ["te that is not trailers", get({ te: "gzip" }), stream],
  [
    "no path",
    frame(frameType.headers, whole, 1, headerBlock({ ":method": "GET", ":scheme": "http" })),
    stream,
  ],
  ["a path without its slash", get({ ":path": "v1/say" }), stream],
  ["an unknown pseudo-header", get({ ":x": "1" }), stream],
  [
    "a pseudo-header behind others",
    frame(frameType.headers, whole, 1, headerBlock({ ":method": "GET", a: "b", ":path": "/" })),
    stream,
  ],
  [
    "a length shorter than the body",
    Buffer.concat([post("/v1/say", { "content-length": "1" }), data("7b7d", 1)]),
    stream,
  ],
  [
    "a length longer than the body",
    Buffer.concat([post("/v1/say", { "content-length": "5" }), data("7b7d", 1)]),
    stream,
  ],
  [
    "a head of 100 KiB",
    Buffer.concat([
      openHead,
      repeat(6, (at) =>
        continuation(headerBlock({ [`x${at}`]: "x".repeat(16_000) }), at === 5 ? flag.endHeaders : 0),
      ),
    ]),
    "RST_STREAM ENHANCE_YOUR_CALM",
  ],
  [
    "a head of 6,000 fields",
    Buffer.concat([
      openHead,
      repeat(6, (at) =>
        continuation(
          repeat(1000, (each) => headerBlock({ [`x${at}-${each}`]: "" })),
          at === 5 ? flag.endHeaders : 0,
        ),
      ),
    ]),
    "RST_STREAM ENHANCE_YOUR_CALM",
  ],
  ["CONTINUATION of nothing", continuation(headerBlock(pseudo), flag.endHeaders), session],
  ["another frame within a head", Buffer.concat([openHead, ping]), session],
  // Floods.
  [
    "100 CONTINUATION without an end",
    Buffer.concat([openHead, repeat(100, () => continuation(headerBlock({ a: "b" })))]),
    internal,
  ],
  ["100 empty CONTINUATION", Buffer.concat([openHead, repeat(100, () => continuation(""))]), internal],
  ["20,000 PING at once", repeat(20_000, () => ping), internal, true],
  ["20,000 SETTINGS at once", repeat(20_000, () => frame(frameType.settings, 0, 0)), internal, true],
  ["20,000 empty DATA", Buffer.concat([call("Receive"), repeat(20_000, () => data(""))]), internal, true],
  [
    "5,000 streams that are reset at once",
    repeat(5_000, (at) => Buffer.concat([get({}, 2 * at + 1), reset(2 * at + 1)])),
    internal,
    true,
  ],
  [
    "1,050 streams of which none ends",
    repeat(1_050, (at) => call("Collect", 2 * at + 1)),
    "RST_STREAM INTERNAL_ERROR",
    true,
  ],
  // Windows.
  ["a window of a connection over 2^31", frame(frameType.windowUpdate, 0, 0, "7fffffff"), internal],
  [
    "a window of a stream over 2^31",
    Buffer.concat([call("Say"), frame(frameType.windowUpdate, 0, 1, "7fffffff")]),
    "RST_STREAM FLOW_CONTROL_ERROR",
  ],
  ["a window that grows by nothing", frame(frameType.windowUpdate, 0, 0, "00000000"), internal],
  [
    "more than the window",
    Buffer.concat([call("Sleep"), repeat(400, () => data(Buffer.alloc(16_384)))]),
    "RST_STREAM NO_ERROR",
    true,
  ],
];

/** How clients leave. */
const leavers: readonly [what: string, bytes: Buffer][] = [
  ["nothing", Buffer.alloc(0)],
  ["a frame", get().subarray(0, 20)],
  ["a head", openHead],
  ["a message", Buffer.concat([call("Say"), data(framedHello.subarray(0, 8))])],
  ["a call that is never answered", Buffer.concat([call("Sleep"), data(Buffer.alloc(5), 1)])],
  ["an endless stream of replies", Buffer.concat([call("Repeat"), data(framedHello, 1)])],
  ["100 streams of requests", repeat(100, (at) => call("Collect", 2 * at + 1))],
];

async function sendFrames(port: number, bytes: Buffer): Promise<Outcome> {
  const peer = await Http2Peer.connect(port);
  peer.send(bytes);
  const said = await peer.verdict();
  peer.destroy();
  await peer.closed;
  return { said, message: "" };
}

async function leave(port: number, bytes: Buffer): Promise<Outcome> {
  const peer = await Http2Peer.connect(port);
  peer.send(bytes, ping);
  // The answer to the ping says that the gateway has read what came before; within a head it is none.
  if (bytes !== openHead && bytes.length !== 20) await peer.until(({ type }) => type === frameType.ping);
  peer.socket.resetAndDestroy();
  await peer.closed;
  return { said: "closed", message: "" };
}

/** Frames of HTTP/2 that are against RFC 9113, or too many, and peers that leave. */
export const http2Rows: readonly Row[] = [
  ...table.map(([what, bytes, said, isLarge = false]): Row => ({
    what,
    send: (port) => sendFrames(port, bytes),
    said,
    isLarge,
  })),
  ...leavers.map(([what, bytes]): Row => ({
    what: `a client that vanishes in the middle of ${what}`,
    send: (port) => leave(port, bytes),
    said: "closed",
  })),
];
