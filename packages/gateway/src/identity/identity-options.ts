import type { Algorithm } from "./algorithms.ts";

/** How clients are identified: `identity` of the configuration file, with durations in milliseconds. */
export interface IdentityOptions {
  readonly jwt: JwtOptions;
  /**
   * Where a token may stand, the first place that has one counts. Default: `header` and `subprotocol`, which no log shows
   * and no foreign page can send.
   */
  readonly from?: readonly TokenPlace[];
  /** Whether a client without a token is refused. Default: true. False lets it in without an identity. */
  readonly required?: boolean;
}

/**
 * A place for a token, alone or with its name:
 * - `header`: `Authorization: Bearer <token>`. Any other header that is named may leave out `Bearer`.
 * - `subprotocol`: `Bearer, <token>`, or `base64url.bearer.authorization.k8s.io.<token in base64url>` beside another
 *   subprotocol; what pages send that open a WebSocket
 * - `cookie`: a cookie, by default `token`. Browsers send it with what foreign pages ask for too: check origins
 * - `query`: a parameter of the URL, by default `access_token`. URLs end up in the logs of proxies: short-lived tokens only
 * - `message`: the first message of the client, which is the token, or a JSON object with it as a member, by default `token`
 */
export type TokenPlace =
  | TokenPlaceKind
  | { readonly header: string }
  | { readonly cookie: string }
  | { readonly query: string }
  | { readonly message: string };

/** The kinds of places. */
export type TokenPlaceKind = "header" | "subprotocol" | "cookie" | "query" | "message";

/** Which JSON Web Tokens (RFC 7519) count. Exactly one of the members with keys is given. */
export interface JwtOptions {
  /** The secret of HS256, HS384 or HS512, taken as UTF-8; 32, 48 or 64 bytes at least. */
  readonly secret?: string;
  /** The file of the secret. Its bytes are the secret, but for the line end after one line of ASCII text. */
  readonly secretFile?: string;
  /** A public key: SPKI or a certificate as PEM, or a JWK or JWK Set (RFC 7517) as JSON. */
  readonly publicKey?: string;
  /** The file of such a key. */
  readonly publicKeyFile?: string;
  /** Where the JWK Set of the issuer is: an `https:` URL, alone or with options. */
  readonly jwks?: string | JwksOptions;
  /** The algorithms that are allowed. Default: all that the keys can be used with. */
  readonly algorithms?: readonly Algorithm[];
  /** What `iss` must be, or one of several. Default: anything. */
  readonly issuer?: string | readonly string[];
  /** What `aud` must be or have in it, or one of several. Default: anything. */
  readonly audience?: string | readonly string[];
  /** The claim that says the user: a text, or a whole number, which is written in decimal. Default: `sub`. */
  readonly userClaim?: string;
  /** How far the clocks of the issuer and of this machine may be apart, in milliseconds. Default: 5,000. */
  readonly clockToleranceMs?: number;
  /** Bytes that a token may have. Default: 16 KiB. */
  readonly maxTokenBytes?: number;
}

/** How a JWK Set is fetched. */
export interface JwksOptions {
  /** An `https:` URL, without user and password; `http:` where it leads to this machine. */
  readonly url: string;
  /** Allow `http:` to other machines: whoever is on the way decides then who anybody is. Default: false. */
  readonly insecure?: boolean;
  /** For how long a key set is used before it is fetched again, in milliseconds. Default: 600,000. */
  readonly refreshMs?: number;
  /**
   * Milliseconds between two fetches that tokens with unknown keys cause, and after a fetch that failed. Default: 10,000.
   */
  readonly cooldownMs?: number;
  /** Milliseconds that a fetch may take. Default: 5,000. */
  readonly timeoutMs?: number;
  /** Bytes that the document may have. Default: 256 KiB. */
  readonly maxBytes?: number;
}

/** The limits where the options leave them open, as described there. */
export const defaultJwtLimits: Required<Pick<JwtOptions, "clockToleranceMs" | "maxTokenBytes">> = {
  clockToleranceMs: 5_000,
  maxTokenBytes: 16 * 1024,
};
export const defaultJwksLimits: Required<Omit<JwksOptions, "url" | "insecure">> = {
  refreshMs: 600_000,
  cooldownMs: 10_000,
  timeoutMs: 5_000,
  maxBytes: 256 * 1024,
};
