import { deflateRawSync } from "node:zlib";
import { exchange, readAnswer } from "./exchange.ts";
import { mebibyte, type Row } from "./row.ts";
import { close, converse, frame, handshake, text, type Handshake } from "./web-socket-exchange.ts";

const hello = '{"text":"hello"}';
const unmasked = Buffer.from("810568656c6c6f", "hex");
const compressed = { "sec-websocket-extensions": "permessage-deflate" };
const bomb = deflateRawSync(Buffer.alloc(20 * mebibyte, "x"), { level: 9 });

const conversations: readonly [what: string, bytes: Uint8Array, said: string, asked?: Handshake][] = [
  ["a frame without a mask", unmasked, "close 1002"],
  ["a reserved bit", frame(0xc1, hello), "close 1002"],
  ["a reserved opcode", frame(0x83, hello), "close 1002"],
  ["a reserved opcode of control", frame(0x8b), "close 1002"],
  ["a ping in fragments", frame(0x09), "close 1002"],
  ["a ping of 126 bytes", frame(0x89, "x".repeat(126)), "close 1002"],
  ["a continuation of nothing", frame(0x80, hello), "close 1002"],
  ["a message within a message", Buffer.concat([frame(0x01, "{"), frame(text, "}")]), "close 1002"],
  ["a length of 2^63", Buffer.from("81ff800000000000000000000000", "hex"), "close 1002"],
  ["a length that is written too long", Buffer.from("81fe000100000000780000", "hex"), "close 1002"],
  ["a length over the limit", frame(text, "{", 5 * mebibyte), "close 1009"],
  ["a length of 2^52", frame(0x82, "{", 2 ** 52), "close 1009"],
  [
    "fragments that are together over the limit",
    Buffer.concat([frame(0x01, " ".repeat(3 * mebibyte)), frame(0x80, " ".repeat(3 * mebibyte))]),
    "close 1009",
  ],
  ["text that is not UTF-8", frame(text, Buffer.from([0x22, 0xff])), "close 1007"],
  ["half a character at the end of a text", frame(text, Buffer.from([0x22, 0xc3])), "close 1007"],
  ["a close with half a code", frame(close, "\x03"), "close 1002"],
  ["a close with a code that cannot be sent", frame(close, Buffer.from([0x03, 0xed])), "close 1002"],
  ["a close with a reason that is not UTF-8", frame(close, Buffer.from([3, 0xe8, 0xff])), "close 1007"],
  ["a close in the middle of a call", frame(close, Buffer.from([3, 0xe8])), "close 1000"],
  ["an empty close", frame(close), "close"],
  ["a bomb", frame(0xc1, bomb), "close 1002", { headers: compressed }],
  ["a second message for a unary call", Buffer.concat([frame(text, "{}{}")]), "close 4003"],
  [
    "a message after the half-close",
    Buffer.concat([frame(text), frame(text, hello)]),
    "close 4003",
    { path: "/v1/collect" },
  ],
  [
    "100,000 pings and a mistake",
    Buffer.concat([Buffer.concat(Array.from({ length: 100_000 }, () => frame(0x89))), unmasked]),
    "close 1002",
    { path: "/v1/collect" },
  ],
  [
    "100,000 empty fragments and a mistake",
    Buffer.concat([frame(0x01), Buffer.concat(Array.from({ length: 100_000 }, () => frame(0x00))), unmasked]),
    "close 1002",
    { path: "/v1/collect" },
  ],
];

const handshakes: readonly [what: string, asked: Handshake, said: string][] = [
  ["a path that leads nowhere", { path: "/nowhere" }, "404 NOT_FOUND"],
  ["a path that is not UTF-8", { path: "/v1/say/%ff" }, "400 INVALID_ARGUMENT"],
  ["a query that is not UTF-8", { path: "/v1/say?method=%ff" }, "400 INVALID_ARGUMENT"],
  ["a method that nobody has bound", { path: "/v1/say?method=DELETE" }, "405 UNIMPLEMENTED"],
  ["a timeout that is none", { headers: { "grpc-timeout": "soon" } }, "400 INVALID_ARGUMENT"],
  ["version 8", { headers: { "sec-websocket-version": "8" } }, "426"],
  ["no key", { headers: { "sec-websocket-key": "" } }, "400"],
  ["a key of 3 bytes", { headers: { "sec-websocket-key": "AAAA" } }, "400"],
  ["POST", { method: "POST", headers: { "content-length": "0" } }, "400"],
  ["HTTP/1.0", { version: "1.0" }, "400"],
  ["an extension that is no token", { headers: { "sec-websocket-extensions": "a;=" } }, "400"],
  ["a page of another origin", { headers: { origin: "https://evil.example.com" } }, "403"],
  ["the origin of no page", { headers: { origin: "null" } }, "403"],
];

/** Broken WebSockets, from the handshake to the close. */
export const webSocketRows: readonly Row[] = [
  ...conversations.map(([what, bytes, said, asked = {}]): Row => ({
    what,
    send: (port) => converse(port, asked, bytes),
    said,
    isLarge: bytes.length > 100_000,
  })),
  ...handshakes.map(([what, asked, said]): Row => ({
    what: `a handshake with ${what}`,
    send: async (port) => readAnswer(await exchange(port, handshake(asked))),
    said,
  })),
];
