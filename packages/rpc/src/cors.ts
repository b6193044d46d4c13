import { Code } from "@sluice/protocol";
import { allowsOrigin, type OriginPolicy } from "@sluice/websocket";
import type { CallReport } from "./call/report.ts";
import { createStatus } from "./call/status.ts";
import type { HttpRequest, HttpResponse } from "./rest/http-message.ts";
import { reporter } from "./wire/dialect.ts";
import { refuseRequest } from "./wire/http-refusal.ts";

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

/** What a page may send anywhere without a permission, and what by its meaning changes nothing (RFC 9110, section 9.2.1). */
const safeMethods = new Set(["GET", "HEAD", "OPTIONS"]);

/** Which pages may make calls, and who is told of those that may not. */
export interface CorsOptions {
  /** Pages of the server's own origin may in any case. */
  readonly origin: OriginPolicy;
  /** Told of each request that was refused. */
  readonly report?: (report: CallReport) => void;
}

/**
 * Makes the part of a server that knows pages of other origins (CORS, https://fetch.spec.whatwg.org). The function
 * answers true when what it does is already all of the answer.
 *
 * It lets allowed pages read answers, and answers their preflights. Pages of every origin (`"any"`) are served without
 * cookies and other credentials, those of a list or of a function with them. What a page that is not allowed sends to
 * change something is refused with 403: a browser sends forms and plain text of any page without asking first, cookies
 * and all, and keeps but the answer from it. Requests without an `Origin` come from other clients and are let pass.
 */
export function createCors(options: CorsOptions): (request: HttpRequest, response: HttpResponse) => boolean {
  const policy = options.origin;
  return (request, response) => {
    const { origin } = request.headers;
    if (origin === undefined) return false;
    // A cache must not show one page what was meant for another.
    if (policy !== "any" && policy !== "same") response.appendHeader("vary", "origin");
    if (policy === "same" || !allowsOrigin(policy, undefined, request.headers)) {
      if (safeMethods.has(request.method ?? "") || isSameOrigin(request)) return false;
      refuseOrigin(options, origin, request, response);
      return true;
    }
    if (policy === "any") dropForeignCookies(request);
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

/**
 * Takes its cookies from a request that a page of another origin has made. Where every page may ask, they do not mean that
 * the user wants it, and a browser sends them with WebSockets and forms without asking first.
 */
export function dropForeignCookies(request: HttpRequest): void {
  const { headers, rawHeaders } = request;
  if (headers.origin === undefined || headers.cookie === undefined || isSameOrigin(request)) return;
  delete headers.cookie;
  for (let at = rawHeaders.length - 2; at >= 0; at -= 2) {
    if (rawHeaders[at]?.toLowerCase() === "cookie") rawHeaders.splice(at, 2);
  }
}

// A browser says it where a proxy in front has changed the host, and no page can (Fetch Metadata, section 2.2).
function isSameOrigin(request: HttpRequest): boolean {
  const { headers } = request;
  const host = headers[":authority"] ?? headers.host;
  return (
    headers["sec-fetch-site"] === "same-origin" ||
    allowsOrigin("same", typeof host === "string" ? host : undefined, headers)
  );
}

function refuseOrigin(
  { report }: CorsOptions,
  origin: string,
  request: HttpRequest,
  response: HttpResponse,
): void {
  const text = `pages of ${origin} may not make calls here; --allow-origin ${origin} permits them`;
  refuseRequest(request, response, 403, text);
  reporter(
    report === undefined ? {} : { report },
    "cors",
    request,
  )(createStatus(Code.PERMISSION_DENIED, text));
}

/** Lets a page of another origin read these headers too, where it may read any. */
export function exposeHeaders(response: HttpResponse, names: readonly string[]): void {
  const exposed = response.getHeader(exposeHeader);
  if (typeof exposed !== "string" || exposed === "*" || names.length === 0) return;
  response.setHeader(exposeHeader, [exposed, ...names].join(", "));
}
