import { Code, httpStatusFromCode } from "@sluice/protocol";
import type { CallReport } from "../call/report.ts";
import { createStatus, type Status } from "../call/status.ts";
import { isAscii } from "../transcode/path-unescaping.ts";
import { RestRoutes, type RoutesSource } from "../transcode/rest-routes.ts";
import type { Transcoder } from "../transcode/transcoder.ts";
import { defaultBodyMs } from "../wire/body-deadline.ts";
import { discardRest } from "../wire/response-end.ts";
import { parseQuery, splitTarget, type HttpRequest, type HttpResponse } from "./http-message.ts";
import { metadataFromRequest, timeoutFromRequest } from "./rest-metadata.ts";
import { closeAfter, tooLarge } from "./request-reader.ts";
import { serveExchange } from "./rest-exchange.ts";
import { sendStatus } from "./rest-response.ts";

/** What the REST dialect needs. */
export interface RestHandlerOptions {
  readonly routes: RoutesSource;
  /** The largest body of a request, and the largest message of a stream of them, in bytes; default 4 MiB. */
  readonly maxMessageBytes?: number;
  /** Milliseconds for the body of a request to a method that takes one message; default 300 000. Over it: 408. */
  readonly bodyMs?: number;
  /** Milliseconds between two comments in a silent stream of Server-Sent Events; default 15 000. */
  readonly keepAliveMs?: number;
  /** Told of each request when it has ended. */
  readonly report?: (report: CallReport) => void;
  /** Serves what no method is bound to, such as files; calls `refuse` for what it does not know either. */
  readonly fallback?: (request: HttpRequest, response: HttpResponse, refuse: () => void) => void;
}

/** 4 MiB, as gRPC has it for a received message. */
export const defaultMaxMessageBytes: number = 4 * 1024 * 1024;

/**
 * Makes the REST dialect: a handler for the `request` event of an HTTP/1 or HTTP/2 server that answers calls
 * as `google.api.http` binds them; unary replies as JSON, streams as NDJSON, errors as `google.rpc.Status`.
 */
export function createRestHandler(
  options: RestHandlerOptions,
): (request: HttpRequest, response: HttpResponse) => void {
  const maxBytes = options.maxMessageBytes ?? defaultMaxMessageBytes;
  const bodyMs = options.bodyMs ?? defaultBodyMs;
  const keepAliveMs = options.keepAliveMs ?? 15_000;
  return (request, response) => {
    const routes = options.routes();
    const begun = performance.now();
    const target = splitTarget(request.url ?? "/");
    const { path } = target;
    const httpMethod = methodOf(request);
    let transcoder: Transcoder | undefined;
    const report = (status: Status): void =>
      options.report?.({
        dialect: "rest",
        method: transcoder?.binding.method,
        // What a header names is only repeated where it is a method that is bound.
        target: `${transcoder === undefined ? (request.method ?? "GET") : httpMethod} ${path}`,
        status,
        duration: performance.now() - begun,
      });
    const refuse = (httpStatus: number, status: Status): void => {
      sendStatus(response, httpStatus, status);
      discardRest(request);
      report(status);
    };
    const fallBack = (httpStatus: number, status: Status): void => {
      if (options.fallback === undefined) refuse(httpStatus, status);
      else options.fallback(request, response, () => refuse(httpStatus, status));
    };

    if (!(routes instanceof RestRoutes)) {
      fallBack(httpStatusFromCode(routes.code), routes);
      return;
    }
    const match = matchRequest(routes, httpMethod, path);
    if (match.kind !== "found") {
      const refusal = refusalOf(routes, match, httpMethod, path);
      if (match.kind === "wrong_method") response.setHeader("allow", match.allowed.join(", "));
      if (match.kind === "not_found") fallBack(refusal.httpStatus, refusal.status);
      else refuse(refusal.httpStatus, refusal.status);
      return;
    }
    transcoder = match.route.transcoder;

    const query = isAscii(target.query) ? parseQuery(target.query) : undefined;
    if (query === undefined) {
      refuse(400, malformedQuery);
      return;
    }
    const timeout = timeoutFromRequest(request);
    if ("code" in timeout) {
      refuse(400, timeout);
      return;
    }
    const coding = request.headers["content-encoding"];
    if (coding !== undefined && coding !== "identity" && !transcoder.takesHttpBody) {
      const what = `the body has the content-encoding ${JSON.stringify(coding)}; REST takes bodies as they are`;
      refuse(415, createStatus(Code.UNIMPLEMENTED, what));
      return;
    }
    const announced = Number(request.headers["content-length"] ?? 0);
    const streamed = isStreamed(transcoder);
    if (!streamed && announced > maxBytes) {
      closeAfter(request, response);
      refuse(413, tooLarge(maxBytes));
      return;
    }
    serveExchange({
      request,
      response,
      route: match.route,
      start: {
        url: { values: match.values, query },
        metadata: metadataFromRequest(request),
        ...timeout,
      },
      maxBytes,
      bodyMs,
      keepAliveMs,
      report,
    });
  };
}

// A POST may stand for another method where a proxy or a form lets nothing else through.
function methodOf(request: HttpRequest): string {
  const { method = "GET" } = request;
  const override = request.headers["x-http-method-override"];
  return method === "POST" && typeof override === "string" ? override.trim().toUpperCase() : method;
}

/** Finds the method of a request; HEAD is answered as GET where nothing else is bound to it. */
export function matchRequest(
  routes: RestRoutes,
  httpMethod: string,
  path: string,
): ReturnType<RestRoutes["match"]> {
  const match = routes.match(httpMethod, path);
  return httpMethod === "HEAD" && match.kind === "wrong_method" ? routes.match("GET", path) : match;
}

/** The answer to a query of which some would be lost. */
export const malformedQuery: Status = createStatus(
  Code.INVALID_ARGUMENT,
  "the query is not percent-encoded UTF-8",
);

/** The answer to a request that leads to no method. */
export function refusalOf(
  { missing }: RestRoutes,
  match: Exclude<ReturnType<RestRoutes["match"]>, { kind: "found" }>,
  httpMethod: string,
  path: string,
): { httpStatus: number; status: Status } {
  switch (match.kind) {
    case "not_found":
      if (missing !== undefined) return { httpStatus: httpStatusFromCode(missing.code), status: missing };
      return {
        httpStatus: 404,
        status: createStatus(Code.NOT_FOUND, `no method is bound to ${httpMethod} ${path}`),
      };
    case "wrong_method":
      return {
        httpStatus: 405,
        status: createStatus(
          Code.UNIMPLEMENTED,
          `${path} is bound to ${match.allowed.join(", ")}, not to ${httpMethod}`,
        ),
      };
    case "malformed":
      return {
        httpStatus: 400,
        status: createStatus(
          Code.INVALID_ARGUMENT,
          `'${match.segment}' in the path is not percent-encoded UTF-8`,
        ),
      };
  }
}

function isStreamed(transcoder: Transcoder): boolean {
  const { kind } = transcoder.binding.method;
  return kind === "client_streaming" || kind === "bidi_streaming";
}
