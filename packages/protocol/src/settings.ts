import { FRAME_HEADER_BYTES, MAX_CHUNK_BYTES, MAX_NUMBER, MAX_WEB_SOCKET_MESSAGE_BYTES } from "./frame.ts";

/** What each side announces in its HELLO: how much it takes. */
export interface Settings {
  /**
   * Bytes of DATA frames, headers among them, that the peer may send on a new call before it is given more. Default
   * 128 KiB; at least 16,392. Over it: close code 4420.
   */
  readonly initialCredit: number;
  /**
   * Calls that may be open at once on one socket; a client of this package keeps the rest waiting. Default 100. Over
   * it, a call ends with RESOURCE_EXHAUSTED. What a client announces means nothing.
   */
  readonly maxCalls: number;
  /**
   * Bytes of the payload of an OPEN, HEADERS or STATUS frame, which is metadata for the most part. Default 16 KiB;
   * 1,024 to 65,528. Over it, the call ends with RESOURCE_EXHAUSTED.
   */
  readonly maxHeaderBytes: number;
  /** Bytes of one message. Default 4 MiB, as gRPC. Over it, the call ends with RESOURCE_EXHAUSTED. */
  readonly maxMessageBytes: number;
}

/** Every bound of one side of a connection. */
export interface MultiplexLimits extends Settings {
  /**
   * Bytes of memory for messages that have come in part, on all calls of the socket together. Default 32 MiB, and
   * never less than `maxMessageBytes`. Over it, the call whose chunk it is ends with RESOURCE_EXHAUSTED.
   */
  readonly maxAssemblyBytes: number;
  /**
   * Bytes of messages that may wait to leave, on all calls of the socket together. Default 64 MiB, and never less than
   * the peer's `maxMessageBytes`. Over it, a call on which more than 64 KiB wait ends with RESOURCE_EXHAUSTED when it
   * sends. A client may set `Infinity`, because its application's memory is its own.
   */
  readonly maxWaitingBytes: number;
  /**
   * Bytes of frames other than DATA that wait for a peer that does not read them, each counted with 64 more. Default
   * 2 MiB, and never less than the OPEN or HEADERS of all calls at once. Over it: close code 4429.
   */
  readonly maxAnswerBytes: number;
}

/** What holds where a HELLO says nothing else. */
export const defaultSettings: Settings = Object.freeze({
  initialCredit: 128 * 1024,
  maxCalls: 100,
  maxHeaderBytes: 16 * 1024,
  maxMessageBytes: 4 * 1024 * 1024,
});

/** The limits that hold where none are given. */
export const defaultMultiplexLimits: MultiplexLimits = Object.freeze({
  ...defaultSettings,
  maxAssemblyBytes: 32 * 1024 * 1024,
  maxWaitingBytes: 64 * 1024 * 1024,
  maxAnswerBytes: 2 * 1024 * 1024,
});

/** A setting of HELLO: its name here, and the least and the greatest value; its number is its place, from 1. */
export const settingRanges: readonly (readonly [name: keyof Settings, least: number, greatest: number])[] = [
  ["initialCredit", FRAME_HEADER_BYTES + MAX_CHUNK_BYTES, MAX_NUMBER],
  ["maxCalls", 0, 0xffff_ffff],
  ["maxHeaderBytes", 1024, MAX_WEB_SOCKET_MESSAGE_BYTES - FRAME_HEADER_BYTES],
  ["maxMessageBytes", 0, 0xffff_ffff],
];

/** The given limits with the defaults for the rest. Throws a RangeError that names the one that is out of its range. */
export function resolveMultiplexLimits(limits: Partial<MultiplexLimits> | undefined): MultiplexLimits {
  if (limits === undefined) return defaultMultiplexLimits;
  const resolved = { ...defaultMultiplexLimits, ...limits };
  for (const [name, least, greatest] of settingRanges) {
    const value = resolved[name];
    if (!Number.isInteger(value) || value < least || value > greatest) {
      throw new RangeError(`limits.${name} is ${value}: it must be an integer from ${least} to ${greatest}`);
    }
  }
  return { ...resolved, maxAssemblyBytes: Math.max(resolved.maxAssemblyBytes, resolved.maxMessageBytes) };
}
