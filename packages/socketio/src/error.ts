/**
 * What can go wrong with a client, beside the refusal of a request:
 * - `packet_invalid`: a packet of Engine.IO or Socket.IO, or a payload of several, that cannot be read
 * - `heartbeat_invalid`: a ping or pong from the side that does not send them in the session's revision
 * - `payload_too_large`: a request over `maxHttpBufferSize`
 * - `request_overlap`: a second GET, or a second POST, while the session's first was not answered
 * - `request_aborted`: the client gave up a request that was not answered yet, and what was in it or its answer is lost
 * - `content_invalid`: a POST of bytes where the revision knows only text
 * - `buffer_overflow`: the client reads too slowly, more than `maxBufferedBytes` wait for it
 * - `namespace_invalid`: a packet for a namespace that the client has not joined, or a CONNECT to one that it has
 * - `limit_exceeded`: one of the option `limits` was reached, and what was asked is not done; for rooms, the connection was ended
 * - `rate_exceeded`: more events than `limits.eventsPerSecond`, and the connection was ended
 * - `connect_timeout`: no namespace was joined within `connectTimeout`
 * - `auth_expired`: what the client was let in for has expired (`socket.expiresAt`)
 * - `handler_failed`: a listener of the application threw; `cause` is what it threw
 */
export type SocketIoErrorCode =
  | "packet_invalid"
  | "heartbeat_invalid"
  | "payload_too_large"
  | "request_overlap"
  | "request_aborted"
  | "content_invalid"
  | "buffer_overflow"
  | "namespace_invalid"
  | "limit_exceeded"
  | "rate_exceeded"
  | "connect_timeout"
  | "auth_expired"
  | "handler_failed";

/** The one error class of this package. */
export class SocketIoError extends Error {
  readonly code: SocketIoErrorCode;

  constructor(code: SocketIoErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = "SocketIoError";
    this.code = code;
  }
}
