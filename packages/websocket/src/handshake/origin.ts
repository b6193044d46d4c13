import type { IncomingHttpHeaders } from "node:http";

/**
 * Which browsers' pages may connect. A browser always names its page's origin, other clients mostly do not; a
 * request without an `Origin` is never refused by a policy.
 * - `"same"`: pages of the host that the request went to
 * - `"any"`: every page; then cookies alone must not mean that the user wants this
 * - a list of origins such as `https://app.example.com` (scheme, host, and the port if it is not the scheme's own)
 * - a function that is given the origin as it was sent (`null` in a sandboxed page) and the request's headers
 */
export type OriginPolicy =
  | "same"
  | "any"
  | readonly string[]
  | ((origin: string, headers: IncomingHttpHeaders) => boolean);

/** Whether a policy lets a request in (RFC 6455 section 10.2). `host` is the request's host, with its port if any. */
export function allowsOrigin(
  policy: OriginPolicy,
  host: string | undefined,
  headers: IncomingHttpHeaders,
): boolean {
  const { origin } = headers;
  if (origin === undefined || policy === "any") return true;
  if (typeof policy === "function") return policy(origin, headers);
  if (policy !== "same") return policy.some((each) => each.toLowerCase() === origin.toLowerCase());
  if (host === undefined || !URL.canParse(origin)) return false;
  const page = new URL(origin);
  // A proxy in front may have ended TLS, so the page's scheme decides which port is meant by none.
  const asked = `${page.protocol}//${host}`;
  return page.host !== "" && URL.canParse(asked) && new URL(asked).host === page.host;
}
