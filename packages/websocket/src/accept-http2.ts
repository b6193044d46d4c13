import type { Http2Stream, IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { AcceptOptions } from "./accept-options.ts";
import { isAttached } from "./attached-socket.ts";
import type { WebSocketConnection } from "./connection.ts";
import { WebSocketError } from "./error.ts";
import { checkHttp2Request } from "./handshake/check-http2-request.ts";
import type { HandshakeRequest } from "./handshake/handshake-request.ts";
import { negotiate } from "./handshake/negotiate.ts";
import { checkRefusal, type Refusal } from "./handshake/refusal.ts";
import { resolveLimits } from "./limits.ts";
import { SocketConnection } from "./socket-connection.ts";

/** Whether an HTTP/2 request opens a WebSocket: an extended CONNECT with the protocol `websocket` (RFC 8441 section 5). */
export function isHttp2WebSocket(headers: IncomingHttpHeaders): boolean {
  return headers[":method"] === "CONNECT" && headers[":protocol"] === "websocket";
}

/** What callbacks see of an opening request over HTTP/2: as over HTTP/1.1, with `host` for `:authority`. */
export function handshakeRequestOf(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
): HandshakeRequest {
  const host = headers[":authority"] ?? headers.host;
  return {
    headers: host === undefined ? headers : { ...headers, host },
    url: headers[":path"],
    socket: stream.session?.socket ?? {},
  };
}

/**
 * Answers the opening handshake of a WebSocket over HTTP/2 (RFC 8441), given what an `http2` server's `stream` event
 * gives, for a request of which `isHttp2WebSocket` is true. The server must have the setting `enableConnectProtocol`.
 * If it also has a listener for `request`, it needs one for `connect` that does nothing: without, Node answers 405.
 *
 * A request that breaks a rule gets 400, a page of a foreign origin 403, each with a text that says what is wrong.
 * Then, and when the client has already gone, the result is undefined. The caller has nothing left to do in any case.
 *
 * The end of the stream is to the connection what the end of a socket is over HTTP/1.1, and a reset what a lost
 * socket is: `closed` has the code 1006 and a cause with the code `connection_lost`. `terminate()` resets the stream,
 * and leaves the others of its session alone. A peer that sends to a paused connection is held up by flow control.
 */
export function acceptHttp2WebSocket(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  options: AcceptOptions,
): WebSocketConnection | undefined {
  if (isAttached(stream)) throw new Error("this stream is a WebSocket already: was it accepted twice?");
  const request = handshakeRequestOf(stream, headers);
  const offer = checkHttp2Request(headers, stream);
  const answer = "status" in offer ? offer : negotiate(request, request.headers.host, offer, options);
  if ("status" in answer) return refuseHttp2WebSocket(stream, request, answer, options);
  if (stream.destroyed || stream.closed) return undefined;
  const fields: Record<string, string | string[]> = {};
  for (const [name, value] of answer.fields) {
    const key = name.toLowerCase();
    const before = fields[key];
    fields[key] = before === undefined ? value : [before, value].flat();
  }
  stream.respond({ ":status": 200, ...fields });
  const { protocol, compression } = answer;
  const { handlers, clock, data } = options;
  const limits = resolveLimits(options.limits);
  const connection = new SocketConnection(stream, Buffer.alloc(0), {
    role: "server",
    handlers,
    protocol,
    limits,
    compression,
    clock,
    data,
  });
  endOnReset(connection, stream);
  return connection;
}

/** Answers an opening request over HTTP/2 with a refusal, and tells the options' `refused`. */
export function refuseHttp2WebSocket(
  stream: ServerHttp2Stream,
  request: HandshakeRequest,
  refusal: Refusal,
  options: Pick<AcceptOptions, "refused">,
): undefined {
  checkRefusal(refusal);
  stream.on("error", () => stream.destroy());
  if (!stream.destroyed && !stream.closed) {
    const { Upgrade: _, ...fields } = refusal.headers ?? {};
    stream.respond({ ":status": refusal.status, "content-type": "text/plain; charset=utf-8", ...fields });
    stream.end(`${refusal.message}\n`);
  }
  options.refused?.(refusal, request);
}

/** The error codes of RFC 9113 section 7, from 0 on. */
const resetCodes = [
  "NO_ERROR",
  "PROTOCOL_ERROR",
  "INTERNAL_ERROR",
  "FLOW_CONTROL_ERROR",
  "SETTINGS_TIMEOUT",
  "STREAM_CLOSED",
  "FRAME_SIZE_ERROR",
  "REFUSED_STREAM",
  "CANCEL",
  "COMPRESSION_ERROR",
  "CONNECT_ERROR",
  "ENHANCE_YOUR_CALM",
  "INADEQUATE_SECURITY",
  "HTTP_1_1_REQUIRED",
];

/** Ends a connection, with the reason as its cause, when the peer resets its stream. */
export function endOnReset(connection: WebSocketConnection, stream: Http2Stream): void {
  stream.on("aborted", () => {
    // What this side terminates is aborted too.
    if (connection.state !== "open") return;
    const code = stream.rstCode ?? 0;
    const message = `the peer reset the stream (${resetCodes[code] ?? `code ${code}`})`;
    connection.terminate(new WebSocketError("connection_lost", message));
  });
}
