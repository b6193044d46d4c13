import { Code } from "@sluice/protocol";
import { createStatus, type Status } from "../call/status.ts";
import type { HttpRequest } from "../rest/http-message.ts";
import { encodingsFromHeader } from "../wire/compression.ts";
import { formatOf, mediaType, type MessageFormat } from "../wire/content-type.ts";
import type { DirectoryEntry } from "../wire/directory.ts";
import { headerText, type CallHead } from "../wire/grpc-head.ts";
import { acceptEncoding } from "../wire/request-encoding.ts";
import { metadataFromRequest } from "../wire/request-metadata.ts";
import { isConnectGet } from "./get-query.ts";

/** What a request of Connect is, by its HTTP method and content type. */
export type ConnectRequestKind =
  | { readonly kind: "unary"; readonly format: MessageFormat }
  | { readonly kind: "get" }
  | { readonly kind: "stream"; readonly format: MessageFormat; readonly contentType: string }
  /** It names Connect, but no format that is known, or an HTTP method that makes no calls. */
  | { readonly kind: "unsupported"; readonly httpStatus: 405 | 415 };

/**
 * Tells whether a request is one of Connect. `application/json` alone is not enough, because it is REST's too: then it
 * needs the header `connect-protocol-version`.
 */
export function connectRequestKind(request: HttpRequest): ConnectRequestKind | undefined {
  const type = mediaType(request.headers["content-type"]);
  const isStream = type.startsWith("application/connect+");
  const isMarked = request.headers["connect-protocol-version"] !== undefined;
  if (request.method === "GET") {
    if (isConnectGet(request.url ?? "")) return { kind: "get" };
    return isStream ? { kind: "unsupported", httpStatus: 405 } : undefined;
  }
  if (!isStream && type !== "application/proto" && !isMarked) return undefined;
  if (request.method !== "POST") return { kind: "unsupported", httpStatus: 405 };
  if (isStream) {
    const format = formatOf(type, "application/connect", false);
    if (format !== undefined) return { kind: "stream", format, contentType: type };
  } else if (type === "application/proto") {
    return { kind: "unary", format: "proto" };
  } else if (type === "application/json") {
    return { kind: "unary", format: "json" };
  }
  return { kind: "unsupported", httpStatus: 415 };
}

/** Where one kind of request names its compression. */
export interface EncodingHeaders {
  readonly encoding: string | undefined;
  readonly accept: string | undefined;
}

/** Which headers name the compression of messages: of a stream its own, of a single message those of HTTP. */
export function encodingHeaders(request: HttpRequest, isStream: boolean): EncodingHeaders {
  const prefix = isStream ? "connect-" : "";
  return {
    encoding: headerText(request, `${prefix}content-encoding`),
    accept: headerText(request, `${prefix}accept-encoding`),
  };
}

/** The beginning of a call, or why there is none. Source: the Connect protocol, Timeout, Protocol-Version. */
export function readConnectHead(
  request: HttpRequest,
  { method, backend }: DirectoryEntry,
  format: MessageFormat,
  encodings: EncodingHeaders,
): CallHead | Status {
  const version = headerText(request, "connect-protocol-version");
  if (version !== undefined && version !== "1") {
    const what = `the connect-protocol-version ${JSON.stringify(version)} is not 1, the only one there is`;
    return createStatus(Code.INVALID_ARGUMENT, what);
  }
  const timeoutText = headerText(request, "connect-timeout-ms");
  if (timeoutText !== undefined && !/^\d{1,10}$/.test(timeoutText)) {
    const what = `the connect-timeout-ms ${JSON.stringify(timeoutText)} is not a number of at most 10 digits`;
    return createStatus(Code.INVALID_ARGUMENT, what);
  }
  const mayPass = format === "proto";
  const encoding = acceptEncoding(backend, encodings.encoding, mayPass);
  if ("code" in encoding) return encoding;
  const start = {
    method,
    metadata: metadataFromRequest(request, isConnectHeader),
    ...(timeoutText === undefined ? {} : { timeout: Number(timeoutText) }),
    ...(encoding.passes === undefined ? {} : { encoding: encoding.passes }),
    ...(mayPass ? { acceptEncodings: encodingsFromHeader(encodings.accept) } : {}),
  };
  return { start, encoding: encoding.name };
}

function isConnectHeader(name: string): boolean {
  return name.startsWith("connect-");
}
