import {
  type IncomingMessage,
  type OutgoingHttpHeaders,
  validateHeaderName,
  validateHeaderValue,
} from "node:http";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { isAttached } from "./attached-socket.ts";
import type { Clock } from "./clock.ts";
import type { WebSocketConnection, WebSocketHandlers } from "./connection.ts";
import { agreeToOffer, resolveCompression } from "./deflate/negotiation.ts";
import type { CompressionOptions } from "./deflate/options.ts";
import { acceptFromKey } from "./handshake/accept-key.ts";
import { checkRequest } from "./handshake/check-request.ts";
import { allowsOrigin, type OriginPolicy } from "./handshake/origin.ts";
import { type Refusal, refuse } from "./handshake/refusal.ts";
import { type Limits, resolveLimits } from "./limits.ts";
import { SocketConnection } from "./socket-connection.ts";

/** Chooses one of the offered subprotocols, or none. */
export type ProtocolChoice = (offered: readonly string[], request: IncomingMessage) => string | undefined;

/** How a server takes connections. One object may serve any number of them. */
export interface AcceptOptions {
  /** What is done with the connections. */
  readonly handlers: WebSocketHandlers;
  /**
   * The subprotocols that the server speaks; of those offered, the first that is in the list is taken, so the
   * client's order counts. Or a function that chooses. Default: none is taken.
   */
  readonly protocols?: readonly string[] | ProtocolChoice;
  /** Which browsers' pages may connect. Default `"same"`: only those of the server's own host. */
  readonly origin?: OriginPolicy;
  /** Further fields of the 101 answer, such as `Set-Cookie`. */
  readonly headers?: Readonly<OutgoingHttpHeaders>;
  /** The bounds of each connection. Default: `defaultLimits`. */
  readonly limits?: Partial<Limits>;
  /** Compression of messages, permessage-deflate; true for its defaults. Default false: it costs memory and time. */
  readonly compression?: boolean | Partial<CompressionOptions>;
  /** What `connection.data` is from the start. Default: undefined. */
  readonly data?: unknown;
  /** Where time comes from. Default: the system's clock. */
  readonly clock?: Clock;
  /** Is told of a request that was refused, after it was answered. */
  readonly refused?: (refusal: Refusal, request: IncomingMessage) => void;
}

const NO_PROTOCOLS: readonly string[] = [];

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
  if ("status" in opening) return refused(opening);
  if (!allowsOrigin(options.origin ?? "same", request.headers.host, request.headers)) {
    const message = `Pages of ${JSON.stringify(request.headers.origin)} may not connect here.`;
    return refused({ status: 403, message });
  }
  const protocol = chooseProtocol(options.protocols ?? NO_PROTOCOLS, opening.protocols, request);
  const lines = [
    "HTTP/1.1 101 Switching Protocols",
    "Upgrade: websocket",
    "Connection: Upgrade",
    `Sec-WebSocket-Accept: ${acceptFromKey(opening.key)}`,
  ];
  if (protocol !== "") lines.push(`Sec-WebSocket-Protocol: ${protocol}`);
  const compression = resolveCompression(options.compression);
  const agreement = compression && agreeToOffer(opening.extensions, compression);
  if (agreement !== undefined) lines.push(`Sec-WebSocket-Extensions: ${agreement.answer}`);
  addHeaders(lines, options.headers);
  if (socket instanceof Socket) {
    socket.setTimeout(0);
    socket.setNoDelay(true);
  }
  socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  return new SocketConnection(socket, head, {
    role: "server",
    handlers: options.handlers,
    protocol,
    limits: resolveLimits(options.limits),
    compression: agreement?.agreed,
    clock: options.clock,
    data: options.data,
  });

  function refused(refusal: Refusal): undefined {
    refuse(socket, refusal);
    options.refused?.(refusal, request);
  }
}

function chooseProtocol(
  spoken: readonly string[] | ProtocolChoice,
  offered: readonly string[],
  request: IncomingMessage,
): string {
  if (offered.length === 0) return "";
  if (typeof spoken !== "function") return offered.find((each) => spoken.includes(each)) ?? "";
  const chosen = spoken(offered, request);
  if (chosen === undefined) return "";
  if (!offered.includes(chosen)) {
    throw new Error(`the subprotocol ${JSON.stringify(chosen)} was chosen, but the client did not offer it`);
  }
  return chosen;
}

function addHeaders(lines: string[], headers: Readonly<OutgoingHttpHeaders> = {}): void {
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) continue;
    validateHeaderName(name);
    for (const each of Array.isArray(value) ? value : [String(value)]) {
      validateHeaderValue(name, each);
      lines.push(`${name}: ${each}`);
    }
  }
}
