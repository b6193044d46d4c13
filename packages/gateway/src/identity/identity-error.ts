/**
 * Why a client is not identified:
 * - `missing`: no token, where one is required
 * - `ambiguous`: several tokens in one place, or several headers of one name
 * - `subprotocol_missing`: a token is the only subprotocol that a client offers, so that none can be answered
 * - `malformed`: not a JSON Web Token in its compact form, or too large; a claim of the wrong type
 * - `extension_refused`: the header demands an extension (`crit`, RFC 7515 section 4.1.11); none is known
 * - `algorithm_refused`: signed with an algorithm that is not allowed, or not signed at all (`none`)
 * - `unknown_key`: no key of this gateway fits the algorithm and the `kid` of the header
 * - `bad_signature`: the key fits, the signature does not
 * - `expired`: `exp` has passed
 * - `not_yet_valid`: `nbf` is to come
 * - `wrong_issuer`: no `iss`, or another one
 * - `wrong_audience`: no `aud`, or others
 * - `no_user`: the claim that says the user is not there, empty, or neither a text nor a whole number
 * - `keys_unavailable`: the key set cannot be fetched; trying again later may help
 * - `options_invalid`: what the gateway was configured with is wrong; `option` says where. No client sees it
 */
export type IdentityErrorCode =
  | "missing"
  | "ambiguous"
  | "subprotocol_missing"
  | "malformed"
  | "extension_refused"
  | "algorithm_refused"
  | "unknown_key"
  | "bad_signature"
  | "expired"
  | "not_yet_valid"
  | "wrong_issuer"
  | "wrong_audience"
  | "no_user"
  | "keys_unavailable"
  | "options_invalid";

/** What else an error knows. */
export interface IdentityErrorDetails {
  readonly cause?: unknown;
  /** The path of the option that is wrong, such as `jwt.secret`, with `options_invalid`. */
  readonly option?: string;
}

/**
 * The one error of identity. `message` is a sentence for the log; neither it nor a cause has a token or a secret in it, so
 * that it can be logged whole. A peer is told `publicMessage` only.
 */
export class IdentityError extends Error {
  readonly code: IdentityErrorCode;
  readonly option: string | undefined;

  constructor(code: IdentityErrorCode, message: string, details: IdentityErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "IdentityError";
    this.code = code;
    this.option = details.option;
  }

  /** What a peer is told: what it can do about it, and nothing of keys, issuers or claims. */
  get publicMessage(): string {
    return publicMessageOf(this.code);
  }
}

function publicMessageOf(code: IdentityErrorCode): string {
  switch (code) {
    case "missing":
      return "a token is required";
    case "ambiguous":
      return "send one token";
    case "subprotocol_missing":
      return "offer another subprotocol beside the token";
    case "expired":
      return "the token has expired";
    case "not_yet_valid":
      return "the token is not valid yet";
    case "keys_unavailable":
    case "options_invalid":
      return "tokens cannot be checked now; try again later";
    case "malformed":
    case "extension_refused":
    case "algorithm_refused":
    case "unknown_key":
    case "bad_signature":
    case "wrong_issuer":
    case "wrong_audience":
    case "no_user":
      return "the token is not valid";
  }
}
