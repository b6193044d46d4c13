import { Code } from "@sluice/protocol";
import { createStatus, type Status } from "../call/status.ts";
import { JsonCall, type JsonCallStart } from "../transcode/json-call.ts";
import type { RestRoute } from "../transcode/rest-routes.ts";
import { discardRest } from "../wire/response-end.ts";
import { preferredType } from "./accept.ts";
import type { HttpRequest, HttpResponse } from "./http-message.ts";
import {
  delimitedProtobufFormat,
  eventStreamFormat,
  httpBodyFormat,
  jsonArrayFormat,
  jsonFormat,
  ndjsonFormat,
  type ReplyFormat,
} from "./reply-format.ts";
import { readRequest } from "./request-reader.ts";
import { StreamResponse, UnaryResponse } from "./rest-response.ts";

/** One request that leads to a method. */
export interface RestExchange {
  readonly request: HttpRequest;
  readonly response: HttpResponse;
  readonly route: RestRoute;
  readonly start: Pick<JsonCallStart<unknown>, "url" | "metadata" | "timeout">;
  /** The largest body, and the largest message of a stream, in bytes. */
  readonly maxBytes: number;
  /** Milliseconds for the body of a request to a method that takes one message. */
  readonly bodyMs: number;
  /** Milliseconds between two signs of life of a silent event stream. */
  readonly keepAliveMs: number;
  readonly report: (status: Status) => void;
}

/** Makes the call of a request and answers with what comes of it. */
export function serveExchange(exchange: RestExchange): void {
  const { route, request } = exchange;
  const { transcoder } = route;
  const { kind } = transcoder.binding.method;
  const isStream = kind === "server_streaming" || kind === "bidi_streaming";
  if (transcoder.givesHttpBody) serveAs(exchange, isStream, httpBodyFormat(transcoder));
  else if (!isStream) serveAs(exchange, isStream, jsonFormat(transcoder));
  else serveStream(exchange, request.headers.accept);
}

const streamTypes = [
  "application/x-ndjson",
  "text/event-stream",
  "application/json",
  "application/x-protobuf",
] as const;

function serveStream(exchange: RestExchange, accept: string | undefined): void {
  const { transcoder } = exchange.route;
  switch (preferredType(accept, streamTypes)) {
    case "text/event-stream":
      return serveAs(exchange, true, eventStreamFormat(transcoder));
    case "application/json":
      return serveAs(exchange, true, jsonArrayFormat(transcoder));
    case "application/x-protobuf":
      return serveAs(exchange, true, delimitedProtobufFormat);
    case "application/x-ndjson":
    case undefined:
      return serveAs(exchange, true, ndjsonFormat(transcoder));
  }
}

function serveAs<Reply>(exchange: RestExchange, isStream: boolean, format: ReplyFormat<Reply>): void {
  const { request, response, route, start, keepAliveMs, report } = exchange;
  const { transcoder, backend, any } = route;
  const options = {
    response,
    format,
    wantsTrailers: /\btrailers\b/i.test(String(request.headers.te ?? "")),
    any,
    pause: () => call.pause(),
    keepAliveMs,
  };
  const answer = isStream ? new StreamResponse(options) : new UnaryResponse(options);
  let ended = false;
  const call: JsonCall<Reply> = new JsonCall(
    { transcoder, backend, read: (bytes) => format.read(bytes), ...start },
    {
      headers: (metadata) => answer.headers(metadata),
      message: (reply) => answer.message(reply),
      drain: () => readOn(),
      end: (status, trailers) => {
        ended = true;
        if (!response.destroyed && !response.writableEnded) answer.end(status, trailers);
        report(status);
        request.resume();
        discardRest(request);
      },
    },
  );
  response.on("drain", () => call.resume());
  response.on("close", () => {
    if (!ended) call.cancel(createStatus(Code.CANCELLED, "the client closed the connection"));
  });
  const readOn = readRequest(exchange, call);
}
