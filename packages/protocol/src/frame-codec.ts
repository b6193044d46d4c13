import {
  END_MESSAGE,
  FRAME_HEADER_BYTES,
  FrameType,
  MAX_CHUNK_BYTES,
  MAX_NUMBER,
  MAX_WEB_SOCKET_MESSAGE_BYTES,
  MultiplexCloseCode,
} from "./frame.ts";
import { type Metadata, readMetadata, writeMetadata } from "./metadata.ts";
import { PayloadReader, PayloadWriter, utf8, writeFrameHeader } from "./payload.ts";
import { ProtocolError } from "./protocol-error.ts";
import { defaultSettings, settingRanges, type Settings } from "./settings.ts";
import type { Status } from "./status.ts";

/** Takes the frames of a WebSocket message, in order. */
export interface FrameSink {
  /**
   * One frame whose header is right: a known type, no unknown flag, a length and a call that fit the type. `payload`
   * is a view of the WebSocket message.
   */
  frame(type: number, flags: number, call: number, payload: Uint8Array): void;
}

/** By type: the shortest and the longest payload, the flags that are known, and whether the frame is of a call. */
const shapes: readonly (readonly [least: number, most: number, flags: number, ofCall: boolean])[] = [
  [1, 0, 0, false],
  [0, 0xffff, 0, false], // HELLO
  [7, 0xffff, 0, true], // OPEN
  [0, 0xffff, 0, true], // HEADERS
  [0, MAX_CHUNK_BYTES, 1, true], // DATA
  [0, 0, 0, true], // HALF_CLOSE
  [8, 0xffff, 0, true], // STATUS
  [0, 0, 0, true], // CANCEL
  [4, 4, 0, true], // CREDIT
  [0, 0, 0, false], // PING
  [0, 0, 0, false], // PONG
  [4, 0xffff, 0, false], // GO_AWAY
];

/**
 * Splits one binary WebSocket message into its frames. Throws a `ProtocolError` at the first one that is wrong, when
 * the sink has seen those before. PROTOCOL.md, "Frames".
 */
export function readFrames(message: Uint8Array, sink: FrameSink): void {
  const { length } = message;
  if (length > MAX_WEB_SOCKET_MESSAGE_BYTES) {
    throw new ProtocolError(`a WebSocket message of ${length} bytes`, MultiplexCloseCode.TOO_LARGE);
  }
  let at = 0;
  do {
    const from = at + FRAME_HEADER_BYTES;
    if (from > length) throw new ProtocolError("a frame that ends in its header");
    const type = message[at] as number;
    const flags = message[at + 1] as number;
    const end = from + (((message[at + 2] as number) << 8) | (message[at + 3] as number));
    const call =
      ((message[at + 4] as number) << 24) |
      ((message[at + 5] as number) << 16) |
      ((message[at + 6] as number) << 8) |
      (message[at + 7] as number);
    if (end > length) throw new ProtocolError("a frame that is longer than its WebSocket message");
    if (type < 0x80) {
      // Most frames are DATA, and right.
      if (type !== FrameType.DATA || flags > END_MESSAGE || call <= 0 || end - from > MAX_CHUNK_BYTES) {
        checkShape(type, flags, call, end - from);
      }
      // No `subarray`, which makes a Buffer of a Buffer: that takes twice as long.
      sink.frame(type, flags, call, new Uint8Array(message.buffer, message.byteOffset + from, end - from));
    }
    at = end;
  } while (at < length);
}

function checkShape(type: number, flags: number, call: number, length: number): void {
  const shape = shapes[type];
  if (shape === undefined || type === 0) throw new ProtocolError(`a frame of the unknown type ${type}`);
  if (length > shape[1]) {
    const code = type === FrameType.DATA ? MultiplexCloseCode.TOO_LARGE : MultiplexCloseCode.PROTOCOL_ERROR;
    throw new ProtocolError(`a frame of type ${type} with ${length} bytes`, code);
  }
  if (length < shape[0]) throw new ProtocolError(`a frame of type ${type} with ${length} bytes`);
  if ((flags & ~shape[2]) !== 0) throw new ProtocolError(`a frame of type ${type} with flags ${flags}`);
  if (shape[3] ? call <= 0 : call !== 0)
    throw new ProtocolError(`a frame of type ${type} on call ${call >>> 0}`);
}

/** A frame without a payload: HALF_CLOSE, CANCEL, PING or PONG. */
export function encodeEmpty(type: number, call: number): Uint8Array {
  const bytes = new Uint8Array(FRAME_HEADER_BYTES);
  writeFrameHeader(bytes, 0, type, 0, 0, call);
  return bytes;
}

/** A HELLO frame. */
export function encodeHello(settings: Settings): Uint8Array {
  const writer = new PayloadWriter();
  settingRanges.forEach(([name], index) => writer.u16(index + 1).u32(settings[name]));
  return writer.frame(FrameType.HELLO, 0);
}

