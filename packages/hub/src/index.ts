export { type BroadcastOptions, Hub, type Sendable } from "./hub.ts";
export type { Admission, Admit, Authorize, ClientAction, HubOptions } from "./hub-options.ts";
export type { Disconnection, Handled, Resumption, RoomChange } from "./handlers.ts";
export type { HubCounts } from "./counts.ts";
export { HubError, type HubErrorCode } from "./hub-error.ts";
export { CloseCode } from "./close-code.ts";
export { type Clock, systemClock, type Timer } from "./clock.ts";
export { DeadlineQueue } from "./deadline-queue.ts";
export { Expiry } from "./faces/expiry.ts";
export { RateLimit } from "./rate-limit.ts";
export { defaultHubLimits, type HubLimits } from "./limits.ts";
export {
  type HistoryBounds,
  type RoomOptions,
  roomsByPattern,
  type RoomRule,
  type SlowPolicy,
} from "./room-options.ts";

export type {
  HistoryOptions,
  JoinOptions,
  JoinResult,
  PublishOptions,
  Session,
  SessionPhase,
  SessionState,
} from "./session.ts";
export type { Identity } from "./identity.ts";
export type { Member, Presence } from "./presence.ts";
export type { Drop, DropReason } from "./drop.ts";

export { Delivery } from "./delivery.ts";
export { Message, type MessageInit } from "./message.ts";
export { type Position, Publication, type PublicationInit } from "./publication.ts";

export type { Answer, AnswerListener } from "./answer.ts";
export type { Face, Link } from "./face.ts";
export type {
  Attached,
  Attachment,
  AttachRequest,
  AttachResult,
  ClientRequest,
  JoinFailure,
  Loss,
  ReceiveInit,
  Refusal,
  ResumeRequest,
} from "./attachment.ts";

export type {
  Broker,
  BrokerReceiver,
  HistoryPage,
  HistoryRequest,
  Published,
  PublishRequest,
} from "./broker/broker.ts";
export { MemoryBroker, type MemoryBrokerOptions } from "./broker/memory-broker.ts";

export { acceptInto, type UpgradeListener } from "./faces/websocket/accept-into.ts";
export { SocketFaces, type SocketFaceName, type SocketFacesOptions } from "./faces/websocket/socket-faces.ts";
export { defaultSocketLimits, type SocketLimits } from "./faces/websocket/socket-limits.ts";
export type { PacketTypes } from "./faces/websocket/packet-wire.ts";
export { sessionProtocol } from "./faces/session-wire/session-wire.ts";
export {
  decodePackets,
  encodePacket,
  type Packet,
  packetHeaderBytes,
  type PacketLimits,
  packetProtocol,
} from "./faces/packet/packet-codec.ts";
export { refusedPacketType } from "./faces/packet/refused-packet.ts";
export { createSseHandler, type SseHandler, type SseOptions } from "./faces/sse/sse-handler.ts";
export { defaultSseLimits, type SseLimits } from "./faces/sse/sse-limits.ts";
export type { SseRequest, SseResponse } from "./faces/sse/http-message.ts";
export {
  type Client,
  clientFromRequest,
  type ClientOptions,
  type KnownClient,
  type OpeningRequest,
} from "./faces/client.ts";
export { numberOfCode } from "./faces/status-code.ts";
export type { Identify, TimedIdentity } from "./faces/timed-identity.ts";
export { unidentified } from "./faces/closing.ts";
