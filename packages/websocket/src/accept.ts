import type { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { AcceptOptions } from "./accept-options.ts";
import { isAttached } from "./attached-socket.ts";
import type { WebSocketConnection } from "./connection.ts";
import { acceptFromKey } from "./handshake/accept-key.ts";
import { checkRequest } from "./handshake/check-request.ts";
import { negotiate } from "./handshake/negotiate.ts";
import { type Refusal, refuse } from "./handshake/refusal.ts";
import { resolveLimits } from "./limits.ts";
import { SocketConnection } from "./socket-connection.ts";

/**
 * Answers the opening handshake of a WebSocket over HTTP/1.1 (RFC 6455 section 4.2), given what an `http` or `https`
 * server's `upgrade` event gives.
 *
 * A request that breaks a rule gets 400, another version of the protocol 426, a page of a foreign origin 403, each
 * with a text that says what is wrong; then the result is undefined and the socket is ended. The caller has nothing
 * left to do in either case.
 */
export function acceptWebSocket(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  options: AcceptOptions,
): WebSocketConnection | undefined {
  if (isAttached(socket)) throw new Error("this socket is a WebSocket already: was it accepted twice?");
  const opening = checkRequest(request);
  const answer = "status" in opening ? opening : negotiate(request, request.headers.host, opening, options);
  if ("status" in answer) return refuseWebSocket(request, socket, answer, options);
  const lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"];
  if ("key" in opening) lines.push(`Sec-WebSocket-Accept: ${acceptFromKey(opening.key)}`);
  for (const [name, value] of answer.fields) lines.push(`${name}: ${value}`);
  if (socket instanceof Socket) {
    socket.setTimeout(0);
    socket.setNoDelay(true);
  }
  socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  const { protocol, compression } = answer;
  const { handlers, clock, data } = options;
  const limits = resolveLimits(options.limits);
  return new SocketConnection(socket, head, {
    role: "server",
    handlers,
    protocol,
    limits,
    compression,
    clock,
    data,
  });
}

/** Answers an opening request over HTTP/1.1 with a refusal, and tells the options' `refused`. */
export function refuseWebSocket(
  request: IncomingMessage,
  socket: Duplex,
  refusal: Refusal,
  options: Pick<AcceptOptions, "refused">,
): undefined {
  refuse(socket, refusal);
  options.refused?.(refusal, request);
}
