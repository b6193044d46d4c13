import type { Metadata } from "../call/metadata.ts";
import type { HttpRequest } from "../rest/http-message.ts";
import { isMetadataName } from "./metadata-headers.ts";
import { metadataFromRequest } from "./request-metadata.ts";
import { isOfRequest } from "./request-names.ts";
import { withCredentials, type SocketCredentials } from "./socket-credentials.ts";

/** Names that a call may set although the request for its socket has them: credentials expire, and each call has its trace. */
const ofEachCall = new Set(["authorization", "traceparent", "tracestate", "grpc-trace-bin"]);

/**
 * What the request for a WebSocket says of all calls on it: its headers but those of the handshake, the caller added to
 * `x-forwarded-for`, and the token of a page, which can set no header.
 */
export function metadataOfSocket(request: HttpRequest, credentials: SocketCredentials): Metadata {
  return withCredentials(metadataFromRequest(request, isOwn), credentials);
}

/**
 * The metadata of one call on a WebSocket. What came with the request for the socket counts more, because a proxy may
 * have put it there to say who the user is; and what only a request says, a call cannot.
 */
export function metadataOfCall(ofSocket: Metadata, ofCall: Metadata): Metadata {
  const metadata: Record<string, string | readonly string[]> = { ...ofSocket };
  for (const name in ofCall) {
    if (!isMetadataName(name) || isOfRequest(name) || isOwn(name)) continue;
    if (Object.hasOwn(ofSocket, name) && !ofEachCall.has(name)) continue;
    metadata[name] = ofCall[name] as string | readonly string[];
  }
  return metadata;
}

function isOwn(name: string): boolean {
  return name.startsWith("sec-websocket-") || name === "x-grpc-web";
}
