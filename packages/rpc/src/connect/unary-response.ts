import { Code, httpStatusFromCode } from "@sluice/protocol";
import { noMetadata, type Metadata } from "../call/metadata.ts";
import { createStatus, type Status } from "../call/status.ts";
import type { HttpRequest, HttpResponse } from "../rest/http-message.ts";
import { supportedEncodings } from "../wire/compression.ts";
import type { MessageFormat } from "../wire/content-type.ts";
import { setMetadata } from "../wire/metadata-headers.ts";
import { discardRest } from "../wire/response-end.ts";
import { errorFromStatus } from "./error-json.ts";

/** The message of a response, with how it is compressed. */
export interface UnaryMessage {
  readonly bytes: Uint8Array;
  readonly encoding: string | undefined;
}

/** What stands around the message or the error of a unary response. */
export interface UnaryMetadata {
  readonly headers: Metadata;
  readonly trailers: Metadata;
}

const none: UnaryMetadata = { headers: noMetadata, trailers: noMetadata };

/** Answers with a message: the body is the message alone, trailers are headers that begin with `trailer-`. */
export function sendMessage(
  request: HttpRequest,
  response: HttpResponse,
  format: MessageFormat,
  message: UnaryMessage,
  metadata: UnaryMetadata,
): void {
  if (message.encoding !== undefined) response.setHeader("content-encoding", message.encoding);
  if (request.method === "GET") response.appendHeader("vary", "accept-encoding");
  send(request, response, metadata, 200, `application/${format}`, message.bytes);
}

/**
 * Answers with an error as JSON. Its HTTP status is that of its code unless `httpStatus` says another.
 * Source: the Connect protocol, Unary-Response and Error Codes.
 */
export function sendError(
  request: HttpRequest,
  response: HttpResponse,
  status: Status,
  metadata: UnaryMetadata = none,
  httpStatus: number = httpStatusFromCode(status.code),
): void {
  // Caches keep some errors without being told to.
  if (request.method === "GET") response.setHeader("cache-control", "no-store");
  const body = Buffer.from(JSON.stringify(errorFromStatus(status)));
  send(request, response, metadata, httpStatus, "application/json", body);
}

/** The error of a backend that answered OK without a message, which has no form on this wire. */
export const noMessage: Status = createStatus(Code.INTERNAL, "the backend answered OK without a message");

function send(
  request: HttpRequest,
  response: HttpResponse,
  { headers, trailers }: UnaryMetadata,
  httpStatus: number,
  contentType: string,
  body: Uint8Array,
): void {
  response.statusCode = httpStatus;
  response.setHeader("content-type", contentType);
  response.setHeader("content-length", String(body.length));
  response.setHeader("accept-encoding", supportedEncodings);
  setMetadata(response, headers);
  setMetadata(response, trailers, "trailer-");
  response.end(body);
  discardRest(request);
}
