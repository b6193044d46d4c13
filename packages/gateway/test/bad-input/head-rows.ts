import { framed } from "../raw-http2.ts";
import { sendGrpc, sendHttp1 } from "./exchange.ts";
import { hello, pathOf, type Outcome, type Row } from "./row.ts";

const say = pathOf("Echo/Say");
const proto = framed(0, hello);

interface Carrier {
  readonly dialect: string;
  readonly contentType: string;
  /** Whether errors have HTTP 200. */
  readonly isEnveloped: boolean;
  readonly send: (port: number, head: Head) => Promise<Outcome>;
}

interface Head {
  readonly method?: string;
  readonly path?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

const overHttp1 =
  (path: string, contentType: string, body: Uint8Array | string): Carrier["send"] =>
  (port, head) =>
    sendHttp1(port, { path, body, ...head, headers: { "content-type": contentType, ...head.headers } });

const rest: Carrier = {
  dialect: "REST",
  contentType: "application/json",
  isEnveloped: false,
  send: overHttp1("/v1/say", "application/json", '{"text":"a"}'),
};
const grpc: Carrier = {
  dialect: "gRPC",
  contentType: "application/grpc",
  isEnveloped: true,
  send: (port, { method = "POST", path = say, headers }) =>
    sendGrpc(port, {
      method,
      path,
      headers: { "content-type": "application/grpc", ...headers },
      chunks: [proto],
    }),
};
const grpcWeb: Carrier = {
  dialect: "gRPC-Web",
  contentType: "application/grpc-web",
  isEnveloped: true,
  send: overHttp1(say, "application/grpc-web", proto),
};
const connect: Carrier = {
  dialect: "Connect",
  contentType: "application/proto",
  isEnveloped: false,
  send: overHttp1(say, "application/proto", hello),
};
const connectStream: Carrier = {
  dialect: "a stream of Connect",
  contentType: "application/connect+proto",
  isEnveloped: true,
  send: overHttp1(pathOf("Echo/Repeat"), "application/connect+proto", proto),
};
const all = [rest, grpc, grpcWeb, connect, connectStream];

const malformedTimeouts: readonly (readonly [Carrier, header: string, values: readonly string[]])[] = [
  [rest, "grpc-timeout", ["", "10", "S", "-1S", "1.5S", "123456789S", "1 S", "1s"]],
  [grpc, "grpc-timeout", ["10", "-1S", "1.5S", "123456789m", "1h"]],
  [grpcWeb, "grpc-timeout", ["10", "123456789H"]],
  [connect, "connect-timeout-ms", ["1s", "-1", "1.5", "12345678901", "0x10"]],
  [connectStream, "connect-timeout-ms", ["1s", "12345678901"]],
];

const timeoutRows = malformedTimeouts.flatMap(([{ dialect, isEnveloped, send }, header, values]) =>
  values.map((value): Row => ({
    what: `the timeout ${JSON.stringify(value)} in ${dialect}`,
    send: (port) => send(port, { headers: { [header]: value } }),
    said: `${isEnveloped ? 200 : 400} INVALID_ARGUMENT`,
    message: /timeout/i,
  })),
);

const expiredRows = all.map(({ dialect, isEnveloped, send }): Row => ({
  what: `a timeout that is over at once, in ${dialect}`,
  send: (port) => {
    const path = dialect === "a stream of Connect" ? pathOf("Echo/Repeat") : pathOf("Echo/Sleep");
    const headers = { "grpc-timeout": "1n", "connect-timeout-ms": "0" };
    return send(port, { path, headers, ...(dialect === "REST" ? { body: "{}" } : {}) });
  },
  said: `${isEnveloped ? 200 : 504} DEADLINE_EXCEEDED`,
}));

const pathRows: readonly Row[] = [
  ...all.map(({ dialect, isEnveloped, send }): Row => ({
    what: `a method that nobody has, in ${dialect}`,
    send: (port) => send(port, { path: "/a.B/C", headers: {} }),
    said: `${isEnveloped ? 200 : 404} ${dialect === "REST" ? "NOT_FOUND" : "UNIMPLEMENTED"}`,
    message: /\/a\.B\/C/,
  })),
  ...all.map(({ dialect, send }): Row => ({
    what: `DELETE in ${dialect}`,
    send: (port) => send(port, { method: "DELETE", headers: {} }),
    said: dialect === "REST" ? "405 UNIMPLEMENTED" : "405",
    message: /POST/,
  })),
  ...(
    [
      ["/v1/say/%ff", /'%ff' in the path is not percent-encoded UTF-8/],
      ["/v1/say/%", /'%' in the path/],
      ["/v1/say/%c3%28", /'%c3%28' in the path/],
      ["/v1/files/x?revision=%ff", /the query is not percent-encoded UTF-8/],
      ["/v1/files/x?revision=%f", /the query is not/],
      ["/v1/files/x?nonsense=1", /nonsense/],
      ["/v1/books/x?chapter=two", /chapter/],
      ["/v1/books/x?chapter=3000000000", /chapter/],
      ["/v1/books/x?chapter=1&chapter=2", /chapter is given 2 times/],
      ["/v1/books/x?full=yes", /full is a bool/],
      ["/v1/everything/NO_COLOR/1/true", /NO_COLOR/],
      ["/v1/everything?point=1", /point/],
      ["/v1/everything?labels%5B__proto__%5D%5Bx%5D=1", /labels/],
    ] as const
  ).map(([path, message]): Row => ({
    what: `GET ${path}`,
    send: (port) => sendHttp1(port, { method: "GET", path }),
    said: "400 INVALID_ARGUMENT",
    message,
  })),
  ...(
    [
      ["connect=v2&encoding=proto&message=", "400 INVALID_ARGUMENT", /"v2", not v1/],
      ["connect=v1&encoding=json&base64=1&message=!", "400 INVALID_ARGUMENT", /base64/],
      ["connect=v1&message={}", "400 INVALID_ARGUMENT", /encoding is missing/],
      ["connect=v1&encoding=json", "400 INVALID_ARGUMENT", /message is missing/],
      ["connect=v1&encoding=xml&message={}", "415", /application\/proto, application\/json/],
      ["connect=v1&encoding=json&compression=lzma&message={}", "501 UNIMPLEMENTED", /"lzma"/],
      ["connect=v1&encoding=proto&compression=gzip&message=0", "400 INVALID_ARGUMENT", /not gzip/],
    ] as const
  ).map(([query, said, message]): Row => ({
    what: `Connect's GET ?${query}`,
    send: (port) => sendHttp1(port, { method: "GET", path: `${pathOf("Library/GetBook")}?${query}` }),
    said,
    message,
  })),
  {
    what: "Connect's GET of a method that may change something",
    send: (port) => sendHttp1(port, { method: "GET", path: `${say}?connect=v1&encoding=json&message={}` }),
    said: "405",
    message: /POST, not with GET/,
  },
];

/** A body of one type that calls itself another. */
const lies: readonly [
  what: string,
  path: string,
  contentType: string,
  body: string | Buffer,
  said: string,
][] = [
  ["protobuf that calls itself JSON", "/v1/say", "application/json", hello, "400 INVALID_ARGUMENT"],
  ["JSON that calls itself protobuf", say, "application/proto", '{"text":"a"}', "500 INTERNAL"],
  ["JSON that calls itself gRPC-Web", say, "application/grpc-web", '{"text":"a"}', "200 INVALID_ARGUMENT"],
  ["gRPC over HTTP/1.1", say, "application/grpc", proto, "505"],
  ["gRPC with a format that nobody knows", say, "application/grpc-web+xml", proto, "415"],
  ["text that is not base64's", say, "application/grpc-web-text+xml", proto, "415"],
  ["Connect with a format that nobody knows", say, "application/connect+xml", proto, "415"],
  ["a unary call in the form of a stream", say, "application/connect+proto", proto, "415"],
  ["a stream in the form of a unary call", pathOf("Echo/Repeat"), "application/proto", hello, "415"],
  ["an image", say, "image/png", "\x89PNG", "415"],
  ["a multipart form", say, "multipart/form-data; boundary=x", "--x\r\n\r\n--x--", "415"],
  ["a content type that is none", say, "\x01;;;=", "{}", "400"],
  [
    "a form that is not UTF-8",
    "/v1/say",
    "application/x-www-form-urlencoded",
    "text=%ff",
    "400 INVALID_ARGUMENT",
  ],
];

const encodingRows: readonly Row[] = ["gzip", "br", "x"].map((encoding) => ({
  what: `a body of REST that says it is compressed with ${encoding}`,
  send: (port) => rest.send(port, { headers: { "content-encoding": encoding } }),
  said: "415 UNIMPLEMENTED",
  message: new RegExp(`content-encoding "${encoding}"`),
}));

const lieRows = lies.map(([what, path, contentType, body, said]): Row => ({
  what,
  send: (port) => sendHttp1(port, { path, headers: { "content-type": contentType }, body }),
  said,
}));

const many = (count: number, value: string): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`x-${index}`, value]));

const floodRows = [rest, grpcWeb, connect, connectStream].flatMap(({ dialect, send }): Row[] => [
  {
    what: `a header of 70,000 bytes in ${dialect}`,
    send: (port) => send(port, { headers: { "x-large": "x".repeat(70_000) } }),
    said: "431",
  },
  {
    what: `5,000 headers in ${dialect}`,
    send: (port) => send(port, { headers: many(5_000, "some value") }),
    said: "431",
  },
]);

/** Heads of requests that lie or are out of bounds, in every dialect. The gateway must be strict. */
export const headRows: readonly Row[] = [
  ...timeoutRows,
  ...expiredRows,
  ...pathRows,
  ...lieRows,
  ...encodingRows,
  ...floodRows,
];
