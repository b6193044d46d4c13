import type { Method } from "../schema/method.ts";
import type { Metadata } from "./metadata.ts";
import type { Status } from "./status.ts";

/** What a dialect knows of a call when it begins. */
export interface CallStart {
  readonly method: Method;
  readonly metadata: Metadata;
  /** Milliseconds that the call may still take. There is no default: without it, the call has no deadline. */
  readonly timeout?: number;
  /** What has set the timeout, for the message of its status: an option of the gateway. Default: the client. */
  readonly timeoutOrigin?: string;
  /**
   * How request messages are compressed that are sent as such, by its name in `grpc-encoding`: one of
   * `Backend.acceptEncodings`. Without it none is compressed.
   */
  readonly encoding?: string;
  /**
   * How response messages may be compressed, because the listener takes them so. Default: not at all; a
   * listener that does not ask for compressed messages gets none.
   */
  readonly acceptEncodings?: readonly string[];
  /**
   * Whether the listener keeps nothing of a message when its `message` has returned. Then messages may be views of
   * memory that is used again. Default: it may keep them.
   */
  readonly takesViews?: boolean;
}

/**
 * What a backend tells of a call; implemented by each dialect.
 *
 * All of it is called synchronously, and never before `Backend.open` has returned. The order is: `headers`
 * once before the first `message` (and not at all where a call ends without one and without headers of its own),
 * `message` any number of times, `end` exactly once and last. A listener MUST NOT throw.
 */
export interface CallListener {
  /** `encoding` is how messages are compressed that come as such: one of `CallStart.acceptEncodings`. */
  headers(metadata: Metadata, encoding?: string): void;
  /**
   * One response message, whole: as protobuf bytes, or with `isCompressed` those compressed. The listener may keep the bytes, and
   * MUST NOT change them: others may be told the same.
   * A listener that cannot take more calls `Call.pause`; what was already read may still arrive.
   */
  message(bytes: Uint8Array, isCompressed?: boolean): void;
  /** After a `send` that answered false: there is room again. */
  drain(): void;
  end(status: Status, trailers: Metadata): void;
}

/** One RPC in progress, as a dialect holds it. After the listener's `end` every method does nothing. */
export interface Call {
  /**
   * Sends one request message as protobuf bytes, which the call owns from then on; with `isCompressed` they are
   * compressed as `CallStart.encoding` says. Answers whether to go on; after false, wait for `drain`. The message is accepted either way.
   */
  send(message: Uint8Array, isCompressed?: boolean): boolean;
  /**
   * As `send`, of a message that stays the caller's, because its memory is used again: what has to wait is copied. Where
   * it is missing, send a copy.
   */
  sendView?(message: Uint8Array, isCompressed?: boolean): boolean;
  /** Says that no further request message follows. */
  halfClose(): void;
  /** Ends the call with `status` (default: CANCELLED) and tells the server; the listener's `end` follows. */
  cancel(status?: Status): void;
  /** Stops reading responses, until `resume`; the pressure reaches the server. */
  pause(): void;
  resume(): void;
}

/** What answers calls: a gRPC server over HTTP/2, or a service inside the gateway. */
export interface Backend {
  /**
   * How request messages may be compressed, as far as is known: a server tells it with its first answer.
   * Undefined: none is known.
   */
  readonly acceptEncodings?: ReadonlySet<string>;
  /** Whether messages of a method are told to many listeners, so that encoding each once pays. Default: none are. */
  shares?(method: Method): boolean;
  /** Begins a call. MUST NOT throw: what goes wrong is told through `listener.end`, later. */
  open(start: CallStart, listener: CallListener): Call;
  /**
   * Takes no new calls, lets the running ones end for at most `graceMs` milliseconds, then ends them with
   * UNAVAILABLE; resolves when all connections are closed.
   */
  close(graceMs: number): Promise<void>;
}
