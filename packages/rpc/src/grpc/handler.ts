import type { DialectHandler, DialectOptions } from "../wire/dialect.ts";
import { createGrpcDialectHandler } from "../wire/grpc-handler.ts";
import { GrpcResponse } from "./response.ts";

/**
 * Makes the `grpc` dialect: native gRPC over HTTP/2, `application/grpc` with `+proto` or `+json`. Over HTTP/1, which
 * could not carry its trailers to most clients, it is refused with 505.
 */
export function createGrpcHandler(options: DialectOptions): DialectHandler {
  const prefix = "application/grpc";
  return createGrpcDialectHandler(
    {
      name: "grpc",
      contentTypes: [
        { prefix, createFormat: (response, contentType) => new GrpcResponse(response, contentType) },
      ],
      refuseVersion: ({ httpVersion, httpVersionMajor }) =>
        httpVersionMajor >= 2
          ? undefined
          : `gRPC needs HTTP/2, and this is HTTP/${httpVersion}; over HTTP/1.1 there are gRPC-Web and Connect`,
    },
    options,
  );
}
