import type { OutgoingHttpHeaders } from "node:http2";
import type { Metadata } from "../call/metadata.ts";
import { headerValue, isMetadataName, isMetadataValue } from "../wire/metadata-headers.ts";

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
  for (const name in metadata) {
    if (!isMetadataName(name)) continue;
    const value = metadata[name] as string | readonly string[];
    if (typeof value === "string") {
      if (isMetadataValue(name, value)) headers[name] = value;
    } else {
      const values = value.filter((each) => isMetadataValue(name, each));
      if (values.length > 0) headers[name] = headerValue(name, values);
    }
  }
  return headers;
}

/** How large metadata or a list of headers is: names, values, and 32 bytes for each value. Source: RFC 9113, section 6.5.2. */
export function metadataBytes(metadata: Metadata): number {
  let bytes = 0;
  for (const name in metadata) {
    const value = metadata[name] as string | readonly string[];
    if (typeof value === "string") bytes += name.length + value.length + 32;
    else for (const each of value) bytes += name.length + each.length + 32;
  }
  return bytes;
}
