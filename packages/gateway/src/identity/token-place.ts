import type { TokenPlace, TokenPlaceKind } from "./identity-options.ts";

/** A place for a token, with its name; the name of `subprotocol` says nothing. */
export interface NamedPlace {
  readonly kind: TokenPlaceKind;
  /** Of a header in lower case. */
  readonly name: string;
}

/** The names of the places that are given without one. */
const defaultNames: Readonly<Record<TokenPlaceKind, string>> = {
  header: "authorization",
  subprotocol: "sec-websocket-protocol",
  cookie: "token",
  query: "access_token",
  message: "token",
};

const defaultPlaces: readonly TokenPlace[] = ["header", "subprotocol"];

/** The places, each with its name, in the order in which they are looked at. */
export function placesFrom(from: readonly TokenPlace[] = defaultPlaces): readonly NamedPlace[] {
  return from.map((place) => {
    if (typeof place === "string") return { kind: place, name: defaultNames[place] };
    if ("header" in place) return { kind: "header", name: place.header.toLowerCase() };
    if ("cookie" in place) return { kind: "cookie", name: place.cookie };
    if ("query" in place) return { kind: "query", name: place.query };
    return { kind: "message", name: place.message };
  });
}
