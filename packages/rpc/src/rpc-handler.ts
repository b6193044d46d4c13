import { Code } from "@sluice/protocol";
import type { CallReport } from "./call/report.ts";
import { createStatus } from "./call/status.ts";
import { createConnectHandler } from "./connect/handler.ts";
import { createGrpcWebHandler } from "./grpc-web/handler.ts";
import { createGrpcHandler } from "./grpc/handler.ts";
import type { HttpRequest, HttpResponse } from "./rest/http-message.ts";
import { defaultMaxMessageBytes } from "./rest/rest-handler.ts";
import { defaultBodyMs } from "./wire/body-deadline.ts";
import { mediaType } from "./wire/content-type.ts";
import { pathOf, reporter, type DialectOptions } from "./wire/dialect.ts";
import type { DirectorySource } from "./wire/directory.ts";
import { refuseRequest } from "./wire/http-refusal.ts";

/** What the RPC dialects need. */
export interface RpcHandlerOptions {
  readonly methods: DirectorySource;
  /**
   * The largest message of a request in bytes, inflated where the gateway does that; a larger one ends its call with
   * RESOURCE_EXHAUSTED. Default: 4 MiB.
   */
  readonly maxMessageBytes?: number;
  /**
   * Milliseconds for the body of a request to a method that takes one message; a slower one ends its call with
   * DEADLINE_EXCEEDED. Default: 300,000.
   */
  readonly bodyMs?: number;
  /** Told of each request when it has ended. */
  readonly report?: (report: CallReport) => void;
}

/**
 * Makes the dialects `grpc`, `grpc-web` and `connect`: a handler for the `request` event of an HTTP/1 or HTTP/2 server.
 * It answers false, and does nothing, for what is a request of none of them.
 */
export function createRpcHandler(
  options: RpcHandlerOptions,
): (request: HttpRequest, response: HttpResponse) => boolean {
  const dialectOptions: DialectOptions = {
    ...options,
    maxMessageBytes: options.maxMessageBytes ?? defaultMaxMessageBytes,
    bodyMs: options.bodyMs ?? defaultBodyMs,
  };
  const grpc = createGrpcHandler(dialectOptions);
  const grpcWeb = createGrpcWebHandler(dialectOptions);
  const connect = createConnectHandler(dialectOptions);
  return (request, response) =>
    grpc(request, response) ||
    grpcWeb(request, response) ||
    connect(request, response) ||
    refuseForeign(request, response, dialectOptions);
}

/** What REST reads as JSON, whatever it is called: curl says that all it sends is a form. */
const jsonTypes =
  /^(?:|application\/(?:(?:.+\+)?json|(?:x-)?(?:ndjson|jsonl|jsonlines)|x-www-form-urlencoded)|text\/(?:json|plain))$/;

/** Refuses a body for a method that no dialect can read, so that it is not taken for broken JSON. */
function refuseForeign(request: HttpRequest, response: HttpResponse, options: DialectOptions): boolean {
  if (request.method !== "POST") return false;
  const type = mediaType(request.headers["content-type"]);
  if (jsonTypes.test(type)) return false;
  const entry = options.methods().find(pathOf(request));
  // A message of the latter type takes any content type.
  if ("code" in entry || entry.method.input.typeName === "google.api.HttpBody") return false;
  const text = `the content-type ${type} is none of application/json, application/proto, application/grpc, application/grpc-web and application/connect+proto`;
  refuseRequest(request, response, 415, text);
  reporter(options, "rpc", request)(createStatus(Code.UNKNOWN, text), entry.method);
  return true;
}
