import { Code } from "@sluice/protocol";
import type { Metadata } from "../call/metadata.ts";
import { createStatus, type Status } from "../call/status.ts";
import { parseTimeout } from "../call/timeout.ts";
import { isOfGateway } from "../wire/request-names.ts";
import type { HttpRequest } from "./http-message.ts";

const prefix = "grpc-metadata-";

/** The headers that grpc-gateway forwards as `grpcgateway-*`, which backends behind it have come to read. */
const forwarded: ReadonlyMap<string, string> = new Map(
  [
    "accept",
    "accept-charset",
    "accept-language",
    "accept-ranges",
    "authorization",
    "cache-control",
    "content-type",
    "cookie",
    "date",
    "expect",
    "from",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-schedule-tag-match",
    "if-unmodified-since",
    "max-forwards",
    "origin",
    "pragma",
    "referer",
    "user-agent",
    "via",
    "warning",
  ].map((name) => [name, `grpcgateway-${name}`]),
);

const printableAscii = /^[\x20-\x7e]*$/;
const metadataKey = /^[a-z0-9_.-]+$/;

/** What of a request becomes metadata. */
export interface MetadataSource {
  /** Names and values in turn. */
  readonly rawHeaders: readonly string[];
  /** The connection below. */
  readonly socket: { readonly remoteAddress?: string | undefined };
}

/**
 * The metadata of a REST request, by grpc-gateway's rules: `Grpc-Metadata-K` is `k`, `Authorization` is itself,
 * well-known request headers are `grpcgateway-*`, and the caller is added to `x-forwarded-for` and
 * `x-forwarded-host`. What metadata cannot hold (control characters, other alphabets) is left out.
 */
export function metadataFromRequest(request: MetadataSource): Metadata {
  const metadata = Object.create(null) as Record<string, string | string[]>;
  const raw = request.rawHeaders;
  let host: string | undefined;
  let forwardedHost: string | undefined;
  const forwardedFor: string[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = (raw[at] ?? "").toLowerCase();
    const value = raw[at + 1] ?? "";
    if (name.startsWith(prefix)) addOwn(metadata, name.slice(prefix.length), value);
    else if (name === "host" || name === ":authority") host ??= value;
    else if (name === "last-event-id") add(metadata, name, value);
    else if (name === "x-forwarded-host") forwardedHost ??= value;
    else if (name === "x-forwarded-for") forwardedFor.push(value);
    else {
      if (name === "authorization") add(metadata, name, value);
      const key = forwarded.get(name);
      if (key !== undefined) add(metadata, key, value);
    }
  }
  const address = request.socket.remoteAddress;
  if (address !== undefined) forwardedFor.push(address);
  if (forwardedFor.length > 0) add(metadata, "x-forwarded-for", forwardedFor.join(", "));
  const forwardedTo = forwardedHost ?? host;
  if (forwardedTo !== undefined) add(metadata, "x-forwarded-host", forwardedTo);
  return metadata;
}

/** The `Grpc-Timeout` of a request in milliseconds, in an object; empty without one. A status for one that is none. */
export function timeoutFromRequest(request: HttpRequest): { readonly timeout?: number } | Status {
  const text = request.headers["grpc-timeout"];
  if (text === undefined) return {};
  const timeout = typeof text === "string" ? parseTimeout(text) : undefined;
  return timeout === undefined ? malformedTimeout : { timeout };
}

const malformedTimeout = createStatus(
  Code.INVALID_ARGUMENT,
  "Grpc-Timeout is not a number and a unit, as in 500m or 10S",
);

/** The HTTP headers of a call's metadata: `k` becomes `Grpc-Metadata-K`, or `Grpc-Trailer-K` for trailers. */
export function headersFromMetadata(
  metadata: Metadata,
  headerPrefix: "grpc-metadata-" | "grpc-trailer-",
): [name: string, value: string | readonly string[]][] {
  return Object.entries(metadata).map(([key, value]) => [`${headerPrefix}${key}`, value]);
}

/** Adds what a client names itself. */
function addOwn(metadata: Record<string, string | string[]>, key: string, value: string): void {
  // `grpc-` belongs to the protocol: a client may not set the timeout or the encoding of the backend's call.
  if (metadataKey.test(key) && !key.startsWith("grpc-") && !isOfGateway(key)) add(metadata, key, value);
}

function add(metadata: Record<string, string | string[]>, key: string, value: string): void {
  if (!printableAscii.test(value)) return;
  const held = metadata[key];
  if (held === undefined) metadata[key] = value;
  else if (Array.isArray(held)) held.push(value);
  else metadata[key] = [held, value];
}
