import { noMetadata, type Metadata } from "../call/metadata.ts";
import { exposeHeaders } from "../cors.ts";
import type { HttpResponse } from "../rest/http-message.ts";

/** Headers that belong to one connection or to the framing of a request; they are never metadata. */
const wireHeaders = new Set([
  "accept-encoding",
  "connection",
  "content-encoding",
  "content-length",
  "content-type",
  "host",
  "http2-settings",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "user-agent",
]);

/** Reserved names that pass: they carry a trace between services, or are for the one who tries a call again. */
const passing = new Set([
  "grpc-trace-bin",
  "grpc-tags-bin",
  "grpc-previous-rpc-attempts",
  "grpc-retry-pushback-ms",
]);

const validName = /^[0-9a-z_.-]+$/;
const validValue = /^[\x20-\x7e]*$/;
const validBinary = /^[A-Za-z0-9+/=, ]*$/;

/** What was found of names; there are few, but a client may invent some. */
const known = new Map<string, boolean>();
const mostKnown = 1_000;
const longestKnown = 64;

/** Whether a header is metadata, and not a part of HTTP/2 or of the framing of gRPC. */
export function isMetadataName(name: string): boolean {
  let found = known.get(name);
  if (found !== undefined) return found;
  found = judgeName(name);
  if (known.size < mostKnown && name.length <= longestKnown) known.set(name, found);
  return found;
}

function judgeName(name: string): boolean {
  if (!validName.test(name) || wireHeaders.has(name)) return false;
  return !name.startsWith("grpc-") || passing.has(name);
}

/** Whether a value can stand in a header: printable ASCII, or base64 for a name that ends in `-bin`. */
export function isMetadataValue(name: string, value: string): boolean {
  return (name.endsWith("-bin") ? validBinary : validValue).test(value);
}

/**
 * The metadata among headers or trailers. `raw` is names and values in turn, as they came. Values of a name that
 * ends in `-bin` are split where the peer joined them with commas. `isOwn` finds names that the dialect keeps.
 */
export function metadataFromHeaders(
  raw: readonly string[],
  isOwn: (name: string) => boolean = never,
): Metadata {
  let metadata: Record<string, string | string[]> | undefined;
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = (raw[index] as string).toLowerCase();
    if (name.startsWith(":") || !isMetadataName(name) || isOwn(name)) continue;
    const joined = raw[index + 1] as string;
    if (!isMetadataValue(name, joined)) continue;
    metadata ??= Object.create(null) as Record<string, string | string[]>;
    for (const value of name.endsWith("-bin") ? joined.split(",").map((each) => each.trim()) : [joined]) {
      const before = metadata[name];
      if (before === undefined) metadata[name] = value;
      else if (typeof before === "string") metadata[name] = [before, value];
      else before.push(value);
    }
  }
  return metadata ?? noMetadata;
}

function never(): boolean {
  return false;
}

/**
 * Headers that HTTP gives one value only and that Node refuses to send with several, at least over HTTP/2.
 * Source: RFC 9110.
 */
const singleHeaders = new Set([
  "access-control-allow-credentials",
  "access-control-max-age",
  "access-control-request-method",
  "age",
  "authorization",
  "content-language",
  "content-location",
  "content-md5",
  "content-range",
  "date",
  "dnt",
  "etag",
  "expires",
  "from",
  "if-match",
  "if-modified-since",
  "if-none-match",
  "if-range",
  "if-unmodified-since",
  "last-modified",
  "location",
  "max-forwards",
  "proxy-authorization",
  "range",
  "referer",
  "retry-after",
  "tk",
  "upgrade-insecure-requests",
  "x-content-type-options",
]);

/** The values of one name as Node takes them: joined, where HTTP knows the header and gives it one value. */
export function headerValue(name: string, values: readonly string[]): string | string[] {
  return singleHeaders.has(name) ? values.join(", ") : [...values];
}

/** Sets metadata as the headers of a response, each name with `prefix` before it. */
export function setMetadata(response: HttpResponse, metadata: Metadata, prefix = ""): void {
  for (const name in metadata) {
    const value = metadata[name] as string | readonly string[];
    response.setHeader(prefix + name, typeof value === "string" ? value : headerValue(name, value));
  }
  exposeHeaders(
    response,
    Object.keys(metadata).map((name) => prefix + name),
  );
}
