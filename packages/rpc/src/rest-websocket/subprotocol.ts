/**
 * The subprotocol with which a client asks for everything that a call has: headers, results, status and
 * trailers, each in a member of its own. Without it, messages are as grpc-websocket-proxy sends them.
 */
export const envelopeProtocol = "sluice.rest.v1";

/** What a client's `Sec-WebSocket-Protocol` says. */
export interface OfferedProtocols {
  /** The subprotocol to answer; undefined for none. */
  readonly selected: string | undefined;
  /** The value for `authorization` metadata, from the pair `Bearer, <token>` that browsers can send. */
  readonly authorization: string | undefined;
}

/**
 * Reads the offered subprotocols as grpc-websocket-proxy does: `new WebSocket(url, ["Bearer", token])` is how a
 * page sends a token, and is answered with `Bearer`.
 */
export function readOfferedProtocols(header: string | undefined): OfferedProtocols {
  if (header === undefined) return { selected: undefined, authorization: undefined };
  const offered = header.split(",").map((each) => each.trim());
  const bearer = offered.indexOf("Bearer");
  const token = bearer < 0 ? undefined : offered[bearer + 1];
  return {
    selected: offered.includes(envelopeProtocol) ? envelopeProtocol : bearer < 0 ? undefined : "Bearer",
    authorization: token === undefined ? undefined : `Bearer ${token}`,
  };
}

/** The value of one cookie of a `Cookie` header, or undefined. Source: RFC 6265, section 4.2. */
export function readCookie(header: string | undefined, name: string): string | undefined {
  for (const pair of header?.split(";") ?? []) {
    const equals = pair.indexOf("=");
    if (equals >= 0 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim();
  }
  return undefined;
}
