import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { AcceptOptions } from "./accept-options.ts";
import type { WebSocketConnection } from "./connection.ts";
import { checkVersion, readOffer } from "./handshake/check-request.ts";
import type { HandshakeRequest } from "./handshake/handshake-request.ts";
import { negotiate } from "./handshake/negotiate.ts";
import type { Refusal } from "./handshake/refusal.ts";
import { resolveLimits } from "./limits.ts";
import { SocketConnection } from "./socket-connection.ts";

/** Whether an HTTP/2 request opens a WebSocket: an extended CONNECT with the protocol `websocket` (RFC 8441 section 5). */
export function isHttp2WebSocket(headers: IncomingHttpHeaders): boolean {
  return headers[":method"] === "CONNECT" && headers[":protocol"] === "websocket";
}

/** What callbacks see of an opening request over HTTP/2. */
export function handshakeRequestOf(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
): HandshakeRequest {
  return { headers, url: headers[":path"], socket: stream.session?.socket ?? {} };
}

/**
 * Answers the opening handshake of a WebSocket over HTTP/2 (RFC 8441), given what an `http2` server's `stream` event
 * gives, for a request of which `isHttp2WebSocket` is true. The server must have the setting `enableConnectProtocol`.
 * Refuses as `acceptWebSocket` does.
 */
export function acceptHttp2WebSocket(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  options: AcceptOptions,
): WebSocketConnection | undefined {
  const request = handshakeRequestOf(stream, headers);
  const answer = answerTo(request, headers, options);
  if ("status" in answer) return refuseHttp2WebSocket(stream, request, answer, options);
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
  return new SocketConnection(stream, Buffer.alloc(0), {
    role: "server",
    handlers,
    protocol,
    limits,
    compression,
    clock,
    data,
  });
}

/** Answers an opening request over HTTP/2 with a refusal, and tells the options' `refused`. */
export function refuseHttp2WebSocket(
  stream: ServerHttp2Stream,
  request: HandshakeRequest,
  refusal: Refusal,
  options: Pick<AcceptOptions, "refused">,
): undefined {
  stream.on("error", () => {});
  const { Upgrade: _, ...fields } = refusal.headers ?? {};
  stream.respond({ ":status": refusal.status, "content-type": "text/plain; charset=utf-8", ...fields });
  stream.end(`${refusal.message}\n`);
  options.refused?.(refusal, request);
}

function answerTo(
  request: HandshakeRequest,
  headers: IncomingHttpHeaders,
  options: AcceptOptions,
): ReturnType<typeof negotiate> {
  if (!isHttp2WebSocket(headers) || headers[":path"] === undefined || headers[":scheme"] === undefined) {
    return {
      status: 400,
      message: "The request must be a CONNECT with :protocol websocket, :scheme and :path.",
    };
  }
  const wrongVersion = checkVersion(headers);
  if (wrongVersion !== undefined) return wrongVersion;
  const offer = readOffer(headers);
  return "status" in offer ? offer : negotiate(request, headers[":authority"], offer, options);
}
