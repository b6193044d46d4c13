import type { SocketCredentials } from "../wire/socket-credentials.ts";

/**
 * The subprotocol with which a client asks for everything that a call has: headers, results, status and
 * trailers, each in a member of its own. Without it, messages are as grpc-websocket-proxy sends them.
 */
export const envelopeProtocol = "sluice.rest.v1";

/**
 * The subprotocol to answer; undefined for none. Beside credentials any will do, because browsers take no WebSocket
 * that leaves their subprotocols without an answer.
 */
export function selectProtocol({ protocols, hasCredentials }: SocketCredentials): string | undefined {
  if (protocols.includes(envelopeProtocol)) return envelopeProtocol;
  if (!hasCredentials) return undefined;
  return protocols.includes("Bearer") ? "Bearer" : protocols[0];
}
