import { checkPositive } from "../check-limits.ts";

/** The bounds of the faces on WebSockets, beside those of the hub. What is not given has the default of `defaultSocketLimits`. */
export interface SocketLimits {
  /**
   * Milliseconds for the first message of a client of whom one is awaited, `connect` on the session wire or a token, and
   * for `identify` to say what it is worth. Default 10,000. Over it: 4408.
   */
  readonly firstMessageMs: number;
  /**
   * Bytes of one WebSocket message on the session wire and of packets, with all that is around its content. Default
   * 262,144. Over it: 1009. On the raw face it is the hub's `messageBytes`.
   */
  readonly envelopeBytes: number;
  /** Commands of one client that wait for their answers. Default 32. While it is that many, nothing more is read. */
  readonly pendingCommands: number;
  /** Bytes of the publications in one answer to `history`. Default 262,144. Over it: a shorter page. */
  readonly historyBytes: number;
  /** Packets in one WebSocket message. Default 64. Over it: 4429. */
  readonly packetsPerMessage: number;
}

/** The limits that hold where none are given. */
export const defaultSocketLimits: SocketLimits = Object.freeze({
  firstMessageMs: 10_000,
  envelopeBytes: 262_144,
  pendingCommands: 32,
  historyBytes: 262_144,
  packetsPerMessage: 64,
});

/** The given limits with the defaults for the rest. Throws a RangeError that names the limit which cannot be meant. */
export function resolveSocketLimits(limits: Partial<SocketLimits> = {}): SocketLimits {
  return checkPositive({ ...defaultSocketLimits, ...limits });
}
