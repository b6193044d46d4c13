/** Bits and opcodes of RFC 6455 section 5.2 that the load generator writes. */
const finAndBinary = 0x82;
const rsv1 = 0x40;
const masked = 0x80;

/** How a frame is to be written. */
export interface FrameOptions {
  /** Masking key, as a client has to send one (section 5.3). Left out: an unmasked frame, as a server sends. */
  readonly mask?: Buffer;
  /** Sets RSV1: the payload is compressed (RFC 7692 section 6). */
  readonly compressed?: boolean;
}

/** Encodes one final binary frame. Slow and plain on purpose: frames are written before the clock starts. */
export function encodeFrame(payload: Buffer, options: FrameOptions = {}): Buffer {
  const first = finAndBinary | (options.compressed === true ? rsv1 : 0);
  const second = options.mask === undefined ? 0 : masked;
  const header =
    payload.length < 126
      ? Buffer.from([first, second | payload.length])
      : payload.length < 0x10000
        ? Buffer.from([first, second | 126, payload.length >> 8, payload.length & 0xff])
        : Buffer.from([first, second | 127, 0, 0, 0, 0, 0, 0, 0, 0]);
  if (payload.length >= 0x10000) header.writeUInt32BE(payload.length, 6);
  const { mask } = options;
  if (mask === undefined) return Buffer.concat([header, payload]);
  const body = Buffer.from(payload);
  for (let at = 0; at < body.length; at++) body[at] = (body[at] ?? 0) ^ (mask[at & 3] ?? 0);
  return Buffer.concat([header, mask, body]);
}
