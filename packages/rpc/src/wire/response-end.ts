import { constants, type ServerHttp2Stream } from "node:http2";
import type { HttpRequest } from "../rest/http-message.ts";

/** How much of a request is still read over HTTP/1 when it has been answered, in bytes; then the connection ends. */
const maxDiscardedBytes = 16 * 1024 * 1024;

/** How long such a request may still take, in milliseconds. */
const maxDiscardMs = 5_000;

/**
 * After a response that ended before its request: what the client still sends has no reader.
 *
 * A client of HTTP/2 is told to stop (RFC 9113, section 8.1). One of HTTP/1 can only be disconnected, by which it may lose
 * the answer that it has not read yet, so a bounded rest is let pass.
 */
export function discardRest(request: HttpRequest): void {
  if (request.complete) return;
  if ("stream" in request) {
    if (request.stream.endAfterHeaders) return;
    request.resume();
    stopStream(request.stream);
    return;
  }
  let left = maxDiscardedBytes;
  const timer = setTimeout(() => request.destroy(), maxDiscardMs);
  request.once("close", () => clearTimeout(timer));
  request.on("data", (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) request.destroy();
  });
  request.resume();
}

// The stream must be closed only when all of the response has left, or Node forgets what is still to send. That is so
// after the end of the body, or after the trailers that follow it.
function stopStream(stream: ServerHttp2Stream): void {
  const stop = (): void => {
    if (!stream.closed && stream.state.localClose === 1) stream.close(constants.NGHTTP2_NO_ERROR);
  };
  stream.once("finish", () => setImmediate(stop));
  stream.once("wantTrailers", () => setImmediate(stop));
}
