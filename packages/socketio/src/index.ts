export { SocketIoError, type SocketIoErrorCode } from "./error.ts";

export { EngineServer } from "./engine/engine-server.ts";
export { EngineMessage } from "./engine/engine-message.ts";
export type { ConnectionError, EngineEvents } from "./engine/engine-events.ts";
export {
  type AllowRequest,
  defaultEngineLimits,
  type EngineLimits,
  type EngineOptions,
  type HttpCompression,
  type ResolvedEngineOptions,
  type TransportName,
} from "./engine/engine-options.ts";
export type { AttachableServer, AttachOptions } from "./engine/attach.ts";
export type { CloseReason } from "./engine/close-reason.ts";
export type { MessageData, PacketName, Revision } from "./engine/codec/packet.ts";
export type { Handshake as EngineHandshake } from "./engine/handshake.ts";
export type {
  EngineSession,
  PacketEvent,
  ReadyState,
  SessionEvents,
  SessionHandlers,
} from "./engine/session.ts";
export { ErrorCode } from "./engine/http/refusal.ts";
export type { CookieOptions } from "./engine/http/cookie.ts";
export type { AllowedOrigin, CorsOptions, CorsOptionsDelegate, DecideOrigin } from "./engine/http/cors.ts";
export type { Middleware } from "./engine/http/middleware.ts";
export type { RequestQuery } from "./engine/http/request-query.ts";
export type { PerMessageDeflateOptions } from "./engine/websocket/per-message-deflate.ts";

export { Decoder, type DecoderOptions, defaultMaxAttachments } from "./parser/decoder.ts";
export { type EncodedPacket, Encoder } from "./parser/encoder.ts";
export { type Packet, PacketType, reservedEvents } from "./parser/packet.ts";

export { Server } from "./server/server.ts";
export {
  type AdapterConstructor,
  defaultServerLimits,
  type RecoveryOptions,
  type ResolvedServerOptions,
  type ServerLimits,
  type ServerOptions,
} from "./server/server-options.ts";
export type { DroppedCounts, EndedCounts, RefusedCounts, ServerCounts } from "./server/server-counts.ts";
export {
  type ExtendedError,
  Namespace,
  type NamespaceMiddleware,
  type NamespaceReservedEventsMap,
  type ServerReservedEventsMap,
} from "./server/namespace.ts";
export type { ParentNspNameMatchFn } from "./server/namespaces.ts";
export { Socket } from "./server/socket.ts";
export type { Event, EventMiddleware } from "./server/incoming-events.ts";
export type { PendingAcks } from "./server/pending-acks.ts";
export type { SocketOwnEventsMap, SocketReservedEventsMap } from "./server/socket-events.ts";
export type { Handshake } from "./server/handshake.ts";
export type { DisconnectReason } from "./server/disconnect-reason.ts";
export type { CustomParser, PacketDecoder, PacketEncoder } from "./server/custom-parser.ts";
export type { DefaultEventsMap } from "./server/typed-events.ts";

export { Adapter, type BroadcastPacket } from "./adapter/adapter.ts";
export { SessionAwareAdapter } from "./adapter/session-aware-adapter.ts";
export type { BroadcastFlags, BroadcastOptions, Room, SocketId } from "./adapter/broadcast-options.ts";
export type { PrivateSessionId, Session, SessionToPersist } from "./adapter/session.ts";
export { BroadcastOperator } from "./server/broadcast-operator.ts";
export { RemoteSocket, type SocketDetails } from "./server/remote-socket.ts";

export type { IdentifySocket, SocketHubOptions } from "./hub/hub-options.ts";
export type { WebSocketRequest } from "./engine/http/upgrade.ts";
