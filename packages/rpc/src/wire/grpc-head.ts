import { Code } from "@sluice/protocol";
import type { CallStart } from "../call/call.ts";
import { createStatus, type Status } from "../call/status.ts";
import { parseTimeout } from "../call/timeout.ts";
import type { Metadata } from "../call/metadata.ts";
import type { HttpRequest } from "../rest/http-message.ts";
import { encodingsFromHeader } from "./compression.ts";
import type { DirectoryEntry } from "./directory.ts";
import { acceptEncoding } from "./request-encoding.ts";
import { metadataFromRequest } from "./request-metadata.ts";

/** What a dialect knows of its call from the head of the request. */
export interface CallHead {
  readonly start: CallStart;
  /** How messages of the request are compressed; the call starts with it where the backend takes it too. */
  readonly encoding: string | undefined;
}

/** The headers from which a call begins, by name in lower case. */
export type GrpcHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/**
 * The beginning of a call from the headers that gRPC and gRPC-Web have in common, or why there is none.
 * `mayPass` says whether messages are compressed in the same way for the client and the backend.
 */
export function readGrpcHead(
  request: HttpRequest,
  entry: DirectoryEntry,
  mayPass: boolean,
): CallHead | Status {
  return grpcHeadFrom(request.headers, metadataFromRequest(request, isGrpcWebHeader), entry, mayPass);
}

/** The same, from headers and metadata that were read already. */
export function grpcHeadFrom(
  headers: GrpcHeaders,
  metadata: Metadata,
  { method, backend }: DirectoryEntry,
  mayPass: boolean,
): CallHead | Status {
  const timeoutText = headers["grpc-timeout"];
  const timeout = typeof timeoutText === "string" ? parseTimeout(timeoutText) : undefined;
  if (timeoutText !== undefined && timeout === undefined) {
    const what = `the grpc-timeout "${String(timeoutText)}" is not a number and a unit, as in 500m or 10S`;
    return createStatus(Code.INVALID_ARGUMENT, what);
  }
  const encoding = acceptEncoding(backend, textOf(headers["grpc-encoding"]), mayPass);
  if ("code" in encoding) return encoding;
  const start = {
    method,
    metadata,
    ...(timeout === undefined ? {} : { timeout }),
    ...(encoding.passes === undefined ? {} : { encoding: encoding.passes }),
    ...(mayPass ? { acceptEncodings: encodingsFromHeader(textOf(headers["grpc-accept-encoding"])) } : {}),
  };
  return { start, encoding: encoding.name };
}

/** One header as text, undefined where it is not there. */
export function headerText(request: HttpRequest, name: string): string | undefined {
  return textOf(request.headers[name]);
}

function textOf(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === "string" ? value : value?.join(", ");
}

function isGrpcWebHeader(name: string): boolean {
  return name === "x-grpc-web";
}
