import type { Clock } from "../clock.ts";
import type { HandshakeRequest } from "../handshake/handshake-request.ts";
import type { RefusedRequest } from "./refusals.ts";

/** What holds for all endpoints of a server. */
export interface WebSocketServerOptions {
  /**
   * Connections of the server, those among them that `verify` decides about. Default 100,000: a bound, not
   * a promise. Over it: 503 with `Retry-After`.
   */
  readonly maxConnections?: number;
  /**
   * Connections of one client's address; IPv6 addresses count by their first 64 bits. Default Infinity, because
   * behind a proxy all clients have one address: set it together with `address` there. Over it: 429 with
   * `Retry-After`.
   */
  readonly maxConnectionsPerAddress?: number;
  /**
   * The address of the client behind a request, for `maxConnectionsPerAddress`; undefined for one that is not
   * limited. Default: the socket's. Behind a proxy, read the field that it sets, such as the last entry of
   * `X-Forwarded-For`; what a client itself may set is no limit.
   */
  readonly address?: (request: HandshakeRequest) => string | undefined;
  /** What `Retry-After` says to those who are refused for a limit, in seconds. Default 10. */
  readonly retryAfterSeconds?: number;
  /**
   * What is done with a request whose path no endpoint takes: `"refuse"` with 404, or `"leave"` it to the other
   * listeners of the HTTP server, of which one must answer then. Default `"refuse"`.
   */
  readonly unknownPath?: "refuse" | "leave";
  /** Where time comes from. Default: the system's clock. */
  readonly clock?: Clock;
  /** Is told of each request that was refused, after it was answered. Default: nobody. */
  readonly refused?: (refused: RefusedRequest) => void;
}

/** How a server is closed. */
export interface CloseOptions {
  /** The close code. Default 1001, going away. */
  readonly code?: number;
  /** The close reason, at most 123 bytes. Default `the server closes`. */
  readonly reason?: string;
  /** Milliseconds after which connections that are still there are terminated. Default 10,000. */
  readonly timeoutMs?: number;
}

/** The given options with the defaults for the rest. Throws a RangeError for a limit that is none. */
export function resolveServerOptions(
  options: WebSocketServerOptions,
): Required<Omit<WebSocketServerOptions, "clock" | "refused">> {
  const resolved = {
    maxConnections: options.maxConnections ?? 100_000,
    maxConnectionsPerAddress: options.maxConnectionsPerAddress ?? Infinity,
    address: options.address ?? ((request) => request.socket.remoteAddress),
    retryAfterSeconds: options.retryAfterSeconds ?? 10,
    unknownPath: options.unknownPath ?? "refuse",
  } satisfies WebSocketServerOptions;
  for (const name of ["maxConnections", "maxConnectionsPerAddress", "retryAfterSeconds"] as const) {
    if (resolved[name] > 0) continue;
    throw new RangeError(`${name} is ${String(resolved[name])}: it must be a number above 0`);
  }
  return resolved;
}
