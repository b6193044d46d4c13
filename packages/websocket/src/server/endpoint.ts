import type { OutgoingHttpHeaders } from "node:http";
import type { AcceptOptions } from "../accept-options.ts";
import type { WebSocketHandlers } from "../connection.ts";
import type { HandshakeRequest } from "../handshake/handshake-request.ts";
import type { Refusal } from "../handshake/refusal.ts";
import type { HeartbeatOptions } from "../heartbeat.ts";

/** Which requests an endpoint takes: an exact path, or what a function says of the path and the request. */
export type PathRule = string | ((path: string, request: HandshakeRequest) => boolean);

/** What `verify` adds to a connection that it lets in. */
export interface Admission {
  /** What `connection.data` is from the start. Default: the endpoint's `data`. */
  readonly data?: unknown;
  /** The subprotocol to agree to, one of those offered; empty for none. Default: the endpoint's `protocols` decide. */
  readonly protocol?: string;
  /** Further fields of the answer, beside the endpoint's. */
  readonly headers?: Readonly<OutgoingHttpHeaders>;
  /** Handlers of this connection alone, such as a `MessageInbox`. Default: the endpoint's. */
  readonly handlers?: WebSocketHandlers;
}

/**
 * Decides on a correct opening request before it is answered: lets it in with nothing or an `Admission`, or refuses
 * it with a `Refusal` (its own status, text and fields). The signal fires when the answer is no longer wanted,
 * because the client left, the time is over, or the server closes. One that throws answers 500, without the error's
 * text. It MUST NOT answer itself, nor read from the request's socket.
 */
export type Verify = (
  request: HandshakeRequest,
  signal: AbortSignal,
) => Admission | Refusal | undefined | Promise<Admission | Refusal | undefined>;

/** One kind of connections of a server: which requests it takes, and how. */
export interface WebSocketEndpoint extends Omit<AcceptOptions, "clock" | "refused"> {
  /**
   * Which requests it takes. A string is compared with the request's path as it was sent: without the query, with
   * every percent sign. Default: all. Of several endpoints, the first that takes a request has it.
   */
  readonly path?: PathRule;
  /** Decides on each request before the upgrade, within `limits.handshakeTimeoutMs`. Default: all are let in. */
  readonly verify?: Verify;
  /** Pings, and limits of idleness and age; true for `defaultHeartbeat`. Default true: a dead peer shows no other way. */
  readonly heartbeat?: boolean | Partial<HeartbeatOptions>;
}

/** The path of a request, as it was sent, without its query. */
export function pathOf(request: HandshakeRequest): string {
  const url = request.url ?? "/";
  // A proxy's request names the whole URL.
  const authority = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i.exec(url)?.[0] ?? "";
  const path = url.slice(authority.length).replace(/[?#].*$/s, "");
  return path === "" ? "/" : path;
}

/** Whether a rule takes a request. */
export function takesPath(rule: PathRule | undefined, path: string, request: HandshakeRequest): boolean {
  if (rule === undefined) return true;
  return typeof rule === "function" ? rule(path, request) : rule === path;
}
