import { readBearerProtocols, readCookie } from "@sluice/rpc";
import { IdentityError } from "./identity-error.ts";
import type { TokenPlaceKind } from "./identity-options.ts";
import type { NamedPlace } from "./token-place.ts";

/** What is read of a request; those of Node's HTTP/1 and HTTP/2 servers are such. */
export interface TokenRequest {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Names and values in turn, as they came; of several headers of one name, `headers` may have the first only. */
  readonly rawHeaders?: readonly string[];
  readonly url?: string | undefined;
}

/** What a request says of tokens. */
export interface TokenSearch {
  /** The token, and where it stood; undefined where no place has one. */
  readonly found: { readonly token: string; readonly place: TokenPlaceKind } | undefined;
  /**
   * The subprotocols that may be answered, the one that the client likes best first. No token is among them; `Bearer` is,
   * where one stood after it, and should be answered where the face knows no other.
   */
  readonly protocols: readonly string[];
}

/**
 * Looks for a token in the places, in their order; the first that has one counts, also where that one is malformed.
 * The place `message` is passed over. Throws an IdentityError `ambiguous`, `malformed` or `subprotocol_missing`.
 */
export function findToken(request: TokenRequest, places: readonly NamedPlace[]): TokenSearch {
  const offer = readBearerProtocols(textOf(request.headers["sec-websocket-protocol"]));
  const { protocols } = offer;
  if (offer.hasHiddenToken && protocols.length === 0) {
    throw new IdentityError(
      "subprotocol_missing",
      "A token is the only subprotocol that is offered, and cannot be answered; another is needed beside it",
    );
  }
  for (const { kind, name } of places) {
    const token = kind === "subprotocol" ? onlyOf(offer.tokens) : tokenIn(request, kind, name);
    if (token !== undefined) return { found: { token, place: kind }, protocols };
  }
  return { found: undefined, protocols };
}

function tokenIn(
  request: TokenRequest,
  kind: Exclude<TokenPlaceKind, "subprotocol">,
  name: string,
): string | undefined {
  switch (kind) {
    case "header":
      return tokenOfHeader(request, name);
    case "cookie":
      return readCookie(textOf(request.headers["cookie"]), name);
    case "query": {
      const { url = "" } = request;
      const question = url.indexOf("?");
      const values = question < 0 ? [] : new URLSearchParams(url.slice(question + 1)).getAll(name);
      if (values.length > 1) throw new IdentityError("ambiguous", `The query has ${name} more than once`);
      return values[0] === "" ? undefined : values[0];
    }
    case "message":
      return undefined;
  }
}

/** Source: RFC 6750, section 2.1; the scheme in any case, RFC 9110, section 11.1. */
function tokenOfHeader({ headers, rawHeaders = [] }: TokenRequest, name: string): string | undefined {
  const times = rawHeaders.filter((each, at) => at % 2 === 0 && each.toLowerCase() === name).length;
  // A proxy before the gateway may have looked at the other one.
  if (times > 1) throw new IdentityError("ambiguous", `The request has ${times} headers ${name}`);
  const value = textOf(headers[name])?.trim() ?? "";
  const bearer = /^bearer(?:\s+(.*))?$/is.exec(value);
  if (bearer !== null) return bearer[1] ?? "";
  return name === "authorization" || value === "" ? undefined : value;
}

function onlyOf(tokens: readonly (string | undefined)[]): string | undefined {
  if (tokens.length > 1) throw new IdentityError("ambiguous", "The subprotocols have more than one token");
  if (tokens.length === 1 && tokens[0] === undefined) {
    throw new IdentityError("malformed", "The token in the subprotocols is not base64url without padding");
  }
  return tokens[0];
}

function textOf(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === "object" ? value.join(", ") : value;
}
