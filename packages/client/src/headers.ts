import type { Metadata } from "@sluice/protocol";

/** Names that the framing of gRPC and of its dialects owns, which no call may set. PROTOCOL.md section 3.6. */
const owned =
  /^(?:te|host|connection|transfer-encoding|upgrade|content-(?:type|length|encoding)|(?:connect-)?accept-encoding|connect-(?:content-encoding|protocol-version|timeout-ms)|grpc-(?:accept-encoding|encoding|message|message-type|status|status-details-bin|timeout))$/;

/**
 * Headers as metadata. Names that the framing owns are left out; the value of a name that ends in `-bin` is base64, or
 * several with commas between them. Throws a TypeError for a name that is none.
 */
export function metadataFromHeaders(init: HeadersInit | undefined): Metadata {
  const metadata = Object.create(null) as Record<string, string | string[]>;
  for (const [name, value] of new Headers(init)) {
    if (owned.test(name)) continue;
    const isSeveral = name.endsWith("-bin") && value.includes(",");
    metadata[name] = isSeveral ? value.split(",").map((each) => each.trim()) : value;
  }
  return metadata;
}

/** Metadata as headers; several values of a name are joined, as `Headers` does. */
export function headersFromMetadata(metadata: Metadata, headers: Headers = new Headers()): Headers {
  for (const name in metadata) {
    const values = metadata[name] ?? [];
    for (const value of typeof values === "string" ? [values] : values) headers.append(name, value);
  }
  return headers;
}
