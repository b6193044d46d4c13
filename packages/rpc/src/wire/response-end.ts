import { constants } from "node:http2";
import type { HttpRequest, HttpResponse } from "../rest/http-message.ts";

/**
 * Before a response that ends before its request: over HTTP/1 the rest of a body that nobody reads would stand before
 * the next request, so the connection closes. Does nothing once the head of the response has left.
 */
export function closeUnlessRead(request: HttpRequest, response: HttpResponse): void {
  if (request.httpVersionMajor === 1 && !request.complete && !response.headersSent) {
    response.setHeader("connection", "close");
  }
}

/**
 * After a response that ended before its request: what the client still sends has no reader, and a client of HTTP/2 is
 * told to stop (RFC 9113, section 8.1).
 */
export function discardRest(request: HttpRequest): void {
  if (request.complete) return;
  request.resume();
  if (!("stream" in request)) return;
  const { stream } = request;
  // The stream must be closed only when all of the response has left, or Node forgets what is still to send. That is
  // so after the end of the body, or after the trailers that follow it.
  const stop = (): void => {
    if (!stream.closed && stream.state.localClose === 1) stream.close(constants.NGHTTP2_NO_ERROR);
  };
  stream.once("finish", () => setImmediate(stop));
  stream.once("wantTrailers", () => setImmediate(stop));
}
