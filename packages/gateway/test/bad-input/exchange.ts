import { connect } from "node:net";
import { nameOfCode } from "@sluice/protocol";
import { rawRequest, type RawRequest } from "../raw-http2.ts";
import type { Outcome } from "./row.ts";

/** Sends bytes, and gives all that comes until the end of the connection. `end` says what the client does then. */
export function exchange(
  port: number,
  bytes: Uint8Array | string,
  end: "waits" | "half-closes" | "vanishes" = "waits",
): Promise<Buffer> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    const chunks: Buffer[] = [];
    socket.on("data", (chunk) => chunks.push(chunk));
    // A server that refuses does not read the rest, and what it has said comes first.
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(Buffer.concat(chunks)));
    socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes, () => {
      if (end === "half-closes") socket.end();
      else if (end === "vanishes") socket.resetAndDestroy();
    });
  });
}

/** A request of HTTP/1.1 for one answer. */
export interface Http1Request {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
}

/** The bytes of a request, with a length of its body unless there is one already. */
export function http1Bytes({ method = "POST", path, headers = {}, body = "" }: Http1Request): Buffer {
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  const all = { host: "x", connection: "close", "content-length": String(bytes.length), ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n`, "latin1"), bytes]);
}

/** Sends a request over HTTP/1.1 and reads its answer in the dialect that its content type says. */
export async function sendHttp1(port: number, request: Http1Request): Promise<Outcome> {
  return readAnswer(await exchange(port, http1Bytes(request)));
}

/** What an answer of HTTP/1.1 says; `closed` where there is none. */
export function readAnswer(bytes: Buffer): Outcome {
  const text = bytes.toString("latin1");
  const status = /^HTTP\/1\.1 (\d{3})/.exec(text)?.[1];
  if (status === undefined) return { said: "closed", message: text };
  const type = /\r\ncontent-type: ([^\r;]*)/i.exec(text)?.[1] ?? "";
  const head = text.indexOf("\r\n\r\n") + 4;
  const isChunked = /\r\ntransfer-encoding: chunked/i.test(text.slice(0, head));
  const body = isChunked ? unchunked(bytes.subarray(head)) : bytes.subarray(head);
  const { said, message } = readBody(type, body);
  return { said: said === "" ? status : `${status} ${said}`, message };
}

/** Makes a call of gRPC over HTTP/2 and reads its status. */
export async function sendGrpc(port: number, request: RawRequest): Promise<Outcome> {
  const { headers, trailers, body, rstCode } = await rawRequest(`http://127.0.0.1:${port}`, request);
  const http = headers[":status"];
  if (http === undefined) return { said: `RST_STREAM ${rstCode}`, message: "" };
  const all = { ...headers, ...trailers };
  const code = all["grpc-status"];
  if (code === undefined) return { said: String(http), message: body.toString() };
  const message = decodeURIComponent(String(all["grpc-message"] ?? ""));
  return { said: `${String(http)} ${nameOfCode(Number(code))}`, message };
}

function readBody(type: string, body: Buffer): Outcome {
  if (type.startsWith("application/grpc-web-text")) {
    const pieces = body.toString("latin1").match(/[^=]+=*/g) ?? [];
    return readTrailers(Buffer.concat(pieces.map((piece) => Buffer.from(piece, "base64"))));
  }
  if (type.startsWith("application/grpc-web")) return readTrailers(body);
  if (type.startsWith("application/connect+")) return readJson(lastEnvelope(body, 2));
  if (type === "application/json") return readJson(body);
  if (type === "application/x-ndjson") return readJson(body);
  return { said: "", message: body.toString() };
}

function readTrailers(body: Buffer): Outcome {
  const block = lastEnvelope(body, 0x80).toString("latin1");
  const code = /grpc-status: (\d+)/.exec(block)?.[1];
  const message = /grpc-message: (.*)\r/.exec(block)?.[1] ?? "";
  return { said: nameOfCode(Number(code)), message: decodeURIComponent(message) };
}

function readJson(text: Buffer): Outcome {
  const said = JSON.parse(text.toString()) as { error?: { code: number | string; message?: string } };
  const { code, message = "" } = said.error ?? (said as { code?: number | string; message?: string });
  if (code === undefined) return { said: "", message: text.toString() };
  return { said: typeof code === "number" ? nameOfCode(code) : code.toUpperCase(), message };
}

function lastEnvelope(body: Buffer, flags: number): Buffer {
  for (let at = 0; at + 5 <= body.length;) {
    const end = at + 5 + body.readUInt32BE(at + 1);
    if (body[at] === flags) return body.subarray(at + 5, end);
    at = end;
  }
  throw new Error(`no envelope that begins with ${flags} in ${body.toString("latin1")}`);
}

function unchunked(bytes: Buffer): Buffer {
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const line = bytes.indexOf("\r\n", at);
    const size = Number.parseInt(bytes.toString("latin1", at, line), 16);
    if (!(size > 0)) break;
    chunks.push(bytes.subarray(line + 2, line + 2 + size));
    at = line + 2 + size + 2;
  }
  return Buffer.concat(chunks);
}
