/** The subprotocol of Kubernetes is this, and a token in base64url (RFC 4648, section 5) without padding. */
export const kubernetesPrefix = "base64url.bearer.authorization.k8s.io.";

/** What a client offers as subprotocols, with the bearer tokens taken out. */
export interface BearerProtocols {
  /** What may be answered, the one that the client likes best first; among them `Bearer`, never a token. */
  readonly protocols: readonly string[];
  /** The tokens, as they came; undefined for one that is malformed. */
  readonly tokens: readonly (string | undefined)[];
  /** Whether a token was a subprotocol of its own, which is never answered: there must be another beside it. */
  readonly hasHiddenToken: boolean;
}

/**
 * Reads a `Sec-WebSocket-Protocol` header with the tokens of pages, which cannot set other headers of a WebSocket:
 * - `Bearer, <token>` of grpc-websocket-proxy, of which `Bearer` is answered,
 * - `base64url.bearer.authorization.k8s.io.<token in base64url>` of Kubernetes, which is never answered.
 */
export function readBearerProtocols(header: string | undefined): BearerProtocols {
  const offered = header?.split(",").map((each) => each.trim()) ?? [];
  const protocols: string[] = [];
  const tokens: (string | undefined)[] = [];
  let hasHiddenToken = false;
  for (let at = 0; at < offered.length; at++) {
    const protocol = offered[at] as string;
    if (protocol === "Bearer") {
      protocols.push(protocol);
      const token = offered[++at];
      if (token !== undefined) tokens.push(token);
    } else if (protocol.startsWith(kubernetesPrefix)) {
      hasHiddenToken = true;
      tokens.push(decodeToken(protocol.slice(kubernetesPrefix.length)));
    } else {
      protocols.push(protocol);
    }
  }
  return { protocols, tokens, hasHiddenToken };
}

/** The token of base64url; undefined for what is none, or cannot stand in a header. */
function decodeToken(text: string): string | undefined {
  const bytes = Buffer.from(text, "base64url");
  const token = bytes.toString("latin1");
  // Node leaves out what is not base64url.
  return bytes.toString("base64url") === text && /^[\x21-\x7e]+$/.test(token) ? token : undefined;
}
