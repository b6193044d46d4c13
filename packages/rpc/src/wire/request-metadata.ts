import type { Metadata } from "../call/metadata.ts";
import type { HttpRequest } from "../rest/http-message.ts";
import { metadataFromHeaders } from "./metadata-headers.ts";
import { isOfGateway } from "./request-names.ts";

/**
 * The metadata of a request of an RPC protocol: all of its headers but those that the wire needs for itself and those
 * that only the gateway says, and the caller added to `x-forwarded-for` and `x-forwarded-host`. `isOwn` finds headers
 * that the dialect keeps.
 */
export function metadataFromRequest(request: HttpRequest, isOwn?: (name: string) => boolean): Metadata {
  const isKept =
    isOwn === undefined ? isOfGateway : (name: string): boolean => isOfGateway(name) || isOwn(name);
  const metadata = { ...metadataFromHeaders(request.rawHeaders, isKept) };
  const address = request.socket.remoteAddress;
  const before = metadata["x-forwarded-for"];
  if (address !== undefined) {
    metadata["x-forwarded-for"] = before === undefined ? address : [before, address].flat().join(", ");
  }
  const host = request.headers[":authority"] ?? request.headers.host;
  if (typeof host === "string") metadata["x-forwarded-host"] ??= host;
  return metadata;
}
