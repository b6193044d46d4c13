import { FrameType, MAX_CHUNK_BYTES, MULTIPLEX_PROTOCOL, nameOfCode } from "@sluice/protocol";
import { hello as helloMessage, mebibyte, type Outcome, type Row } from "./row.ts";
import { binary, closeOf, converse, frame, text, type Frame } from "./web-socket-exchange.ts";

/** A frame of the multiplex wire. `length` is what it says of itself, where that is a lie. */
function muxed(
  type: number,
  call: number,
  payload: string | Uint8Array = "",
  { flags = 0, length }: { readonly flags?: number; readonly length?: number } = {},
): Buffer {
  const bytes = typeof payload === "string" ? Buffer.from(payload, "latin1") : payload;
  const head = Buffer.alloc(8);
  head.writeUInt8(type, 0);
  head.writeUInt8(flags, 1);
  head.writeUInt16BE(length ?? bytes.length, 2);
  head.writeUInt32BE(call, 4);
  return Buffer.concat([head, bytes]);
}

/** Frames as one WebSocket message. */
function message(...frames: readonly Uint8Array[]): Buffer {
  return frame(binary, Buffer.concat(frames));
}

/** The payload of OPEN: how messages are encoded, no timeout, the method, and metadata as it stands on the wire. */
function opening(method: string, encoding = 0, metadata = ""): Buffer {
  const head = Buffer.alloc(7);
  head.writeUInt8(encoding, 0);
  head.writeUInt16BE(method.length, 5);
  return Buffer.concat([head, Buffer.from(method), Buffer.from(metadata, "latin1")]);
}

/** A name and a value of metadata on the wire. */
function pair(name: string, value: string): string {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(value.length);
  return `${String.fromCharCode(name.length)}${name}${length.toString("latin1")}${value}`;
}

const echo = (name: string): string => `sluice.test.v1.Echo/${name}`;
const open = (call: number, name: string, encoding = 0, metadata = ""): Buffer =>
  muxed(FrameType.OPEN, call, opening(echo(name), encoding, metadata));
const data = (call: number, payload: string | Uint8Array, flags = 1): Buffer =>
  muxed(FrameType.DATA, call, payload, { flags });
const halfClose = (call: number): Buffer => muxed(FrameType.HALF_CLOSE, call);
const hello = muxed(FrameType.HELLO, 0);
const json = 1;

/** Finds the first status of a call, or the end of the socket. */
function endOf(frames: readonly Frame[]): Outcome | undefined {
  for (const { first, payload } of frames) {
    if (first !== binary) continue;
    for (let at = 0; at + 8 <= payload.length; at += 8 + payload.readUInt16BE(at + 2)) {
      if (payload[at] !== FrameType.STATUS) continue;
      const length = payload.readUInt16BE(at + 12);
      const said = `STATUS ${nameOfCode(payload.readUInt32BE(at + 8))}`;
      return { said, message: payload.toString("utf8", at + 14, at + 14 + length) };
    }
  }
  return closeOf(frames);
}

const chunk = Buffer.alloc(MAX_CHUNK_BYTES, "x");
/** Calls that are cancelled as soon as they are open, and one more. */
const abandoned = Buffer.concat([
  ...Array.from({ length: 60 }, (_, batch) =>
    message(
      ...Array.from({ length: 50 }, (__, index) => {
        const call = batch * 50 + index + 1;
        return Buffer.concat([open(call, "Converse"), muxed(FrameType.CANCEL, call)]);
      }),
    ),
  ),
  message(open(3001, "Converse")),
]);
const manyCalls = Array.from({ length: 101 }, (_, index) => open(index + 1, "Converse"));
const manyPings = Buffer.concat(
  Array.from({ length: 10 }, () => message(...Array.from({ length: 1000 }, () => muxed(FrameType.PING, 0)))),
);

