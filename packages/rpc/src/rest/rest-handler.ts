import { Code, httpStatusFromCode } from "@sluice/protocol";
import type { Backend } from "../call/call.ts";
import type { CallReport } from "../call/report.ts";
import { createStatus, type Status } from "../call/status.ts";
import { parseTimeout } from "../call/timeout.ts";
import { JsonCall, statusFromError } from "../transcode/json-call.ts";
import { JsonSplitter } from "../transcode/json-splitter.ts";
import { RestRoutes, type RoutesSource } from "../transcode/rest-routes.ts";
import type { Transcoder } from "../transcode/transcoder.ts";
import { splitTarget, type HttpRequest, type HttpResponse } from "./http-message.ts";
import { metadataFromRequest } from "./rest-metadata.ts";
import { sendStatus, StreamResponse, UnaryResponse } from "./rest-response.ts";

/** What the REST dialect needs. */
export interface RestHandlerOptions {
  readonly routes: RoutesSource;
  /** The largest body of a request, and the largest message of a stream of them, in bytes; default 4 MiB. */
  readonly maxMessageBytes?: number;
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
  return (request, response) => {
    const routes = options.routes();
    const begun = performance.now();
    const { path, query } = splitTarget(request.url ?? "/");
    const httpMethod = request.method ?? "GET";
    let transcoder: Transcoder | undefined;
    const report = (status: Status): void =>
      options.report?.({
        dialect: "rest",
        method: transcoder?.binding.method,
        target: `${httpMethod} ${path}`,
        status,
        duration: performance.now() - begun,
      });
    const refuse = (httpStatus: number, status: Status): void => {
      sendStatus(response, httpStatus, status);
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
      const refusal = refusalOf(match, httpMethod, path);
      if (match.kind === "wrong_method") response.setHeader("allow", match.allowed.join(", "));
      if (match.kind === "not_found") fallBack(refusal.httpStatus, refusal.status);
      else refuse(refusal.httpStatus, refusal.status);
      return;
    }
    transcoder = match.route;

    const timeoutText = request.headers["grpc-timeout"];
    const timeout = typeof timeoutText === "string" ? parseTimeout(timeoutText) : undefined;
    if (timeoutText !== undefined && timeout === undefined) {
      refuse(
        400,
        createStatus(Code.INVALID_ARGUMENT, "Grpc-Timeout is not a number and a unit, as in 500m or 10S"),
      );
      return;
    }
    const announced = Number(request.headers["content-length"] ?? 0);
    const streamed = isStreamed(transcoder);
    if (!streamed && announced > maxBytes) {
      closeAfter(request, response);
      refuse(413, tooLarge(maxBytes));
      return;
    }
    serve(
      request,
      response,
      { transcoder, routes, maxBytes, streamed, report },
      {
        url: { values: match.values, query },
        metadata: metadataFromRequest(request),
        ...(timeout === undefined ? {} : { timeout }),
      },
    );
  };
}

interface Served {
  readonly transcoder: Transcoder;
  readonly routes: RestRoutes;
  readonly maxBytes: number;
  readonly streamed: boolean;
  readonly report: (status: Status) => void;
}

type Start = Pick<ConstructorParameters<typeof JsonCall>[0], "url" | "metadata" | "timeout">;

function serve(request: HttpRequest, response: HttpResponse, served: Served, start: Start): void {
  const { transcoder, routes, maxBytes, report } = served;
  const backend: Backend = routes.backend;
  const { kind } = transcoder.binding.method;
  const answerOptions = {
    response,
    wantsTrailers: /\btrailers\b/i.test(String(request.headers.te ?? "")),
    any: routes.any,
    pause: () => call.pause(),
  };
  const answer =
    kind === "unary" || kind === "client_streaming"
      ? new UnaryResponse(answerOptions)
      : new StreamResponse(answerOptions);
  let ended = false;
  const call: JsonCall = new JsonCall(
    { transcoder, backend, ...start },
    {
      headers: (metadata) => answer.headers(metadata),
      message: (json) => answer.message(json),
      drain: () => request.resume(),
      end: (status, trailers) => {
        ended = true;
        if (!response.destroyed && !response.writableEnded) answer.end(status, trailers);
        report(status);
        // What the client still sends has no reader.
        request.resume();
      },
    },
  );
  response.on("drain", () => call.resume());
  response.on("close", () => {
    if (!ended) call.cancel(createStatus(Code.CANCELLED, "the client closed the connection"));
  });

  if (served.streamed) readStream(request, call, maxBytes);
  else if (transcoder.binding.body === "none") call.halfClose();
  else readWhole(request, response, call, served);
}

function readWhole(request: HttpRequest, response: HttpResponse, call: JsonCall, served: Served): void {
  const { maxBytes } = served;
  const chunks: Buffer[] = [];
  let size = 0;
  request.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size <= maxBytes) {
      chunks.push(chunk);
      return;
    }
    chunks.length = 0;
    if (!response.headersSent) {
      closeAfter(request, response);
      sendStatus(response, 413, tooLarge(maxBytes));
    }
    call.cancel(tooLarge(maxBytes));
  });
  request.on("end", () => {
    if (size > maxBytes) return;
    const [only] = chunks;
    const body = chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks);
    call.write(body.length === 0 ? undefined : body.toString("utf8"));
  });
}

// The messages of a client's stream leave as they come, so a client that can do both at once has a dialogue.
function readStream(request: HttpRequest, call: JsonCall, maxBytes: number): void {
  const splitter = new JsonSplitter(maxBytes, (text) => {
    if (!call.write(text)) request.pause();
  });
  const guard = (step: () => void): void => {
    try {
      step();
    } catch (error) {
      call.cancel(statusFromError(error, Code.INVALID_ARGUMENT));
    }
  };
  request.on("data", (chunk: Buffer) => guard(() => splitter.push(chunk)));
  request.on("end", () =>
    guard(() => {
      splitter.end();
      call.halfClose();
    }),
  );
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

/** The answer to a request that leads to no method. */
export function refusalOf(
  match: Exclude<ReturnType<RestRoutes["match"]>, { kind: "found" }>,
  httpMethod: string,
  path: string,
): { httpStatus: number; status: Status } {
  switch (match.kind) {
    case "not_found":
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

// The rest of a body that nobody reads would stand before the next request; HTTP/2 has a stream for each.
function closeAfter(request: HttpRequest, response: HttpResponse): void {
  if (request.httpVersionMajor === 1) response.setHeader("connection", "close");
}

function tooLarge(maxBytes: number): Status {
  return createStatus(Code.RESOURCE_EXHAUSTED, `the body is larger than the limit of ${maxBytes} bytes`);
}
