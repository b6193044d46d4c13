export { type AcceptOptions, acceptWebSocket, type ProtocolChoice } from "./accept.ts";
export { type Clock, systemClock, type Timer } from "./clock.ts";
export { CloseCode, isWireCloseCode } from "./close-code.ts";
export { connectWebSocket, type ConnectOptions } from "./connect.ts";
export type { Closed, ConnectionState, WebSocketConnection, WebSocketHandlers } from "./connection.ts";
export { WebSocketError, type WebSocketErrorCode, type WebSocketErrorDetails } from "./error.ts";
export type { OriginPolicy } from "./handshake/origin.ts";
export { type Refusal, refuse } from "./handshake/refusal.ts";
export { defaultLimits, type Limits } from "./limits.ts";
