export { Code, codeFromHttpStatus, httpStatusFromCode, isCode, nameOfCode } from "./code.ts";
export { base64FromBytes, bytesFromBase64 } from "./base64.ts";
export { type Metadata, noMetadata } from "./metadata.ts";
export type { Status } from "./status.ts";

export { createClientMultiplex, createServerMultiplex } from "./connection.ts";
export type {
  ClientMultiplex,
  ClientMultiplexOptions,
  Multiplex,
  MultiplexOptions,
  ServerMultiplex,
  ServerMultiplexOptions,
  Wire,
} from "./multiplex.ts";
export type { AcceptedCall, AcceptedCallListener, Call, CallListener, CallStart } from "./call.ts";
export type { Clock, Timer } from "./clock.ts";
export type { KeepaliveOptions } from "./keepalive.ts";
export {
  defaultMultiplexLimits,
  type MultiplexLimits,
  resolveMultiplexLimits,
  type Settings,
} from "./settings.ts";

export {
  FRAME_HEADER_BYTES,
  FrameType,
  MAX_CHUNK_BYTES,
  MAX_WEB_SOCKET_MESSAGE_BYTES,
  MULTIPLEX_PROTOCOL,
  MultiplexCloseCode,
} from "./frame.ts";
export type { CallOpening, MessageEncoding } from "./frame-codec.ts";
