/** Every bound of a connection. What is not given has the default of `defaultLimits`. */
export interface Limits {
  /** Bytes of one incoming message, on the wire and inflated. Default 4 MiB, as gRPC. Over it: close code 1009. */
  readonly maxMessageBytes: number;
  /**
   * Bytes that the frame headers of one incoming message may take together: what a sender pays who cuts a message
   * into tiny pieces. Default 1 MiB (16 MiB in masked frames of 96 bytes, or 174,762 empty ones). Over it: 1008.
   */
  readonly maxFramingBytes: number;
  /**
   * Bytes that wait for the peer from which `send()` answers false and `drain` follows. Default 64 KiB. The socket's
   * own `writableHighWaterMark` counts where it is larger.
   */
  readonly highWaterMark: number;
  /**
   * Bytes that may wait for the peer when a message is added. Default 16 MiB. At it, the connection is terminated:
   * a close frame could not get through either. What waits is never more than this and one message.
   */
  readonly maxBufferedBytes: number;
  /** Milliseconds from the first close frame to the end of the socket. Default 10,000. After it: terminated. */
  readonly closeTimeoutMs: number;
  /**
   * Milliseconds for the whole opening handshake of a client, and for what a server's `verify` does in it. Default
   * 10,000. Over it: the error `handshake_timeout`, and the status 503.
   */
  readonly handshakeTimeoutMs: number;
}

/** The limits that hold where none are given. */
export const defaultLimits: Limits = Object.freeze({
  maxMessageBytes: 4 * 1024 * 1024,
  maxFramingBytes: 1024 * 1024,
  highWaterMark: 64 * 1024,
  maxBufferedBytes: 16 * 1024 * 1024,
  closeTimeoutMs: 10_000,
  handshakeTimeoutMs: 10_000,
});

const resolved = new WeakMap<Partial<Limits>, Limits>();

/**
 * The given limits with the defaults for the rest. The same object comes back for the same input, so that many
 * connections share it. Throws a RangeError that names the limit which is not a positive number.
 */
export function resolveLimits(limits: Partial<Limits> | undefined): Limits {
  if (limits === undefined) return defaultLimits;
  let known = resolved.get(limits);
  if (known !== undefined) return known;
  known = Object.freeze({ ...defaultLimits, ...limits });
  for (const [name, value] of Object.entries(known)) {
    if (typeof value !== "number" || !(value > 0)) {
      throw new RangeError(`limits.${name} is ${String(value)}: it must be a number above 0`);
    }
  }
  resolved.set(limits, known);
  return known;
}
