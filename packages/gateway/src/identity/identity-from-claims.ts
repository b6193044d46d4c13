import type { JsonObject, JsonValue } from "@sluice/rpc";
import { IdentityError } from "./identity-error.ts";
import type { Identity } from "./identity.ts";

/** The last second that a Date can say. */
const lastSecond = 8_640_000_000_000;

/**
 * The identity that verified claims tell. `exp` is in seconds since 1970 (RFC 7519, section 4.1.4).
 * Throws an IdentityError `no_user` or `malformed`.
 */
export function identityFromClaims(
  claims: Readonly<Record<string, unknown>>,
  userClaim: string,
  clockToleranceMs: number,
): Identity {
  // What `JSON.parse` made is JSON.
  const json = claims as JsonObject;
  const user = userFrom(Object.hasOwn(json, userClaim) ? json[userClaim] : undefined, userClaim);
  const { exp } = json;
  if (exp === undefined) return { user, claims: json };
  // 1e999 is Infinity in JavaScript, and no token is valid for ever by a slip of the pen.
  if (typeof exp !== "number" || exp > lastSecond) {
    throw new IdentityError("malformed", "The claim exp of the token is not a time in seconds");
  }
  return { user, claims: json, expiresAt: exp * 1000 + clockToleranceMs };
}

function userFrom(value: JsonValue | undefined, claim: string): string {
  if (typeof value === "number" && Number.isSafeInteger(value)) return String(value);
  // With half a surrogate pair in it, two users would be one as soon as they are written as UTF-8.
  if (typeof value === "string" && value !== "" && !/\p{Surrogate}/u.test(value)) return value;
  const how = value === undefined ? "is missing" : "is neither a text nor a whole number";
  throw new IdentityError("no_user", `The claim ${claim} of the token, which says the user, ${how}`);
}