/** What a HELLO announces, with the defaults for the rest. Unknown settings are left out. */
export function decodeHello(payload: Uint8Array): Settings {
  const reader = new PayloadReader(payload);
  const settings: { -readonly [name in keyof Settings]: number } = { ...defaultSettings };
  while (reader.left > 0) {
    const range = settingRanges[reader.u16() - 1];
    const value = reader.u32();
    if (range === undefined) continue;
    const [name, least, greatest] = range;
    if (value < least || value > greatest) throw new ProtocolError(`${name} of ${value}`);
    settings[name] = value;
  }
  return settings;
}

/** How the messages of a call are encoded; the multiplex wire does not look into them. */
export type MessageEncoding = "protobuf" | "json";

/** What a client tells of a call that it opens. */
export interface CallOpening {
  /** The full name of the method, without a slash before it: `pkg.Service/Method`. */
  readonly method: string;
  readonly metadata: Metadata;
  /** Milliseconds that the call may take, from 1 on; without it there is no deadline. */
  readonly timeout?: number;
  readonly encoding: MessageEncoding;
}

/** The name of a method on the wire; what is none is an error of the connection, for the side that reads it. */
const validMethod = /^[\x21-\x7e]+$/;

/**
 * An OPEN frame. A timeout is rounded up, and one over 49 days becomes that. Throws a TypeError as `writeMetadata`, and
 * for what cannot be the name of a method.
 */
export function encodeOpen(call: number, { method, metadata, timeout, encoding }: CallOpening): Uint8Array {
  const ms = timeout === undefined ? 0 : Math.min(Math.max(Math.ceil(timeout), 1), 0xffff_ffff);
  if (!validMethod.test(method)) throw new TypeError(`${JSON.stringify(method)} is not a name of a method`);
  const writer = new PayloadWriter();
  writer.u8(encoding === "json" ? 1 : 0).u32(ms);
  writer.text16(method);
  writeMetadata(writer, metadata);
  return writer.frame(FrameType.OPEN, call);
}

/** The payload of an OPEN frame; undefined where its encoding is not one of `MessageEncoding`. */
export function decodeOpen(payload: Uint8Array): CallOpening | undefined {
  const reader = new PayloadReader(payload);
  const encoding = reader.u8();
  const timeout = reader.u32();
  const method = reader.text16();
  if (!validMethod.test(method)) throw new ProtocolError("OPEN without the name of a method");
  const metadata = readMetadata(reader);
  if (encoding > 1) return undefined;
  return {
    method,
    metadata,
    ...(timeout === 0 ? undefined : { timeout }),
    encoding: encoding === 1 ? "json" : "protobuf",
  };
}

/** A HEADERS frame. Throws a TypeError as `writeMetadata`. */
export function encodeHeaders(call: number, metadata: Metadata): Uint8Array {
  const writer = new PayloadWriter();
  writeMetadata(writer, metadata);
  return writer.frame(FrameType.HEADERS, call);
}

/** The payload of a HEADERS frame. */
export function decodeHeaders(payload: Uint8Array): Metadata {
  return readMetadata(new PayloadReader(payload));
}

/** A STATUS frame. Throws a TypeError as `writeMetadata`. */
export function encodeStatus(
  call: number,
  { code, message, details }: Status,
  trailers: Metadata,
): Uint8Array {
  const writer = new PayloadWriter();
  writer.u32(code).text16(message);
  writer.bytes16(details ?? new Uint8Array(0));
  writeMetadata(writer, trailers);
  return writer.frame(FrameType.STATUS, call);
}

/** The payload of a STATUS frame. The details are a copy. */
export function decodeStatus(payload: Uint8Array): { readonly status: Status; readonly trailers: Metadata } {
  const reader = new PayloadReader(payload);
  const code = reader.u32();
  const message = reader.text16();
  const details = new Uint8Array(reader.bytes16());
  const trailers = readMetadata(reader);
  return { status: details.length === 0 ? { code, message } : { code, message, details }, trailers };
}

/** A CREDIT frame. */
export function encodeCredit(call: number, bytes: number): Uint8Array {
  return new PayloadWriter().u32(bytes).frame(FrameType.CREDIT, call);
}

/** The payload of a CREDIT frame. */
export function decodeCredit(payload: Uint8Array): number {
  const bytes = new PayloadReader(payload).u32();
  if (bytes === 0 || bytes > MAX_NUMBER) throw new ProtocolError(`CREDIT of ${bytes} bytes`);
  return bytes;
}

/** A GO_AWAY frame. */
export function encodeGoAway(lastCall: number, reason: string): Uint8Array {
  return new PayloadWriter().u32(lastCall).raw(utf8(reason)).frame(FrameType.GO_AWAY, 0);
}

/** The payload of a GO_AWAY frame. */
export function decodeGoAway(payload: Uint8Array): { readonly lastCall: number; readonly reason: string } {
  const reader = new PayloadReader(payload);
  const lastCall = reader.u32();
  if (lastCall > MAX_NUMBER) throw new ProtocolError(`GO_AWAY after call ${lastCall}`);
  return { lastCall, reason: reader.text(reader.left) };
}
