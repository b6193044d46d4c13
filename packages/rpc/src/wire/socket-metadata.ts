import type { Metadata } from "../call/metadata.ts";
import type { HttpRequest } from "../rest/http-message.ts";
import { readCookie, readOfferedProtocols } from "../rest-websocket/subprotocol.ts";
import { isMetadataName } from "./metadata-headers.ts";
import { metadataFromRequest } from "./request-metadata.ts";

const tokenCookie = "token";

/** Names that a call may set although the request for its socket has them: credentials expire, and each call has its trace. */
const ofEachCall = new Set(["authorization", "traceparent", "tracestate", "grpc-trace-bin"]);

/** Names that only the gateway sets. */
const ofGateway = new Set(["x-forwarded-for", "x-forwarded-host"]);

/**
 * What the request for a WebSocket says of all calls on it: its headers but those of the handshake, the caller added to
 * `x-forwarded-for`, and the token of a page, which can set no header, from the subprotocols `Bearer, <token>` or the
 * cookie `token`.
 */
export function metadataOfSocket(request: HttpRequest): Metadata {
  return withToken(metadataFromRequest(request, isOwn), request);
}

/**
 * The metadata of one call on a WebSocket. What came with the request for the socket counts more, because a proxy may
 * have put it there to say who the user is.
 */
export function metadataOfCall(ofSocket: Metadata, ofCall: Metadata): Metadata {
  const metadata: Record<string, string | readonly string[]> = { ...ofSocket };
  for (const name in ofCall) {
    if (!isMetadataName(name) || ofGateway.has(name) || isOwn(name)) continue;
    if (Object.hasOwn(ofSocket, name) && !ofEachCall.has(name)) continue;
    metadata[name] = ofCall[name] as string | readonly string[];
  }
  return metadata;
}

/** Metadata with the `authorization` that the request for a WebSocket carries elsewhere. */
export function withToken(metadata: Metadata, { headers }: HttpRequest): Metadata {
  const cookie = readCookie(headers.cookie, tokenCookie);
  const { authorization } = readOfferedProtocols(headers["sec-websocket-protocol"]);
  const token = cookie === undefined ? authorization : `Bearer ${cookie}`;
  return token === undefined ? metadata : { ...metadata, authorization: token };
}

function isOwn(name: string): boolean {
  return name.startsWith("sec-websocket-") || name === "x-grpc-web";
}
