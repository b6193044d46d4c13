import type { ServerResponse } from "node:http";

/** Why a request was refused, as a client is told: `code` in the body of the answer. */
export const ErrorCode = {
  UNKNOWN_TRANSPORT: 0,
  UNKNOWN_SID: 1,
  BAD_HANDSHAKE_METHOD: 2,
  BAD_REQUEST: 3,
  FORBIDDEN: 4,
  UNSUPPORTED_PROTOCOL_VERSION: 5,
} as const;

/** One of the codes. */
export type ErrorCode = (typeof ErrorCode)[keyof typeof ErrorCode];

/** The message of each code. */
export const errorMessages: Readonly<Record<ErrorCode, string>> = {
  0: "Transport unknown",
  1: "Session ID unknown",
  2: "Bad handshake method",
  3: "Bad request",
  4: "Forbidden",
  5: "Unsupported protocol version",
};

/** A refused request. */
export interface Refusal {
  readonly code: ErrorCode;
  /** What the client is told in the place of the code's message. */
  readonly message?: string;
  /** The status of the answer. Default: 403 for FORBIDDEN, else 400. */
  readonly status?: number;
  /** What is told in the event `connection_error`, but not to the client. */
  readonly context: Readonly<Record<string, unknown>>;
}

/** The status of a refusal. */
export function statusOf({ code, status }: Refusal): number {
  return status ?? (code === ErrorCode.FORBIDDEN ? 403 : 400);
}

/** What a client is told of a refusal, as JSON. */
export function bodyOf({ code, message }: Refusal): string {
  return JSON.stringify({ code, message: message ?? errorMessages[code] });
}

/** Answers a request with a refusal. */
export function refuse(response: ServerResponse, refusal: Refusal): void {
  if (response.headersSent || response.destroyed) return;
  const body = Buffer.from(bodyOf(refusal));
  response.writeHead(statusOf(refusal), {
    "Content-Type": "application/json",
    "Content-Length": body.length,
  });
  response.end(body);
}
