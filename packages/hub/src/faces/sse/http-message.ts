import type { IncomingMessage } from "node:http";
import type { Http2ServerRequest } from "node:http2";
import type { Writable } from "node:stream";

/** A request of Node's HTTP/1 server, or of its HTTP/2 server's compatibility API. */
export type SseRequest = IncomingMessage | Http2ServerRequest;

/** What the responses of both servers have in common. */
export interface SseResponse extends Writable {
  statusCode: number;
  readonly headersSent: boolean;
  setHeader(name: string, value: string): unknown;
}

/** Why a request is refused: the HTTP status, the name of a gRPC code, and a sentence. */
export interface HttpRefusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

/** Seconds after which a client that there is no room for may try again. */
const retryAfterSeconds = "5";

/** Answers a request with `{"error":{"code","message"}}`. Does nothing where an answer has begun. */
export function refuse(response: SseResponse, { status, code, message }: HttpRefusal): void {
  if (response.headersSent || response.destroyed) return;
  const body = JSON.stringify({ error: { code, message } });
  response.statusCode = status;
  response.setHeader("content-type", "application/json");
  response.setHeader("content-length", String(Buffer.byteLength(body)));
  response.setHeader("cache-control", "no-store");
  if (status === 503 || status === 429) response.setHeader("retry-after", retryAfterSeconds);
  response.end(body);
}

/** How a refusal by a close code is said over HTTP. */
export function refusalFromClose(code: number, reason: string): HttpRefusal {
  const [status, name] = statuses.get(code) ?? [500, "INTERNAL"];
  return { status, code: name, message: reason };
}

/** Close codes, as HTTP and gRPC say the same. */
const statuses: ReadonlyMap<number, readonly [status: number, code: string]> = new Map([
  [1001, [503, "UNAVAILABLE"]],
  [1009, [413, "RESOURCE_EXHAUSTED"]],
  [1013, [503, "UNAVAILABLE"]],
  [4400, [400, "INVALID_ARGUMENT"]],
  [4401, [401, "UNAUTHENTICATED"]],
  [4403, [403, "PERMISSION_DENIED"]],
  [4408, [408, "DEADLINE_EXCEEDED"]],
  [4409, [409, "ABORTED"]],
  [4410, [410, "FAILED_PRECONDITION"]],
  [4413, [413, "RESOURCE_EXHAUSTED"]],
  [4429, [429, "RESOURCE_EXHAUSTED"]],
]);
