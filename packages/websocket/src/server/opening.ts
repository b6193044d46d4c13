import type { IncomingMessage } from "node:http";
import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { Duplex } from "node:stream";
import { acceptWebSocket } from "../accept.ts";
import { acceptHttp2WebSocket, handshakeRequestOf, refuseHttp2WebSocket } from "../accept-http2.ts";
import type { AcceptOptions } from "../accept-options.ts";
import type { WebSocketConnection } from "../connection.ts";
import { checkHttp2Request } from "../handshake/check-http2-request.ts";
import { type Offer, checkRequest } from "../handshake/check-request.ts";
import type { HandshakeRequest } from "../handshake/handshake-request.ts";
import { checkOrigin } from "../handshake/negotiate.ts";
import { type Refusal, refuse } from "../handshake/refusal.ts";
import type { WebSocketEndpoint } from "./endpoint.ts";
import type { RefusalReason } from "./refusals.ts";

/** An opening request that is not answered yet, over whichever version of HTTP. */
export interface Opening {
  readonly request: HandshakeRequest;
  readonly socket: Duplex;
  /** Checks the request by itself, and answers nothing. */
  check(): Offer | Refusal;
  /** Answers yes. */
  accept(options: AcceptOptions): WebSocketConnection | undefined;
  /** Answers no. */
  refuse(refusal: Refusal): void;
}

/** What an `upgrade` event gives. */
export function openingFromUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Opening {
  return {
    request,
    socket,
    check: () => checkRequest(request),
    accept: (options) => acceptWebSocket(request, socket, head, options),
    refuse: (refusal) => refuse(socket, refusal),
  };
}

/** What a `stream` event of an HTTP/2 server gives. */
export function openingFromStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Opening {
  const request = handshakeRequestOf(stream, headers);
  return {
    request,
    socket: stream,
    check: () => checkHttp2Request(headers, stream),
    accept: (options) => acceptHttp2WebSocket(stream, headers, options),
    refuse: (refusal) => refuseHttp2WebSocket(stream, request, refusal, {}),
  };
}

/** Why a request cannot be taken, whatever the application may think of it; undefined for a good one. */
export function objectionTo(
  opening: Opening,
  endpoint: WebSocketEndpoint,
): readonly [RefusalReason, Refusal] | undefined {
  const offer = opening.check();
  if ("status" in offer) return ["invalid_handshake", offer];
  const foreign = checkOrigin(opening.request, opening.request.headers.host, endpoint);
  return foreign && ["foreign_origin", foreign];
}
