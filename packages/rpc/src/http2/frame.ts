/** The types of frames. Source: RFC 9113, section 6. */
export const frameType = {
  data: 0,
  headers: 1,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

/** The flags of frames. `ack` is of SETTINGS and PING, `endStream` of DATA and HEADERS. */
export const frameFlag = { ack: 0x1, endStream: 0x1, endHeaders: 0x4, padded: 0x8, priority: 0x20 } as const;

/** The parameters of SETTINGS that matter to a client. Source: RFC 9113, section 6.5.2. */
export const settingId = {
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxHeaderListSize: 6,
} as const;

/** The error codes of RST_STREAM and GOAWAY. Source: RFC 9113, section 7. */
export const errorCode = {
  noError: 0,
  protocolError: 1,
  flowControlError: 3,
  streamClosed: 5,
  frameSizeError: 6,
  refusedStream: 7,
  cancel: 8,
  compressionError: 9,
  enhanceYourCalm: 11,
  inadequateSecurity: 12,
} as const;

/** What a client says before its first frame. Source: RFC 9113, section 3.4. */
export const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/** The bytes before the payload of a frame: its length in 24 bits, type, flags, stream. */
export const frameHeadBytes = 9;

/** The largest payload, as long as nobody asks for more: this client does not, and sends no larger one. */
export const maxPayloadBytes = 16_384;

/** The windows of a connection and a stream before settings say otherwise. */
export const defaultWindowBytes = 65_535;

/** No window may grow beyond. */
export const maxWindowBytes = 0x7fff_ffff;

/** The peer has broken HTTP/2, which ends the connection. */
export class Http2Violation extends Error {
  /** As the errors of Node's HTTP/2 have it. */
  readonly code = "ERR_HTTP2_PROTOCOL";
  /** The error code that the peer is told. */
  readonly errorCode: number;

  constructor(code: number, what: string) {
    super(`Protocol error in HTTP/2: ${what}`);
    this.errorCode = code;
  }
}

/** What is wrong with a peer that breaks the protocol in a way that has no error code of its own. */
export function violation(what: string): Http2Violation {
  return new Http2Violation(errorCode.protocolError, what);
}

/** What is wrong with a peer that makes a window wider than there can be. */
export function tooWide(): Http2Violation {
  return new Http2Violation(errorCode.flowControlError, "a window grows too wide");
}

/** Throws Http2Violation for a payload of another length. */
export function wantLength(payload: Buffer, length: number): void {
  if (payload.length === length) return;
  throw new Http2Violation(errorCode.frameSizeError, `a frame has ${payload.length} bytes, not ${length}`);
}

/** The payload of DATA or HEADERS between its padding, without `skip` bytes at its begin. Throws Http2Violation. */
export function withoutPadding(flags: number, payload: Buffer, skip: number): Buffer {
  if ((flags & frameFlag.padded) === 0) {
    if (skip > payload.length) throw violation("a frame is cut off");
    return skip === 0 ? payload : payload.subarray(skip);
  }
  const end = payload.length - (payload[0] ?? 0);
  if (1 + skip > end) throw violation("a frame has more padding than payload");
  return payload.subarray(1 + skip, end);
}

/** The values of SETTINGS by their identifiers. Throws Http2Violation for a payload that is cut off. */
export function settingsFrom(payload: Buffer): ReadonlyMap<number, number> {
  if (payload.length % 6 !== 0) throw new Http2Violation(errorCode.frameSizeError, "SETTINGS are cut off");
  const settings = new Map<number, number>();
  for (let at = 0; at < payload.length; at += 6) {
    settings.set(payload.readUInt16BE(at), payload.readUInt32BE(at + 2));
  }
  return settings;
}
