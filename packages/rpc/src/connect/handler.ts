import { Code, httpStatusFromCode } from "@sluice/protocol";
import { createStatus, type Status } from "../call/status.ts";
import type { HttpRequest, HttpResponse } from "../rest/http-message.ts";
import { pathOf, reporter, type DialectHandler, type DialectOptions } from "../wire/dialect.ts";
import type { DirectoryEntry } from "../wire/directory.ts";
import { EnvelopedCall, refuseCall as refuseEnveloped } from "../wire/enveloped-call.ts";
import { headerText } from "../wire/grpc-head.ts";
import { refuseRequest } from "../wire/http-refusal.ts";
import { readGetQuery } from "./get-query.ts";
import { connectRequestKind, encodingHeaders, readConnectHead, type ConnectRequestKind } from "./request.ts";
import { ConnectStreamResponse } from "./stream-response.ts";
import { UnaryCall, type UnaryCallOptions } from "./unary-call.ts";
import { sendError } from "./unary-response.ts";

/** One request of Connect, and how its end is reported. */
interface Exchange {
  readonly request: HttpRequest;
  readonly response: HttpResponse;
  readonly options: DialectOptions;
  readonly report: ReturnType<typeof reporter>;
}

const unaryTypes = "application/proto, application/json";
const streamTypes = "application/connect+proto, application/connect+json";

/**
 * Makes the `connect` dialect, over any version of HTTP: unary calls with POST, those without side effects also with
 * GET, and all streams. Source: https://connectrpc.com/docs/protocol
 */
export function createConnectHandler(options: DialectOptions): DialectHandler {
  return (request, response) => {
    const kind = connectRequestKind(request);
    if (kind === undefined) return false;
    const exchange = { request, response, options, report: reporter(options, "connect", request) };
    if (kind.kind === "unsupported") {
      refuseKind(exchange, kind.httpStatus, `${unaryTypes}, ${streamTypes}`);
      return true;
    }
    const entry = options.methods().find(pathOf(request));
    if ("code" in entry) {
      // A GET may mean something else: REST's and files have parameters of any name.
      if (kind.kind === "get") return false;
      const isUnknown = entry.code === Code.UNIMPLEMENTED;
      refuseCall(exchange, kind, entry, isUnknown ? 404 : httpStatusFromCode(entry.code));
      return true;
    }
    if (kind.kind === "stream") serveStream(exchange, entry, kind);
    else if (kind.kind === "get") serveGet(exchange, entry);
    else serveUnary(exchange, entry, kind);
    return true;
  };
}

function serveUnary(
  exchange: Exchange,
  entry: DirectoryEntry,
  kind: Extract<ConnectRequestKind, { kind: "unary" }>,
): void {
  const { request } = exchange;
  if (entry.method.kind !== "unary") return refuseKind(exchange, 415, streamTypes);
  const head = readConnectHead(request, entry, kind.format, encodingHeaders(request, false));
  if ("code" in head) return refuseCall(exchange, kind, head);
  new UnaryCall({ ...served(exchange, entry), head, format: kind.format }).read();
}

function serveGet(exchange: Exchange, entry: DirectoryEntry): void {
  const { request } = exchange;
  if (entry.method.kind !== "unary" || entry.method.hasNoSideEffects !== true) {
    return refuseKind(exchange, 405, "", "POST");
  }
  const query = readGetQuery(request.url ?? "");
  if (query === undefined) return refuseKind(exchange, 415, unaryTypes);
  if ("code" in query) return refuseCall(exchange, { kind: "get" }, query);
  const { format, message, compression } = query;
  const accept = headerText(request, "accept-encoding");
  const head = readConnectHead(request, entry, format, { encoding: compression, accept });
  if ("code" in head) return refuseCall(exchange, { kind: "get" }, head);
  new UnaryCall({ ...served(exchange, entry), head, format }).take(message);
}

function serveStream(
  exchange: Exchange,
  entry: DirectoryEntry,
  kind: Extract<ConnectRequestKind, { kind: "stream" }>,
): void {
  const { request, response } = exchange;
  if (entry.method.kind === "unary") return refuseKind(exchange, 415, unaryTypes);
  const head = readConnectHead(request, entry, kind.format, encodingHeaders(request, true));
  if ("code" in head) return refuseCall(exchange, kind, head);
  new EnvelopedCall({
    ...served(exchange, entry),
    head,
    messageFormat: kind.format,
    responseFormat: new ConnectStreamResponse(response, kind.contentType),
  }).read();
}

function served(
  { request, response, options, report }: Exchange,
  entry: DirectoryEntry,
): Omit<UnaryCallOptions, "head" | "format"> {
  return {
    request,
    response,
    entry,
    maxMessageBytes: options.maxMessageBytes,
    bodyMs: options.bodyMs,
    report: (status) => report(status, entry.method),
  };
}

/** Refuses what is a call, in the form of its kind; a stream has HTTP 200 in any case. */
function refuseCall(
  exchange: Exchange,
  kind: ConnectRequestKind,
  status: Status,
  httpStatus = httpStatusFromCode(status.code),
): void {
  const { request, response, report } = exchange;
  if (kind.kind === "stream") {
    refuseEnveloped(request, response, new ConnectStreamResponse(response, kind.contentType), status);
  } else {
    sendError(request, response, status, undefined, httpStatus);
  }
  report(status);
}

/** Refuses what is no call: 405 for an HTTP method, 415 for a content type. */
function refuseKind(
  { request, response, report }: Exchange,
  httpStatus: 405 | 415,
  accepted: string,
  allow = "POST",
): void {
  const [text, headers] =
    httpStatus === 405
      ? [`this is called with ${allow}, not with ${request.method ?? ""}`, { allow }]
      : [
          `the content-type ${String(request.headers["content-type"])} is not one of ${accepted}`,
          { "accept-post": accepted },
        ];
  refuseRequest(request, response, httpStatus, text, headers);
  report(createStatus(Code.UNKNOWN, text));
}
