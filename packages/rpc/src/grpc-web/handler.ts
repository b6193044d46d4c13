import type { DialectHandler, DialectOptions } from "../wire/dialect.ts";
import { createGrpcDialectHandler } from "../wire/grpc-handler.ts";
import { base64Text, createBase64Decoder } from "./base64-decoder.ts";
import { GrpcWebResponse } from "./response.ts";

/**
 * Makes the `grpc-web` dialect, over any version of HTTP: `application/grpc-web` and, as base64,
 * `application/grpc-web-text`, each with `+proto` or `+json`.
 */
export function createGrpcWebHandler(options: DialectOptions): DialectHandler {
  return createGrpcDialectHandler(
    {
      name: "grpc-web",
      contentTypes: [
        {
          prefix: "application/grpc-web-text",
          createFormat: (response, contentType) => new GrpcWebResponse(response, contentType, base64Text),
          createDecoder: createBase64Decoder,
        },
        {
          prefix: "application/grpc-web",
          createFormat: (response, contentType) => new GrpcWebResponse(response, contentType),
        },
      ],
    },
    options,
  );
}
