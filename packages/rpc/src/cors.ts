import type { OriginPolicy } from "@sluice/websocket";
import type { HttpRequest, HttpResponse } from "./rest/http-message.ts";

/** What pages may send beside GET, HEAD and POST, which need no permission. */
const allowedMethods = "GET, HEAD, POST, PUT, PATCH, DELETE";

/** How long a browser may remember a permission, in seconds: the most that Chromium does. */
const maxAge = 7_200;

/** What clients of gRPC-Web and Connect read; the metadata of a call is added when it is there. */
const exposedHeaders = [
  "grpc-status",
  "grpc-message",
  "grpc-status-details-bin",
  "grpc-encoding",
  "grpc-accept-encoding",
  "connect-content-encoding",
  "connect-accept-encoding",
  "content-encoding",
];

const exposeHeader = "access-control-expose-headers";

/**
 * Makes the part of a server that lets pages of other origins read its answers (CORS, https://fetch.spec.whatwg.org).
 *
 * The function that it makes sets the headers of a response and answers true when that is already all of the answer: a
 * preflight. Pages of every origin (`"any"`) are served without cookies and other credentials, those of a list or of a
 * function with them. With `"same"` no page of another origin is given anything.
 */
export function createCors(policy: OriginPolicy): (request: HttpRequest, response: HttpResponse) => boolean {
  return (request, response) => {
    const { origin } = request.headers;
    if (origin === undefined || policy === "same") return false;
    // A cache must not show one page what was meant for another.
    if (policy !== "any") response.appendHeader("vary", "origin");
    if (!isAllowed(policy, origin, request)) return false;
    response.setHeader("access-control-allow-origin", policy === "any" ? "*" : origin);
    if (policy !== "any") response.setHeader("access-control-allow-credentials", "true");
    if (request.method !== "OPTIONS" || request.headers["access-control-request-method"] === undefined) {
      response.setHeader(exposeHeader, policy === "any" ? "*" : exposedHeaders.join(", "));
      return false;
    }
    const asked = request.headers["access-control-request-headers"];
    response.statusCode = 204;
    response.setHeader("access-control-allow-methods", allowedMethods);
    if (typeof asked === "string") response.setHeader("access-control-allow-headers", asked);
    response.setHeader("access-control-max-age", String(maxAge));
    response.end();
    return true;
  };
}

/** Lets a page of another origin read these headers too, where it may read any. */
export function exposeHeaders(response: HttpResponse, names: readonly string[]): void {
  const exposed = response.getHeader(exposeHeader);
  if (typeof exposed !== "string" || exposed === "*" || names.length === 0) return;
  response.setHeader(exposeHeader, [exposed, ...names].join(", "));
}

function isAllowed(policy: Exclude<OriginPolicy, "same">, origin: string, request: HttpRequest): boolean {
  if (policy === "any") return true;
  if (typeof policy === "function") return policy(origin, request.headers);
  return policy.some((each) => each.toLowerCase() === origin.toLowerCase());
}
