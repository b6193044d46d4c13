export { Connection } from "./connection.ts";
export type { ConnectionState } from "./connection-state.ts";
export { type ConnectionOptions, defaultConnectionOptions } from "./options.ts";
export { type BackoffOptions, defaultBackoff } from "./backoff.ts";
export type { ClientClock } from "./clock.ts";
export type { WebSocketConstructor, WebSocketLike } from "./web-socket.ts";

export { createJsonClient } from "./json-client.ts";
export type { CallOptions, JsonClient, JsonStream } from "./json-client.ts";
export { CallError } from "./call-error.ts";
export type { ErrorDetail } from "./error-details.ts";

export { Code } from "@sluice/protocol";
export type { Call, CallListener, CallStart, Metadata, MultiplexLimits, Status } from "@sluice/protocol";
