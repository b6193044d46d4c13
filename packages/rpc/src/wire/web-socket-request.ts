import { STATUS_CODES, type IncomingMessage } from "node:http";
import type { Http2ServerRequest } from "node:http2";
import type { Duplex } from "node:stream";
import {
  acceptHttp2WebSocket,
  acceptWebSocket,
  type AcceptOptions,
  type WebSocketConnection,
} from "@sluice/websocket";
import type { HttpRequest } from "../rest/http-message.ts";

/** A request for a WebSocket, over HTTP/1.1 (RFC 6455) or HTTP/2 (RFC 8441). It is answered once, by either method. */
export interface WebSocketRequest {
  readonly request: HttpRequest;
  /** Opens the WebSocket; undefined where the handshake was refused, which the options' `refused` is told. */
  accept(options: AcceptOptions): WebSocketConnection | undefined;
  /** Answers with an HTTP status and a JSON text instead. */
  refuse(httpStatus: number, json: string): void;
}

/** A request for a WebSocket from what the `upgrade` event of an HTTP/1 server gives. */
export function webSocketRequestFromUpgrade(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): WebSocketRequest {
  return {
    request,
    accept: (options) => acceptWebSocket(request, socket, head, options),
    refuse: (httpStatus, json) => refuseUpgrade(socket, httpStatus, json),
  };
}

/** A request for a WebSocket from what the `connect` event of an HTTP/2 server gives. */
export function webSocketRequestFromConnect(request: Http2ServerRequest): WebSocketRequest {
  const { stream, headers } = request;
  return {
    request,
    accept: (options) => acceptHttp2WebSocket(stream, headers, options),
    refuse(httpStatus, json) {
      stream.on("error", () => stream.destroy());
      if (stream.destroyed || stream.closed) return;
      stream.respond({ ":status": httpStatus, "content-type": "application/json" });
      stream.end(json);
    },
  };
}

function refuseUpgrade(socket: Duplex, httpStatus: number, json: string): void {
  const body = Buffer.from(json);
  socket.on("error", () => socket.destroy());
  socket.once("finish", () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${httpStatus} ${STATUS_CODES[httpStatus] ?? ""}\r\n` +
      `content-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${json}`,
  );
}
