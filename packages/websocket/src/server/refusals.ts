import type { HandshakeRequest } from "../handshake/handshake-request.ts";

/**
 * Why a server refused an opening request, and the HTTP status that it answered:
 * - `unknown_path`: no endpoint takes the path (404)
 * - `invalid_handshake`: the request breaks RFC 6455 or RFC 8441 (400, or 426 for another version over HTTP/1.1)
 * - `foreign_origin`: a page that may not connect (403)
 * - `too_many_connections`: at `maxConnections` (503)
 * - `too_many_from_address`: at `maxConnectionsPerAddress` (429)
 * - `verify_refused`: the endpoint's `verify` refused (the status that it gave)
 * - `verify_timeout`: `verify` took longer than the endpoint's `limits.handshakeTimeoutMs` (503)
 * - `client_left`: the client went while `verify` was at work (no answer)
 * - `server_closing`: the server closes (503)
 * - `failed`: a function of the application threw (500); `cause` is what it threw
 */
export type RefusalReason =
  | "unknown_path"
  | "invalid_handshake"
  | "foreign_origin"
  | "too_many_connections"
  | "too_many_from_address"
  | "verify_refused"
  | "verify_timeout"
  | "client_left"
  | "server_closing"
  | "failed";

/** An opening request that was refused. */
export interface RefusedRequest {
  readonly reason: RefusalReason;
  /** The status of the answer; undefined for a client that had left. */
  readonly status: number | undefined;
  readonly request: HandshakeRequest;
  /** What was thrown, with `failed`. */
  readonly cause?: unknown;
}

/** How many requests a server refused, by reason. */
export type RefusalCounts = Record<RefusalReason, number>;

/** Counts from zero. */
export function noRefusals(): RefusalCounts {
  return {
    unknown_path: 0,
    invalid_handshake: 0,
    foreign_origin: 0,
    too_many_connections: 0,
    too_many_from_address: 0,
    verify_refused: 0,
    verify_timeout: 0,
    client_left: 0,
    server_closing: 0,
    failed: 0,
  };
}
