import { CloseCode } from "./close-code.ts";

/**
 * What can go wrong with a connection:
 * - `protocol_error`: the peer broke RFC 6455 or an agreed extension (close code 1002)
 * - `payload_invalid`: a text that is not UTF-8, or compressed data that does not inflate (1007)
 * - `message_too_big`: a message over `maxMessageBytes`, on the wire or inflated (1009)
 * - `framing_limit`: one message in so many frames that their headers are over `maxFramingBytes` (1008)
 * - `buffer_overflow`: the peer reads too slowly, more than `maxBufferedBytes` wait for it (terminated)
 * - `timeout`: the peer did not answer a close frame or a ping in time, or was idle too long
 * - `connection_lost`: the socket failed or ended without a close frame; `cause` has the socket's error
 * - `handler_failed`: an event handler threw (1011); `cause` is what it threw
 * - `url_invalid`: not a `ws:` or `wss:` URL, or one with a fragment
 * - `handshake_refused`: the server answered the opening handshake with a status other than 101
 * - `handshake_invalid`: the server's 101 answer breaks RFC 6455 section 4.1
 * - `handshake_timeout`: the opening handshake took longer than `handshakeTimeoutMs`
 * - `connect_failed`: no connection to the server; `cause` has the socket's error
 * - `aborted`: the caller's AbortSignal fired
 */
export type WebSocketErrorCode =
  | "protocol_error"
  | "payload_invalid"
  | "message_too_big"
  | "framing_limit"
  | "buffer_overflow"
  | "timeout"
  | "connection_lost"
  | "handler_failed"
  | "url_invalid"
  | "handshake_refused"
  | "handshake_invalid"
  | "handshake_timeout"
  | "connect_failed"
  | "aborted";

/** What else an error knows. */
export interface WebSocketErrorDetails {
  readonly cause?: unknown;
  /** The HTTP status of the server's answer, with `handshake_refused`. */
  readonly status?: number;
}

/** The one error class of this package. `closeCode` is what the peer is told, where it is told something. */
export class WebSocketError extends Error {
  readonly code: WebSocketErrorCode;
  readonly closeCode: number;
  readonly status: number | undefined;

  constructor(code: WebSocketErrorCode, message: string, details: WebSocketErrorDetails = {}) {
    super(message, "cause" in details ? { cause: details.cause } : undefined);
    this.name = "WebSocketError";
    this.code = code;
    this.closeCode = closeCodeOf(code);
    this.status = details.status;
  }
}

function closeCodeOf(code: WebSocketErrorCode): number {
  switch (code) {
    case "protocol_error":
      return CloseCode.PROTOCOL_ERROR;
    case "payload_invalid":
      return CloseCode.INVALID_PAYLOAD;
    case "message_too_big":
      return CloseCode.MESSAGE_TOO_BIG;
    case "framing_limit":
      return CloseCode.POLICY_VIOLATION;
    case "handler_failed":
      return CloseCode.INTERNAL_ERROR;
    case "buffer_overflow":
    case "timeout":
    case "connection_lost":
    case "url_invalid":
    case "handshake_refused":
    case "handshake_invalid":
    case "handshake_timeout":
    case "connect_failed":
    case "aborted":
      return CloseCode.ABNORMAL;
  }
}
