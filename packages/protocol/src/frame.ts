/** The name of the multiplex wire in `Sec-WebSocket-Protocol`. */
export const MULTIPLEX_PROTOCOL = "sluice.v1";

/** The types of frames. From 0x80 on, an unknown type is ignored; below, it is an error. PROTOCOL.md, "Frames". */
export const FrameType = {
  HELLO: 0x01,
  OPEN: 0x02,
  HEADERS: 0x03,
  DATA: 0x04,
  HALF_CLOSE: 0x05,
  STATUS: 0x06,
  CANCEL: 0x07,
  CREDIT: 0x08,
  PING: 0x09,
  PONG: 0x0a,
  GO_AWAY: 0x0b,
} as const;

/** The flag of a DATA frame whose chunk is the last one of its message. */
export const END_MESSAGE = 0x01;

/** Bytes of the header of each frame: type, flags, length (2 bytes), call (4 bytes); big-endian. */
export const FRAME_HEADER_BYTES = 8;

/** The most bytes of a message that one DATA frame holds. */
export const MAX_CHUNK_BYTES: number = 16 * 1024;

/** The most bytes of one WebSocket message. */
export const MAX_WEB_SOCKET_MESSAGE_BYTES: number = 64 * 1024;

/** The greatest number of a call, and the greatest credit. */
export const MAX_NUMBER = 0x7fff_ffff;

/** The close codes of the multiplex wire. PROTOCOL.md, "Errors of the connection". */
export const MultiplexCloseCode = {
  /** Nothing is wrong, and no call is left. */
  NORMAL: 1000,
  /** The server goes away, and does not wait for the calls that are left. */
  GOING_AWAY: 1001,
  /** A frame that is malformed, or not allowed where it came. */
  PROTOCOL_ERROR: 4400,
  /** Nothing came for too long, not even the answer to a PING. */
  PING_TIMEOUT: 4408,
  /** A frame or a WebSocket message over its maximum. */
  TOO_LARGE: 4413,
  /** More DATA than the call had credit for. */
  FLOW_CONTROL: 4420,
  /** Frames that cause others, from a peer that does not read those. */
  TOO_MANY_REQUESTS: 4429,
} as const;

/** One of the close codes of the multiplex wire. */
export type MultiplexCloseCode = (typeof MultiplexCloseCode)[keyof typeof MultiplexCloseCode];
