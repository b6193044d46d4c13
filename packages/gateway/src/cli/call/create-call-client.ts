import { createHttp2Backend } from "@sluice/rpc";
import { BackendClient } from "./backend-client.ts";
import type { CallClient, CallClientOptions } from "./call-client.ts";
import { ConnectClient } from "./connect-client.ts";
import { GrpcWebBackend } from "./grpc-web-backend.ts";
import { MultiplexBackend } from "./multiplex-backend.ts";
import { RestClient } from "./rest-client.ts";
import { RestWebSocketClient } from "./rest-websocket-client.ts";

/** The dialects in which a call can be made from the terminal. */
export const dialects = ["grpc", "grpc-web", "connect", "rest", "rest-websocket", "multiplex"] as const;
export type Dialect = (typeof dialects)[number];

/** The client that speaks a dialect with a server. */
export function createCallClient(dialect: Dialect, options: CallClientOptions): CallClient {
  const { url, tls, schema } = options;
  switch (dialect) {
    case "grpc":
      return new BackendClient(createHttp2Backend(url.origin, tls === undefined ? {} : { tls }), schema);
    case "grpc-web":
      return new BackendClient(new GrpcWebBackend(options), schema);
    case "multiplex":
      return new BackendClient(new MultiplexBackend(options), schema);
    case "connect":
      return new ConnectClient(options);
    case "rest":
      return new RestClient(options);
    case "rest-websocket":
      return new RestWebSocketClient(options);
  }
}
