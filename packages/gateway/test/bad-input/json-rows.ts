import { once } from "node:events";
import { WebSocket } from "ws";
import { framed } from "../raw-http2.ts";
import { sendGrpc, sendHttp1 } from "./exchange.ts";
import { mebibyte, pathOf, type Outcome, type Row } from "./row.ts";

/** How a JSON text reaches a method of which one field is a text. */
interface Carrier {
  readonly dialect: string;
  /** The name of that field. */
  readonly field: string;
  /** What its HTTP status adds to the code, where it has one of its own. */
  readonly http: (code: keyof typeof httpStatus) => string;
  readonly send: (port: number, json: Buffer) => Promise<Outcome>;
}

const httpStatus = { INVALID_ARGUMENT: "400", RESOURCE_EXHAUSTED: "429" } as const;
const own: Carrier["http"] = (code) => `${httpStatus[code]} ${code}`;
const always200: Carrier["http"] = (code) => `200 ${code}`;

const say = pathOf("Echo/Say");
const collect = pathOf("Echo/Collect");
const connect = { "content-type": "application/json", "connect-protocol-version": "1" };

const carriers: readonly Carrier[] = [
  {
    dialect: "REST",
    field: "text",
    http: (code) => (code === "RESOURCE_EXHAUSTED" ? `413 ${code}` : own(code)),
    send: (port, body) => sendHttp1(port, { path: "/v1/say", body }),
  },
  {
    dialect: "a stream of REST",
    field: "text",
    http: own,
    send: (port, body) => sendHttp1(port, { path: "/v1/collect", body }),
  },
  {
    dialect: "REST over a WebSocket",
    field: "text",
    http: (code) => (code === "RESOURCE_EXHAUSTED" ? "close 1009" : "close 4003"),
    send: sendToWebSocket,
  },
  {
    dialect: "Connect",
    field: "text",
    http: own,
    send: (port, body) => sendHttp1(port, { path: say, headers: connect, body }),
  },
  {
    dialect: "a stream of Connect",
    field: "text",
    http: always200,
    send: (port, json) => {
      const headers = { "content-type": "application/connect+json" };
      return sendHttp1(port, { path: collect, headers, body: framed(0, json) });
    },
  },
  {
    dialect: "gRPC",
    field: "text",
    http: always200,
    send: (port, json) => {
      const headers = { "content-type": "application/grpc+json" };
      return sendGrpc(port, { path: say, headers, chunks: [framed(0, json)] });
    },
  },
  {
    dialect: "gRPC-Web",
    field: "text",
    http: always200,
    send: (port, json) => {
      const headers = { "content-type": "application/grpc-web+json" };
      return sendHttp1(port, { path: say, headers, body: framed(0, json) });
    },
  },
  {
    dialect: "gRPC-Web as text",
    field: "text",
    http: always200,
    send: (port, json) => {
      const headers = { "content-type": "application/grpc-web-text+json" };
      return sendHttp1(port, { path: say, headers, body: framed(0, json).toString("base64") });
    },
  },
];

/** Connect's GET, whose message is no longer than a head may be. */
const get: Carrier = {
  dialect: "Connect with GET",
  field: "name",
  http: own,
  send: (port, json) => {
    const query = `connect=v1&encoding=json&base64=1&message=${json.toString("base64url")}`;
    return sendHttp1(port, { method: "GET", path: `${pathOf("Library/GetBook")}?${query}` });
  },
};

async function sendToWebSocket(port: number, json: Buffer): Promise<Outcome> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/v1/say`);
  socket.on("error", () => undefined);
  await once(socket, "open");
  socket.send(json);
  socket.send("");
  const [code, reason] = (await once(socket, "close")) as [number, Buffer];
  return { said: `close ${code}`, message: reason.toString() };
}

const deep = (depth: number, field: string): string =>
  `{"${field}":${"[".repeat(depth)}${"]".repeat(depth)}}`;

const texts: readonly [
  what: string,
  json: (field: string) => string | Buffer,
  code: keyof typeof httpStatus,
  message: RegExp,
][] = [
  ["JSON that ends early", (field) => `{"${field}":`, "INVALID_ARGUMENT", /JSON/],
  ["what is not JSON", () => "{text: 'a'}", "INVALID_ARGUMENT", /not JSON/],
  [
    "JSON with a control character in a string",
    (field) => `{"${field}":"\0"}`,
    "INVALID_ARGUMENT",
    /not JSON/,
  ],
  ["a name twice", (field) => `{"${field}":"a","${field}":"b"}`, "INVALID_ARGUMENT", /twice/],
  ["a value of another type", (field) => `{"${field}":7}`, "INVALID_ARGUMENT", /text|name/],
  ["a list for a message", () => "[]", "INVALID_ARGUMENT", /object/],
  ["a field that the message has not", () => '{"txet":"a"}', "INVALID_ARGUMENT", /txet/],
  ["the name of a prototype", () => '{"__proto__":{"text":"a"}}', "INVALID_ARGUMENT", /__proto__/],
  ["JSON 10,000 deep", (field) => deep(10_000, field), "INVALID_ARGUMENT", /text|name|deep|depth/],
  [
    "JSON 10,000 deep that ends early",
    (field) => deep(10_000, field).slice(0, 10_010),
    "INVALID_ARGUMENT",
    /JSON/,
  ],
  [
    "bytes that are not UTF-8",
    (field) => Buffer.from(`{"${field}":"\xff"}`, "latin1"),
    "INVALID_ARGUMENT",
    /UTF-8/,
  ],
  ["half a surrogate pair", (field) => `{"${field}":"\\ud83c"}`, "INVALID_ARGUMENT", /text|name/],
];

const jsonRow = (
  { dialect, field, http, send }: Carrier,
  [what, json, code, message]: (typeof texts)[number],
): Row => ({
  what: `${what}, in ${dialect}`,
  send: (port) => send(port, Buffer.from(json(field))),
  said: http(code),
  message,
});

/** JSON that cannot be a message, in every dialect that has JSON. The gateway must be strict. */
export const jsonRows: readonly Row[] = [
  ...[...carriers, get].flatMap((carrier) => texts.map((text) => jsonRow(carrier, text))),
  ...carriers.map((carrier) => ({
    ...jsonRow(carrier, [
      "a message over the limit",
      (field) => `{"${field}":"${"x".repeat(5 * mebibyte)}"}`,
      "RESOURCE_EXHAUSTED",
      /4194304|^$/,
    ]),
    isLarge: true,
  })),
];