/** Messages of a WebSocket in turn, and what comes of them. */
const conversations: readonly [what: string, bytes: Uint8Array, said: string][] = [
  ["a text", frame(text, "hello"), "close 4400"],
  ["an empty message", frame(binary), "close 4400"],
  ["a header that is cut", frame(binary, hello.subarray(0, 7)), "close 4400"],
  ["a frame that is longer than its message", message(hello, muxed(2, 1, "", { length: 9 })), "close 4400"],
  ["a call before the HELLO", message(open(1, "Say")), "close 4400"],
  ["a second HELLO", message(hello, hello), "close 4400"],
  ["half a setting", message(muxed(FrameType.HELLO, 0, "\0\x01\0")), "close 4400"],
  ["too little credit", message(muxed(FrameType.HELLO, 0, "\0\x01\0\0\0\x01")), "close 4400"],
  ["an unknown type", message(hello, muxed(0x0c, 0)), "close 4400"],
  ["an unknown flag", message(hello, open(1, "Say"), data(1, "", 2)), "close 4400"],
  ["a message of a call that was never opened", message(hello, data(1, helloMessage)), "close 4400"],
  ["credit of a call that was never opened", message(hello, muxed(8, 1, "\0\0\0\x01")), "close 4400"],
  ["no credit at all", message(hello, open(1, "Converse"), muxed(8, 1, "\0\0\0\0")), "close 4400"],
  [
    "more credit than there can be",
    message(hello, open(1, "Converse"), muxed(8, 1, "\x7f\xff\xff\xff"), muxed(8, 1, "\x7f\xff\xff\xff")),
    "close 4420",
  ],
  ["a number that was used", message(hello, open(2, "Converse"), open(2, "Converse")), "close 4400"],
  ["a number of 2^31", message(hello, open(0x8000_0000, "Say")), "close 4400"],
  ["a method that is cut", message(hello, muxed(FrameType.OPEN, 1, "\0\0\0\0\0\0\xffa")), "close 4400"],
  ["no method", message(hello, muxed(FrameType.OPEN, 1, opening(""))), "close 4400"],
  ["metadata in upper case", message(hello, open(1, "Say", 0, pair("X-A", "1"))), "close 4400"],
  ["a line break in metadata", message(hello, open(1, "Say", 0, pair("x-a", "1\r\nb: 2"))), "close 4400"],
  ["metadata that is cut", message(hello, open(1, "Say", 0, pair("x-a", "123").slice(0, -1))), "close 4400"],
  ["an empty chunk", message(hello, open(1, "Converse"), data(1, "", 0)), "close 4400"],
  [
    "a half-close within a message",
    message(hello, open(1, "Converse"), data(1, "a", 0), halfClose(1)),
    "close 4400",
  ],
  [
    "a message after the half-close",
    message(hello, open(1, "Converse"), halfClose(1), data(1, "")),
    "close 4400",
  ],
  ["a second half-close", message(hello, open(1, "Converse"), halfClose(1), halfClose(1)), "close 4400"],
  ["a status", message(hello, open(1, "Converse"), muxed(6, 1, "\0\0\0\0\0\0\0\0")), "close 4400"],
  ["headers", message(hello, open(1, "Converse"), muxed(3, 1)), "close 4400"],
  ["GO_AWAY", message(hello, muxed(FrameType.GO_AWAY, 0, "\0\0\0\0")), "close 4400"],
  [
    "a chunk of more than 16 KiB",
    message(hello, open(1, "Converse"), data(1, `${chunk.toString()}x`)),
    "close 4413",
  ],
  ["more than 64 KiB in a message", frame(binary, Buffer.alloc(65_537, hello)), "close 1009"],
  ["10,000 PINGs and a mistake", Buffer.concat([message(hello), manyPings, message(hello)]), "close 4400"],
  [
    "calls in the middle of messages and a mistake",
    message(hello, ...[1, 2, 3].flatMap((call) => [open(call, "Converse"), data(call, "a", 0)]), hello),
    "close 4400",
  ],
  [
    "a close in the middle of a message",
    Buffer.concat([
      message(hello, open(1, "Converse"), data(1, "a", 0)),
      frame(0x88, Buffer.from([3, 0xe8])),
    ]),
    "close 1000",
  ],
  ["a method that is not there", message(hello, open(1, "Nonexistent")), "STATUS UNIMPLEMENTED"],
  ["an encoding that is unknown", message(hello, open(1, "Say", 2)), "STATUS UNIMPLEMENTED"],
  ["JSON that is none", message(hello, open(1, "Say", json), data(1, "{]")), "STATUS INVALID_ARGUMENT"],
  [
    "JSON that is not UTF-8",
    message(hello, open(1, "Say", json), data(1, Buffer.from([0x22, 0xff]))),
    "STATUS INVALID_ARGUMENT",
  ],
  [
    "a number for a text",
    message(hello, open(1, "Say", json), data(1, '{"text":1}')),
    "STATUS INVALID_ARGUMENT",
  ],
  [
    "two messages for one",
    message(hello, open(1, "Say"), data(1, helloMessage), data(1, helloMessage)),
    "STATUS UNIMPLEMENTED",
  ],
  ["no message for one", message(hello, open(1, "Say"), halfClose(1)), "STATUS UNIMPLEMENTED"],
  [
    "protobuf that is none",
    message(hello, open(1, "Say"), data(1, "\x0a\xff"), halfClose(1)),
    "STATUS INTERNAL",
  ],
  [
    "20,000 bytes of metadata",
    message(hello, open(1, "Say", 0, pair("x-a", "x".repeat(20_000)))),
    "STATUS RESOURCE_EXHAUSTED",
  ],
  ["101 calls at once", message(hello, ...manyCalls), "STATUS RESOURCE_EXHAUSTED"],
  [
    "3,000 calls that are cancelled at once, and one more",
    Buffer.concat([message(hello), abandoned]),
    "STATUS RESOURCE_EXHAUSTED",
  ],
  [
    "a message over the limit",
    Buffer.concat([
      message(hello, open(1, "Converse")),
      ...Array.from({ length: (5 * mebibyte) / chunk.length }, () => message(data(1, chunk, 0))),
    ]),
    "STATUS RESOURCE_EXHAUSTED",
  ],
];

/** Broken frames and calls of the multiplex wire. */
export const multiplexRows: readonly Row[] = conversations.map(([what, bytes, said]) => ({
  what,
  send: (port) =>
    converse(port, { path: "/", headers: { "sec-websocket-protocol": MULTIPLEX_PROTOCOL } }, bytes, endOf),
  said,
  isLarge: bytes.length > 5_000,
}));
