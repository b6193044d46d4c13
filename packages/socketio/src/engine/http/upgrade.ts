import { type IncomingMessage, type OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { Http2ServerRequest } from "node:http2";
import type { Duplex } from "node:stream";
import { type AcceptOptions, acceptWebSocket, type WebSocketConnection } from "@sluice/websocket";
import { bodyOf, type Refusal, refuse, statusOf } from "./refusal.ts";
import { createUpgradeResponse, headersForUpgrade } from "./upgrade-response.ts";

/** A request for a WebSocket, over HTTP/1.1 (RFC 6455) or HTTP/2 (RFC 8441). It is answered once, by either method. */
export interface WebSocketRequest {
  readonly request: IncomingMessage | Http2ServerRequest;
  /** Opens the WebSocket; undefined where the handshake was refused. */
  accept(options: AcceptOptions): WebSocketConnection | undefined;
  /** Answers with an HTTP status and a JSON text instead. */
  refuse(httpStatus: number, json: string): void;
}

/** What may become a WebSocket. */
export interface Upgrade {
  readonly request: IncomingMessage;
  /** What middlewares may answer with, in the place of an upgrade. */
  readonly response: ServerResponse;
  /** Whether the client has left. */
  readonly isGone: boolean;
  /** The headers that were set on the response; `accept` is next. */
  takeHeaders(): OutgoingHttpHeaders;
  accept(options: AcceptOptions): WebSocketConnection | undefined;
  refuse(refusal: Refusal): void;
}

/** An upgrade as Node's `upgrade` event gives it. */
export function upgradeFromSocket(request: IncomingMessage, socket: Duplex, head: Buffer): Upgrade {
  // Until the socket is a WebSocket's, its errors are nobody's; its end follows them.
  socket.on("error", ignoreError);
  const response = createUpgradeResponse(request, socket);
  return {
    request,
    response,
    get isGone() {
      return socket.destroyed;
    },
    takeHeaders: () => headersForUpgrade(response, socket),
    accept: (options) => {
      socket.off("error", ignoreError);
      return acceptWebSocket(request, socket, head, options);
    },
    refuse: (refusal) => refuse(response, refusal),
  };
}

/** A request that something else has taken. */
export function upgradeFromRequest(webSocket: WebSocketRequest): Upgrade {
  // Of HTTP/2, Node's compatibility API has all that is looked at.
  const request = webSocket.request as IncomingMessage;
  const stream = "stream" in webSocket.request ? webSocket.request.stream : request.socket;
  stream.on("error", ignoreError);
  return {
    request,
    response: new ServerResponse(request),
    get isGone() {
      return stream.destroyed;
    },
    takeHeaders: () => ({}),
    accept: (options) => {
      stream.off("error", ignoreError);
      return webSocket.accept(options);
    },
    refuse: (refusal) => webSocket.refuse(statusOf(refusal), bodyOf(refusal)),
  };
}

function ignoreError(): void {}
