import { isUtf8 } from "node:buffer";
import { Code } from "@sluice/protocol";
import { createStatus, type Status } from "../call/status.ts";
import { RpcError } from "../error.ts";
import { statusFromError, type JsonCall } from "../transcode/json-call.ts";
import { JsonReader } from "../transcode/json-reader.ts";
import type { RequestBody } from "../transcode/transcoder.ts";
import { lateBody } from "../wire/body-deadline.ts";
import { parseQuery, type HttpRequest, type HttpResponse } from "./http-message.ts";
import type { RestExchange } from "./rest-exchange.ts";
import { sendStatus } from "./rest-response.ts";

/**
 * Reads the body of a request into its call: whole for a method that takes one message, else as it comes.
 * Gives what to do when the call takes more again.
 */
export function readRequest<Reply>(exchange: RestExchange, call: JsonCall<Reply>): () => void {
  const { request, route } = exchange;
  const { transcoder } = route;
  if (call.streamed && !transcoder.takesHttpBody) return readTexts(request, call, exchange.maxBytes);
  if (call.streamed) readChunks(request, call);
  else if (transcoder.binding.body === "none" && !isForm(request)) call.halfClose();
  else readWhole(exchange, call);
  return () => request.resume();
}

function readWhole<Reply>(exchange: RestExchange, call: JsonCall<Reply>): void {
  const { request, response, maxBytes, bodyMs } = exchange;
  const chunks: Buffer[] = [];
  let size = 0;
  const timer = setTimeout(() => refuse(exchange, call, 408, lateBody(bodyMs)), bodyMs);
  response.once("close", () => clearTimeout(timer));
  request.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size <= maxBytes) {
      chunks.push(chunk);
      return;
    }
    chunks.length = 0;
    refuse(exchange, call, 413, tooLarge(maxBytes));
  });
  request.on("end", () => {
    clearTimeout(timer);
    if (size > maxBytes) return;
    const [only] = chunks;
    try {
      call.write(bodyOf(exchange, chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks)));
    } catch (error) {
      call.cancel(statusFromError(error, Code.INVALID_ARGUMENT));
    }
  });
}

function refuse<Reply>(
  { request, response }: RestExchange,
  call: JsonCall<Reply>,
  httpStatus: number,
  status: Status,
): void {
  if (!response.headersSent) {
    closeAfter(request, response);
    sendStatus(response, httpStatus, status);
  }
  call.cancel(status);
}

function bodyOf({ request, route }: RestExchange, bytes: Buffer): RequestBody | undefined {
  if (route.transcoder.takesHttpBody)
    return { contentType: request.headers["content-type"] ?? "", data: bytes };
  if (bytes.length === 0) return undefined;
  if (!isUtf8(bytes)) throw new RpcError("json_invalid", "the body is not valid UTF-8");
  const text = bytes.toString("utf8");
  // curl calls everything a form that it sends with -d.
  if (!isForm(request) || /^\s*[[{"]/.test(text)) return text;
  const form = parseQuery(text);
  if (form === undefined) throw new RpcError("json_invalid", "the form is not percent-encoded UTF-8");
  return form;
}

// The messages of a client's stream leave as they come, so a client that can do both at once has a dialogue.
function readTexts<Reply>(request: HttpRequest, call: JsonCall<Reply>, maxBytes: number): () => void {
  const reader = new JsonReader(call, request, maxBytes);
  request.on("data", (chunk: Buffer) => reader.push(chunk));
  request.on("end", () => reader.end());
  return () => reader.drain();
}

// The type of the whole is said once, with the first piece, also of an empty body.
function readChunks<Reply>(request: HttpRequest, call: JsonCall<Reply>): void {
  let contentType = request.headers["content-type"] ?? "";
  const write = (data: Uint8Array): void => {
    if (!call.write({ contentType, data })) request.pause();
    contentType = "";
  };
  let isEmpty = true;
  request.on("data", (chunk: Buffer) => {
    isEmpty = false;
    write(chunk);
  });
  request.on("end", () => {
    if (isEmpty) write(Buffer.alloc(0));
    call.halfClose();
  });
}

function isForm(request: HttpRequest): boolean {
  return /^application\/x-www-form-urlencoded\b/i.test(request.headers["content-type"] ?? "");
}

/**
 * Ends the connection after the response: the rest of a body that nobody reads would stand before the next
 * request. HTTP/2 has a stream for each.
 */
export function closeAfter(request: HttpRequest, response: HttpResponse): void {
  if (request.httpVersionMajor === 1) response.setHeader("connection", "close");
}

/** The status for a body over the limit. */
export function tooLarge(maxBytes: number): Status {
  const what = `the body is larger than the limit of ${maxBytes} bytes (--max-message)`;
  return createStatus(Code.RESOURCE_EXHAUSTED, what);
}
