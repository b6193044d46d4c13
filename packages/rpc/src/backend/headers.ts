import type { OutgoingHttpHeaders } from "node:http2";
import { noMetadata, type Metadata } from "../call/metadata.ts";

/** Headers that belong to one connection or to the framing of a request; they are never metadata. */
const wireHeaders = new Set([
  "connection",
  "content-length",
  "content-type",
  "host",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "user-agent",
]);

/** Reserved names that carry a trace between services and so pass. */
const tracing = new Set(["grpc-trace-bin", "grpc-tags-bin"]);

const validName = /^[0-9a-z_.-]+$/;
const validValue = /^[\x20-\x7e]*$/;
const validBinary = /^[A-Za-z0-9+/=, ]*$/;

/** Whether a header is metadata, and not a part of HTTP/2 or of the framing of gRPC. */
function isMetadataName(name: string): boolean {
  if (!validName.test(name) || wireHeaders.has(name)) return false;
  return !name.startsWith("grpc-") || tracing.has(name);
}

function isMetadataValue(name: string, value: string): boolean {
  return (name.endsWith("-bin") ? validBinary : validValue).test(value);
}

/**
 * The headers of a request. Metadata that HTTP/2 or gRPC cannot carry is left out: one such header would
 * otherwise end the connection with all its calls.
 */
export function requestHeaders(
  definition: Readonly<Record<string, string>>,
  path: string,
  timeout: string | undefined,
  metadata: Metadata,
): OutgoingHttpHeaders {
  const headers = Object.create(null) as OutgoingHttpHeaders;
  headers[":method"] = "POST";
  headers[":path"] = path;
  Object.assign(headers, definition);
  if (timeout !== undefined) headers["grpc-timeout"] = timeout;
  for (const [name, value] of Object.entries(metadata)) {
    if (!isMetadataName(name)) continue;
    if (typeof value === "string") {
      if (isMetadataValue(name, value)) headers[name] = value;
    } else {
      const values = value.filter((each) => isMetadataValue(name, each));
      if (values.length > 0) headers[name] = values;
    }
  }
  return headers;
}

/** How large metadata is: names, values, and 32 bytes for each value. Source: RFC 9113, section 6.5.2. */
export function metadataBytes(metadata: Metadata): number {
  let bytes = 0;
  for (const [name, value] of Object.entries(metadata)) {
    if (typeof value === "string") bytes += name.length + value.length + 32;
    else for (const each of value) bytes += name.length + each.length + 32;
  }
  return bytes;
}

/**
 * The metadata among the headers or trailers of a response. `raw` is names and values in turn, as they came.
 * Values of a name that ends in `-bin` are split where the peer joined them with commas.
 */
export function metadataFromHeaders(raw: readonly string[]): Metadata {
  let metadata: Record<string, string | string[]> | undefined;
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index] as string;
    if (name.startsWith(":") || !isMetadataName(name)) continue;
    const joined = raw[index + 1] as string;
    if (!isMetadataValue(name, joined)) continue;
    metadata ??= Object.create(null) as Record<string, string | string[]>;
    for (const value of name.endsWith("-bin") ? joined.split(/ *, */) : [joined]) {
      const before = metadata[name];
      if (before === undefined) metadata[name] = value;
      else if (typeof before === "string") metadata[name] = [before, value];
      else before.push(value);
    }
  }
  return metadata ?? noMetadata;
}
