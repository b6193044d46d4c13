import type { IncomingMessage } from "node:http";
import type { Revision } from "../codec/packet.ts";
import type { EngineLimits, ResolvedEngineOptions } from "../engine-options.ts";
import { ErrorCode, type Refusal } from "./refusal.ts";
import type { RequestQuery } from "./request-query.ts";

/** What a request is, apart from its session. */
export interface RequestFacts {
  readonly request: IncomingMessage;
  readonly query: RequestQuery;
  /** Whether it asks for an upgrade. */
  readonly upgrade: boolean;
}

/** A session as a request sees it. */
export interface AddressedSession {
  readonly protocol: Revision;
  readonly transport: { readonly name: string };
}

/** Characters that cannot stand in a header, into which an origin may be copied. */
const notInHeaders = /[^\t\x20-\x7e\x80-\xff]/;

/** What is wrong with a request whatever it is for. */
export function checkTransport(
  { request, query, upgrade }: RequestFacts,
  options: ResolvedEngineOptions,
): Refusal | undefined {
  const { transport } = query;
  if (transport === undefined || !options.transports.has(transport)) {
    return { code: ErrorCode.UNKNOWN_TRANSPORT, context: { transport } };
  }
  const { origin } = request.headers;
  if (origin !== undefined && notInHeaders.test(origin)) return bad("INVALID_ORIGIN", { origin });
  if (upgrade && transport !== "websocket") return bad("TRANSPORT_HANDSHAKE_ERROR", { transport });
  return undefined;
}

/** What is wrong with a request for a session. */
export function checkForSession(
  { request, query, upgrade }: RequestFacts,
  session: AddressedSession,
): Refusal | undefined {
  const { EIO, transport } = query;
  const { protocol } = session;
  if (EIO !== String(protocol)) {
    return bad("PROTOCOL_MISMATCH", { protocol: EIO, previousProtocol: protocol });
  }
  if (upgrade) return undefined;
  const previousTransport = session.transport.name;
  // A WebSocket cannot do without an upgrade: a proxy may have removed it.
  if (previousTransport !== transport || transport === "websocket") {
    return bad("TRANSPORT_MISMATCH", { transport, previousTransport });
  }
  if (request.method !== "GET" && request.method !== "POST") {
    return bad("METHOD_UNKNOWN", { method: request.method });
  }
  return undefined;
}

/** The revision that a handshake asks for, or what is wrong with it. */
export function checkHandshake(
  { request, query, upgrade }: RequestFacts,
  { allowEIO3 }: ResolvedEngineOptions,
): Revision | Refusal {
  // Over HTTP/2, a WebSocket is asked for with CONNECT (RFC 8441 section 4).
  if (request.method !== (upgrade && request.httpVersionMajor === 2 ? "CONNECT" : "GET")) {
    return { code: ErrorCode.BAD_HANDSHAKE_METHOD, context: { method: request.method } };
  }
  const { EIO, transport } = query;
  if (!upgrade && transport === "websocket") return bad("TRANSPORT_HANDSHAKE_ERROR", { transport });
  if (EIO === "4") return 4;
  if (EIO === "3" && allowEIO3) return 3;
  const protocol = EIO === "3" ? 3 : EIO;
  return { code: ErrorCode.UNSUPPORTED_PROTOCOL_VERSION, context: { protocol } };
}

/** How many sessions there are, and how many of the address that asks for one more. */
export interface Occupancy {
  readonly connections: number;
  readonly connectionsOfAddress: number;
}

/** What is wrong with one more session. */
export function checkOccupancy(
  { connections, connectionsOfAddress }: Occupancy,
  { maxConnections, maxConnectionsPerAddress }: EngineLimits,
): Refusal | undefined {
  if (connections >= maxConnections) {
    const message = "There are as many connections as the server takes.";
    const context = { name: "TOO_MANY_CONNECTIONS", maxConnections };
    return { code: ErrorCode.BAD_REQUEST, status: 503, message, context };
  }
  if (connectionsOfAddress >= maxConnectionsPerAddress) {
    const message = "There are as many connections of this address as the server takes.";
    const context = { name: "TOO_MANY_CONNECTIONS_OF_ADDRESS", maxConnectionsPerAddress };
    return { code: ErrorCode.BAD_REQUEST, status: 503, message, context };
  }
  return undefined;
}

/** A bad request, with the name of what is wrong for `connection_error`. */
export function bad(name: string, context: Readonly<Record<string, unknown>> = {}): Refusal {
  return { code: ErrorCode.BAD_REQUEST, context: { name, ...context } };
}
