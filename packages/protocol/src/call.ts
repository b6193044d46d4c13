import type { CallOpening, MessageEncoding } from "./frame-codec.ts";
import type { Metadata } from "./metadata.ts";
import type { Status } from "./status.ts";

/** What a client opens a call with. */
export interface CallStart extends Pick<CallOpening, "method" | "timeout"> {
  readonly metadata?: Metadata;
  /** Default: `protobuf`. */
  readonly encoding?: MessageEncoding;
}

/** What both ends of a call can do. After the listener's `end` every method does nothing. */
export interface CallEnd {
  /**
   * Sends one message, which the call owns from then on. Answers whether to go on; after false, wait for `drain`. The
   * message is accepted either way, up to `maxWaitingBytes` on the connection.
   */
  send(message: Uint8Array): boolean;
  /** Gives the other side no more credit until `resume`; what is on its way still arrives. */
  pause(): void;
  resume(): void;
}

/** What both ends of a call are told. Called synchronously; a listener MUST NOT throw. */
export interface CallEndListener {
  /** One message, whole. The bytes belong to the listener; they may be a view of a WebSocket message. */
  message(bytes: Uint8Array): void;
  /** After a `send` that answered false: there is room again. */
  drain(): void;
}

/** A call as the client holds it. */
export interface Call extends CallEnd {
  /** Says that no further message follows. */
  halfClose(): void;
  /** Ends the call with `status` (default: CANCELLED), which the listener's `end` is told at once, and tells the server. */
  cancel(status?: Status): void;
}

/**
 * What a client is told of its call, and never before `open` has returned: `headers` once before the first `message`
 * (or not at all), `message` any number of times, `end` exactly once and last.
 */
export interface CallListener extends CallEndListener {
  headers(metadata: Metadata): void;
  end(status: Status, trailers: Metadata): void;
}

/** A call as the server holds it. */
export interface AcceptedCall extends CallEnd {
  /** As `send`, of a message that stays the caller's, because its memory is used again. */
  sendView(message: Uint8Array): boolean;
  /** Sends the initial metadata, once and before the first message; without it, the first message sends none. */
  headers(metadata: Metadata): void;
  /** Ends the call when the messages before have left. The listener's `end` follows when this has left too. */
  end(status: Status, trailers?: Metadata): void;
}

/**
 * What a server is told of a call, and never before `accept` has returned: `message` any number of times, `halfClose`
 * at most once and after the last message, `end` exactly once and last.
 */
export interface AcceptedCallListener extends CallEndListener {
  /** The client sends no more messages. */
  halfClose(): void;
  /** The call is over: with the status that this side sent, or because the client cancelled or the connection was lost. */
  end(status: Status): void;
}
