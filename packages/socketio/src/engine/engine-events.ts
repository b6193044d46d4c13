import type { IncomingMessage, OutgoingHttpHeaders } from "node:http";
import type { ErrorCode } from "./http/refusal.ts";
import type { EngineSession } from "./session.ts";

/** A request that was refused. */
export interface ConnectionError {
  readonly req: IncomingMessage;
  readonly code: ErrorCode;
  /** The code in words. */
  readonly message: string;
  /** What is known beside: often a `name` of what was wrong, a `message` or an `error`. */
  readonly context: Readonly<Record<string, unknown>>;
}

/** The events of an engine. */
export interface EngineEvents {
  /** A session has begun. */
  connection: [session: EngineSession];
  /** A request was refused, after it was answered. */
  connection_error: [error: ConnectionError];
  /** The answer to a handshake is to be written: a listener may change its headers. */
  initial_headers: [headers: OutgoingHttpHeaders, request: IncomingMessage];
  /** Any answer of a session is to be written, that to a handshake and to an upgrade among them. */
  headers: [headers: OutgoingHttpHeaders, request: IncomingMessage];
}
