export type { Closed, ConnectionState, WebSocketConnection, WebSocketHandlers } from "./connection.ts";
export { CloseCode, isWireCloseCode } from "./close-code.ts";
export { WebSocketError, type WebSocketErrorCode, type WebSocketErrorDetails } from "./error.ts";
export { defaultLimits, type Limits } from "./limits.ts";
export { type Clock, systemClock, type Timer } from "./clock.ts";

export { createWebSocketServer } from "./server/create-web-socket-server.ts";
export type { AttachableServer } from "./server/attach-server.ts";
export type { WebSocketServer } from "./server/web-socket-server.ts";
export type { CloseOptions, WebSocketServerOptions } from "./server/server-options.ts";
export type { Admission, PathRule, Verify, WebSocketEndpoint } from "./server/endpoint.ts";
export { addressBlock } from "./server/address-block.ts";
export type { RefusalCounts, RefusalReason, RefusedRequest } from "./server/refusals.ts";

export { acceptWebSocket, refuseWebSocket } from "./accept.ts";
export { acceptHttp2WebSocket, isHttp2WebSocket, refuseHttp2WebSocket } from "./accept-http2.ts";
export type { AcceptOptions, ProtocolChoice } from "./accept-options.ts";
export type { HandshakeRequest } from "./handshake/handshake-request.ts";
export { allowsOrigin, type OriginPolicy } from "./handshake/origin.ts";
export type { Refusal } from "./handshake/refusal.ts";

export { connectWebSocket, type ConnectOptions } from "./connect.ts";
export { connectHttp2WebSocket, type Http2ConnectOptions } from "./connect-http2.ts";
export {
  EventWebSocket,
  type EventWebSocketOptions,
  SocketCloseEvent,
  SocketErrorEvent,
  SocketMessageEvent,
} from "./event-websocket.ts";

export { defaultHeartbeat, Heartbeat } from "./heartbeat.ts";
export type { HeartbeatOptions, HeartbeatSurroundings } from "./heartbeat.ts";
export { type Message, MessageInbox } from "./message-inbox.ts";
export type { MessageStream } from "./message-stream.ts";
export type { MessageWriter } from "./message-writer.ts";
export { PreparedMessage } from "./prepared-message.ts";
export { WebSocketDuplex } from "./websocket-duplex.ts";

export { defaultCompression } from "./deflate/negotiation.ts";
export type { CompressionOptions } from "./deflate/options.ts";
export { ZlibPool } from "./deflate/zlib-pool.ts";
