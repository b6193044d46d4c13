/** The frame types of RFC 6455 section 5.2. The others are reserved. */
export const Opcode = {
  CONTINUATION: 0x0,
  TEXT: 0x1,
  BINARY: 0x2,
  CLOSE: 0x8,
  PING: 0x9,
  PONG: 0xa,
} as const;

/** The first bit of a frame: this is the message's last one. */
export const FIN = 0x80;
/** The second bit of a frame: with RFC 7692 agreed, the message is compressed. */
export const RSV1 = 0x40;
/** The first bit of a frame's second byte: the payload is masked, as every client's is. */
export const MASKED = 0x80;
/** What a control frame can carry (section 5.5). */
export const MAX_CONTROL_BYTES = 125;
/** The longest frame header: 2 bytes, a 64-bit length and a mask. */
export const MAX_HEADER_BYTES = 14;
