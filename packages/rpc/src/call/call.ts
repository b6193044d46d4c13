import type { Method } from "../schema/method.ts";
import type { Metadata } from "./metadata.ts";
import type { Status } from "./status.ts";

/** What a dialect knows of a call when it begins. */
export interface CallStart {
  readonly method: Method;
  readonly metadata: Metadata;
  /** Milliseconds that the call may still take. There is no default: without it, the call has no deadline. */
  readonly timeout?: number;
}

/**
 * What a backend tells of a call; implemented by each dialect.
 *
 * All of it is called synchronously, and never before `Backend.open` has returned. The order is: `headers` at
 * most once, `message` any number of times, `end` exactly once and last. A listener MUST NOT throw.
 */
export interface CallListener {
  headers(metadata: Metadata): void;
  /**
   * One response message as protobuf bytes, whole. The bytes belong to the listener, which may keep them.
   * A listener that cannot take more calls `Call.pause`; what was already read may still arrive.
   */
  message(bytes: Uint8Array): void;
  /** After a `send` that answered false: there is room again. */
  drain(): void;
  end(status: Status, trailers: Metadata): void;
}

/** One RPC in progress, as a dialect holds it. After the listener's `end` every method does nothing. */
export interface Call {
  /**
   * Sends one request message as protobuf bytes, which the call owns from then on.
   * Answers whether to go on; after false, wait for `drain`. The message is accepted either way.
   */
  send(message: Uint8Array): boolean;
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
  /** Begins a call. MUST NOT throw: what goes wrong is told through `listener.end`, later. */
  open(start: CallStart, listener: CallListener): Call;
  /**
   * Takes no new calls, lets the running ones end for at most `graceMs` milliseconds, then ends them with
   * UNAVAILABLE; resolves when all connections are closed.
   */
  close(graceMs: number): Promise<void>;
}
