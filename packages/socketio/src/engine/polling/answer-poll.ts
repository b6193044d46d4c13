import type { OutgoingHttpHeaders } from "node:http";
import { deflate, gzip } from "node:zlib";
import { encodeJsonp } from "../codec/jsonp.ts";
import type { HttpCompression } from "../engine-options.ts";
import { acceptedCoding } from "../http/accepted-coding.ts";
import type { AddHeaders, PollingExchange } from "./poll.ts";

const codings = ["gzip", "deflate"] as const;

/** How polls are answered. */
export interface AnswerOptions {
  /** When and how the answer is compressed, if it is. */
  readonly compression: HttpCompression | undefined;
  readonly addHeaders: AddHeaders;
}

/** Answers a poll with a payload. */
export function answerPoll(poll: PollingExchange, payload: string | Buffer, options: AnswerOptions): void {
  const { type, body } = contentOf(poll, payload);
  const { compression } = options;
  const worth = compression !== undefined && body.length >= compression.threshold;
  const coding = worth ? acceptedCoding(poll.request.headers["accept-encoding"], codings) : undefined;
  if (compression === undefined || coding === undefined) {
    writeAnswer(poll, body, { "Content-Type": type }, options);
    return;
  }
  const { threshold: _, ...zlibOptions } = compression;
  (coding === "gzip" ? gzip : deflate)(body, zlibOptions, (error, compressed) => {
    if (error === null) {
      writeAnswer(poll, compressed, { "Content-Type": type, "Content-Encoding": coding }, options);
    } else writeAnswer(poll, body, { "Content-Type": type }, options);
  });
}

/** Answers a POST whose packets were taken. Browsers would offer text/plain in a JSONP client's frame as a download. */
export function answerPost({ request, response }: PollingExchange, addHeaders: AddHeaders): void {
  const headers: OutgoingHttpHeaders = {
    "Content-Type": "text/html",
    "Content-Length": 2,
    "Cache-Control": "no-store",
  };
  addHeaders(headers, request);
  response.writeHead(200, headers);
  response.end("ok");
}

function contentOf(
  { query }: PollingExchange,
  payload: string | Buffer,
): { readonly type: string; readonly body: Buffer } {
  if (typeof payload !== "string") return { type: "application/octet-stream", body: payload };
  if (query.j === undefined) return { type: "text/plain; charset=UTF-8", body: Buffer.from(payload) };
  return { type: "text/javascript; charset=UTF-8", body: Buffer.from(encodeJsonp(query.j, payload)) };
}

function writeAnswer(
  poll: PollingExchange,
  body: Buffer,
  content: OutgoingHttpHeaders,
  { addHeaders }: AnswerOptions,
): void {
  const { request, response } = poll;
  const headers: OutgoingHttpHeaders = {
    ...content,
    "Content-Length": body.length,
    "Cache-Control": "no-store",
    ...poll.headers,
  };
  addHeaders(headers, request);
  response.writeHead(200, headers);
  response.end(body);
}
