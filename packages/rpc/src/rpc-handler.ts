import type { CallReport } from "./call/report.ts";
import { createConnectHandler } from "./connect/handler.ts";
import { createGrpcWebHandler } from "./grpc-web/handler.ts";
import { createGrpcHandler } from "./grpc/handler.ts";
import type { HttpRequest, HttpResponse } from "./rest/http-message.ts";
import { defaultMaxMessageBytes } from "./rest/rest-handler.ts";
import type { DirectorySource } from "./wire/directory.ts";

/** What the RPC dialects need. */
export interface RpcHandlerOptions {
  readonly methods: DirectorySource;
  /**
   * The largest message of a request in bytes, inflated where the gateway does that; a larger one ends its call with
   * RESOURCE_EXHAUSTED. Default: 4 MiB.
   */
  readonly maxMessageBytes?: number;
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
  const dialectOptions = { ...options, maxMessageBytes: options.maxMessageBytes ?? defaultMaxMessageBytes };
  const grpc = createGrpcHandler(dialectOptions);
  const grpcWeb = createGrpcWebHandler(dialectOptions);
  const connect = createConnectHandler(dialectOptions);
  return (request, response) =>
    grpc(request, response) || grpcWeb(request, response) || connect(request, response);
}
