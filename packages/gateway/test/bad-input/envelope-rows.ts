import { brotliCompressSync, gzipSync } from "node:zlib";
import { framed } from "../raw-http2.ts";
import { sendGrpc, sendHttp1 } from "./exchange.ts";
import { hello, mebibyte, pathOf, type Outcome, type Row } from "./row.ts";

/** A dialect whose bodies are length-prefixed messages. */
interface Carrier {
  readonly dialect: string;
  /** The method that takes one message. */
  readonly single: string;
  readonly encodingHeader: string;
  readonly send: (port: number, asked: Asked) => Promise<Outcome>;
}

interface Asked {
  readonly path: string;
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

const grpcWeb =
  (contentType: string, isText: boolean): Carrier["send"] =>
  (port, { path, body, headers }) =>
    sendHttp1(port, {
      path,
      headers: { "content-type": contentType, ...headers },
      body: isText ? body.toString("base64") : body,
    });

const carriers: readonly Carrier[] = [
  {
    dialect: "gRPC",
    single: "Echo/Say",
    encodingHeader: "grpc-encoding",
    send: (port, { path, body, headers }) =>
      sendGrpc(port, { path, headers: { "content-type": "application/grpc", ...headers }, chunks: [body] }),
  },
  {
    dialect: "gRPC-Web",
    single: "Echo/Say",
    encodingHeader: "grpc-encoding",
    send: grpcWeb("application/grpc-web+proto", false),
  },
  {
    dialect: "gRPC-Web as text",
    single: "Echo/Say",
    encodingHeader: "grpc-encoding",
    send: grpcWeb("application/grpc-web-text", true),
  },
  {
    dialect: "a stream of Connect",
    single: "Echo/Repeat",
    encodingHeader: "connect-content-encoding",
    send: grpcWeb("application/connect+proto", false),
  },
];

const whole = framed(0, hello);
const bomb = Buffer.alloc(20 * mebibyte);
const gzipBomb = gzipSync(bomb);
const brotliBomb = brotliCompressSync(bomb);

interface Body {
  readonly what: string;
  readonly body: Buffer;
  readonly code: string;
  readonly message: RegExp;
  /** How compressed messages are said to be compressed. */
  readonly encoding?: string;
  readonly method?: string;
  readonly isLarge?: boolean;
}

const invalid = "INVALID_ARGUMENT";
const bodies: readonly Body[] = [
  { what: "no message", body: Buffer.alloc(0), code: "UNIMPLEMENTED", message: /no message/ },
  {
    what: "two messages for one",
    body: framed(0, hello, hello),
    code: "UNIMPLEMENTED",
    message: /more than one message/,
  },
  { what: "half a length", body: whole.subarray(0, 3), code: invalid, message: /inside the length/ },
  { what: "half a message", body: whole.subarray(0, 8), code: invalid, message: /after 3 of 7 bytes/ },
  {
    what: "a message with half of another behind it",
    body: Buffer.concat([whole, whole.subarray(0, 7)]),
    code: invalid,
    message: /inside a message/,
  },
  { what: "an unknown flag", body: framed(7, hello), code: invalid, message: /begins with the byte 7/ },
  { what: "trailers of the client", body: framed(0x80, hello), code: invalid, message: /the byte 128/ },
  {
    what: "JSON without a prefix",
    body: Buffer.from('{"text":"a"}'),
    code: invalid,
    message: /begins with the byte 123/,
  },
  {
    what: "a length of 4 GiB",
    body: Buffer.from("00ffffffff00", "hex"),
    code: "RESOURCE_EXHAUSTED",
    message: /4294967295 bytes, more than the maximum of 4194304/,
  },
  {
    what: "a message over the limit, all of it",
    body: framed(0, Buffer.alloc(4 * mebibyte + 1)),
    code: "RESOURCE_EXHAUSTED",
    message: /4194305 bytes/,
    isLarge: true,
  },
  {
    what: "a compressed message that was not announced",
    body: framed(1, gzipSync(hello)),
    code: "INTERNAL",
    message: /no compression was agreed/,
  },
  {
    what: "an encoding that nobody knows",
    body: framed(1, hello),
    encoding: "lzma",
    code: "UNIMPLEMENTED",
    message: /"lzma".*gzip/,
  },
  {
    what: "what is not its encoding",
    body: framed(1, hello),
    encoding: "gzip",
    code: invalid,
    message: /not gzip/,
  },
  {
    what: "compressed bytes that end early",
    body: framed(1, gzipSync(Buffer.alloc(1000)).subarray(0, 20)),
    encoding: "gzip",
    code: invalid,
    message: /not gzip/,
  },
  {
    what: "a bomb of gzip",
    body: framed(1, gzipBomb),
    encoding: "gzip",
    code: "RESOURCE_EXHAUSTED",
    message: /inflates to more than the maximum of 4194304/,
    isLarge: true,
  },
  {
    what: "a bomb of brotli",
    body: framed(1, brotliBomb),
    encoding: "br",
    code: "RESOURCE_EXHAUSTED",
    message: /inflates to more than the maximum of 4194304/,
    isLarge: true,
  },
  {
    what: "a stream of bombs",
    body: framed(1, hello, ...Array.from({ length: 20 }, () => brotliBomb)),
    encoding: "br",
    method: "Echo/Collect",
    code: invalid,
    message: /not br/,
  },
  {
    what: "protobuf that is none",
    body: framed(0, Buffer.from("0aff", "hex")),
    code: "INTERNAL",
    message: /deserializing|range|parse/i,
  },
];

/** Bodies that are not messages, in every dialect of length-prefixed messages. */
export const envelopeRows: readonly Row[] = [
  ...carriers.flatMap(({ dialect, single, encodingHeader, send }) =>
    bodies.map(({ what, body, code, message, encoding, method = single, isLarge = false }): Row => ({
      what: `${what}, in ${dialect}`,
      send: (port) => {
        const headers = encoding === undefined ? {} : { [encodingHeader]: encoding };
        return send(port, { path: pathOf(method), body, headers });
      },
      said: `200 ${code}`,
      message,
      isLarge,
    })),
  ),
  ...["!!!!", "AAAA=AAA", "\xff\xff\xff\xff", "AAAAAAA"].map((text): Row => ({
    what: `${JSON.stringify(text)} for base64`,
    send: (port) => {
      const headers = { "content-type": "application/grpc-web-text" };
      return sendHttp1(port, { path: pathOf("Echo/Say"), headers, body: Buffer.from(text, "latin1") });
    },
    said: "200 INVALID_ARGUMENT",
    message: /base64|inside the length/,
  })),
];
