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
export type { Handshake } from "./engine/handshake.ts";
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
