import { nameOfCode } from "@sluice/protocol";
import { framed } from "../raw-http2.ts";
import { hello, mebibyte, pathOf, type Outcome, type Row } from "./row.ts";
import { binary, close, closeOf, converse, frame, text, type Frame } from "./web-socket-exchange.ts";

/** Finds the trailers, with which a call ends, or the end of the socket without them. */
function endOf(frames: readonly Frame[]): Outcome | undefined {
  const closed = closeOf(frames);
  if (closed === undefined) return undefined;
  const sent = frames.filter(({ first }) => first === binary).map(({ payload }) => payload);
  const all = Buffer.concat(sent).toString("latin1");
  const code = /grpc-status: (\d+)/.exec(all)?.[1];
  if (code === undefined) return closed;
  const said = /grpc-message: (.*)\r/.exec(all)?.[1] ?? "";
  return { said: `${nameOfCode(Number(code))}, ${closed.said}`, message: decodeURIComponent(said) };
}

const head = frame(binary, "content-type: application/grpc-web+proto\r\nx-grpc-web: 1\r\n");
const halfClose = frame(binary, Buffer.from([1]));
/** A part of the body of the request. */
const part = (bytes: Uint8Array): Buffer => frame(binary, Buffer.concat([Buffer.from([0]), bytes]));
const say = framed(0, hello);

const conversations: readonly [
  what: string,
  messages: readonly Uint8Array[],
  said: string,
  method?: string,
][] = [
  ["nothing", [], "DEADLINE_EXCEEDED, close 1000"],
  ["headers and nothing else", [head], "DEADLINE_EXCEEDED, close 1000"],
  ["a text in place of headers", [frame(text, "hello")], "INVALID_ARGUMENT, close 1000"],
  ["a text behind the headers", [head, frame(text, "hello")], "INVALID_ARGUMENT, close 1000"],
  ["bytes that are no headers", [frame(binary, Buffer.from([0, 1, 2]))], "INVALID_ARGUMENT, close 1000"],
  ["a line without a colon", [frame(binary, "hello\r\n")], "INVALID_ARGUMENT, close 1000"],
  ["a timeout that is none", [frame(binary, "grpc-timeout: soon\r\n")], "INVALID_ARGUMENT, close 1000"],
  ["another content type", [frame(binary, "content-type: text/html\r\n")], "UNIMPLEMENTED, close 1000"],
  [
    "65,537 bytes of headers",
    [frame(binary, Buffer.alloc(65_537, "a: b\r\n"))],
    "RESOURCE_EXHAUSTED, close 1000",
  ],
  ["another first byte", [head, frame(binary, Buffer.from([2, 0]))], "INVALID_ARGUMENT, close 1000"],
  [
    "a half-close with something behind it",
    [head, frame(binary, Buffer.from([1, 0]))],
    "INVALID_ARGUMENT, close 1000",
  ],
  ["a message that is cut", [head, part(say.subarray(0, 8)), halfClose], "INVALID_ARGUMENT, close 1000"],
  ["a length that is cut", [head, part(say.subarray(0, 3)), halfClose], "INVALID_ARGUMENT, close 1000"],
  [
    "another first byte of a message",
    [head, part(Buffer.from([7, 0, 0, 0, 0]))],
    "INVALID_ARGUMENT, close 1000",
  ],
  ["a compressed message", [head, part(framed(1, hello))], "INTERNAL, close 1000"],
  ["two messages for one", [head, part(say), part(say), halfClose], "UNIMPLEMENTED, close 1000"],
  ["no message for one", [head, halfClose], "UNIMPLEMENTED, close 1000"],
  [
    "protobuf that is none",
    [head, part(framed(0, Buffer.from("0aff", "hex"))), halfClose],
    "INTERNAL, close 1000",
  ],
  [
    "a message of 4 GiB",
    [head, part(Buffer.from([0, 0xff, 0xff, 0xff, 0xff]))],
    "RESOURCE_EXHAUSTED, close 1000",
  ],
  [
    "a method that is not there",
    [head, part(say), halfClose],
    "UNIMPLEMENTED, close 1000",
    "Echo/Nonexistent",
  ],
  ["a WebSocket message of 5 MiB", [head, frame(binary, Buffer.alloc(5 * mebibyte))], "close 1009"],
  ["a frame without a mask", [head, Buffer.from("820100", "hex")], "close 1002", "Echo/Converse"],
  [
    "a close in the middle of a message",
    [head, part(say.subarray(0, 8)), frame(close, Buffer.from([3, 0xe8]))],
    "close 1000",
    "Echo/Converse",
  ],
];

/** Broken calls of the dialect grpc-websockets. */
export const grpcWebSocketsRows: readonly Row[] = conversations.map(
  ([what, messages, said, method = "Echo/Say"]) => ({
    what,
    send: (port) =>
      converse(
        port,
        { path: pathOf(method), headers: { "sec-websocket-protocol": "grpc-websockets" } },
        Buffer.concat(messages),
        endOf,
      ),
    said,
    isLarge: Buffer.concat(messages).length > 100_000,
  }),
);
