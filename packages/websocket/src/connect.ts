import { randomBytes } from "node:crypto";
import * as http from "node:http";
import * as https from "node:https";
import type { Duplex } from "node:stream";
import type { ConnectionOptions as TlsOptions } from "node:tls";
import { type Clock, systemClock } from "./clock.ts";
import type { WebSocketConnection, WebSocketHandlers } from "./connection.ts";
import { offerCompression, resolveCompression } from "./deflate/negotiation.ts";
import type { CompressionOptions } from "./deflate/options.ts";
import { WebSocketError } from "./error.ts";
import { checkResponse } from "./handshake/check-response.ts";
import { isToken } from "./handshake/header.ts";
import { type Limits, resolveLimits } from "./limits.ts";
import { SocketConnection } from "./socket-connection.ts";

/** How a client connects. */
export interface ConnectOptions {
  /** What is done with the connection. Default: nothing, which only makes sense for one that sends. */
  readonly handlers?: WebSocketHandlers;
  /** The subprotocols that the client speaks, the one it likes best first. Default: none. */
  readonly protocols?: readonly string[];
  /** Further fields of the request, such as `Authorization`, `Cookie` or `Origin`. Default: none. */
  readonly headers?: Readonly<http.OutgoingHttpHeaders>;
  /** The bounds of the connection, `handshakeTimeoutMs` among them. Default: `defaultLimits`. */
  readonly limits?: Partial<Limits>;
  /** Compression of messages, permessage-deflate; true for its defaults. Default false: it costs memory and time. */
  readonly compression?: boolean | Partial<CompressionOptions>;
  /** Gives up the opening handshake; without effect after it. Default: none. */
  readonly signal?: AbortSignal;
  /** Makes the socket: for a proxy, a Unix socket, a pool. Default: none, a new socket for each connection. */
  readonly agent?: http.Agent;
  /** What a `wss:` connection's TLS takes: `ca`, `cert`, `key`, `servername`, `rejectUnauthorized`. Default: none. */
  readonly tls?: TlsOptions;
  /** What `connection.data` is from the start. Default: undefined. */
  readonly data?: unknown;
  /** Where time comes from. Default: the system's clock. */
  readonly clock?: Clock;
}

/** Of a refusing answer's body, this many bytes are in the error's message. */
const MAX_REFUSAL_BYTES = 1024;

/**
 * Connects to a WebSocket server (RFC 6455 section 4.1): `ws:` in clear text, `wss:` over TLS. The promise is
 * rejected with a `WebSocketError`. Redirects are not followed: they are refusals (`handshake_refused`, with the
 * status), because a redirect may carry credentials to a place that was not asked for.
 */
export async function connectWebSocket(
  url: string | URL,
  options: ConnectOptions = {},
): Promise<WebSocketConnection> {
  const target = checkUrl(url);
  const limits = resolveLimits(options.limits);
  const protocols = checkProtocols(options.protocols ?? []);
  const compression = resolveCompression(options.compression);
  const key = randomBytes(16).toString("base64");
  const { clock = systemClock, signal } = options;

  const giveUp = new AbortController();
  const abort = (): void => {
    giveUp.abort(new WebSocketError("aborted", `${target.href}: aborted`, { cause: signal?.reason }));
  };
  const timer = clock.after(limits.handshakeTimeoutMs, () => {
    const message = `${target.href}: no answer within ${limits.handshakeTimeoutMs} ms`;
    giveUp.abort(new WebSocketError("handshake_timeout", message));
  });
  signal?.addEventListener("abort", abort);
  if (signal?.aborted === true) abort();
  try {
    const request = openingRequest(
      target,
      openingHeaders(key, protocols, options, compression),
      options,
      giveUp.signal,
    );
    const { response, socket, head } = await answerTo(request, target);
    const checked = checkResponse(response, key, protocols, compression);
    if (checked instanceof WebSocketError) {
      socket.destroy();
      throw checked;
    }
    const { handlers = {}, data } = options;
    return new SocketConnection(socket, head, { ...checked, role: "client", handlers, limits, clock, data });
  } catch (error) {
    throw giveUp.signal.aborted ? giveUp.signal.reason : error;
  } finally {
    timer.cancel();
    signal?.removeEventListener("abort", abort);
  }
}

/** The parsed URL. Throws a WebSocketError for one that is not a WebSocket's. */
export function checkUrl(url: string | URL): URL {
  const given = String(url);
  if (!URL.canParse(given)) throw new WebSocketError("url_invalid", `${JSON.stringify(given)} is not a URL`);
  const target = new URL(given);
  if (target.protocol !== "ws:" && target.protocol !== "wss:") {
    throw new WebSocketError("url_invalid", `${given}: the scheme must be ws: or wss:`);
  }
  if (given.includes("#"))
    throw new WebSocketError("url_invalid", `${given}: a WebSocket URL has no fragment`);
  return target;
}

/** The same subprotocols. Throws a RangeError for one that must not be offered. */
export function checkProtocols(protocols: readonly string[]): readonly string[] {
  const wrong = protocols.find((each, index) => !isToken(each) || protocols.indexOf(each) !== index);
  if (wrong === undefined) return protocols;
  throw new RangeError(`the subprotocol ${JSON.stringify(wrong)} is not a token, or is named twice`);
}

function openingHeaders(
  key: string,
  protocols: readonly string[],
  options: ConnectOptions,
  compression: CompressionOptions | undefined,
): http.OutgoingHttpHeaders {
  const headers: http.OutgoingHttpHeaders = {
    ...options.headers,
    Connection: "Upgrade",
    Upgrade: "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": key,
  };
  if (protocols.length > 0) headers["Sec-WebSocket-Protocol"] = protocols.join(", ");
  if (compression !== undefined) headers["Sec-WebSocket-Extensions"] = offerCompression(compression);
  return headers;
}

function openingRequest(
  target: URL,
  headers: http.OutgoingHttpHeaders,
  options: ConnectOptions,
  signal: AbortSignal,
): http.ClientRequest {
  const common: http.RequestOptions = {
    host: target.hostname.replace(/^\[|\]$/g, ""),
    path: `${target.pathname}${target.search}`,
    headers,
    signal,
    agent: options.agent ?? false,
  };
  if (target.username !== "" || target.password !== "") {
    common.auth = `${decodeURIComponent(target.username)}:${decodeURIComponent(target.password)}`;
  }
  if (target.port !== "") common.port = target.port;
  if (target.protocol === "wss:") return https.request({ ...options.tls, ...common });
  return http.request(common);
}

interface Upgraded {
  readonly response: http.IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

function answerTo(request: http.ClientRequest, target: URL): Promise<Upgraded> {
  return new Promise((resolve, reject) => {
    request.on("upgrade", (response, socket, head) => {
      socket.setTimeout(0);
      socket.setNoDelay(true);
      resolve({ response, socket, head });
    });
    request.on("response", (response) => {
      refusalFrom(response, target).then(reject, reject);
    });
    request.on("error", (cause) => {
      reject(new WebSocketError("connect_failed", `${target.href}: ${cause.message}`, { cause }));
    });
    request.end();
  });
}

async function refusalFrom(response: http.IncomingMessage, target: URL): Promise<WebSocketError> {
  const status = response.statusCode ?? 0;
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    parts.push(part);
    size += part.length;
    if (size >= MAX_REFUSAL_BYTES) break;
  }
  response.destroy();
  const text = Buffer.concat(parts).subarray(0, MAX_REFUSAL_BYTES).toString().trim();
  const { location } = response.headers;
  const redirect = location === undefined ? "" : ` (redirects to ${location}, which is not followed)`;
  const answer = `${status} ${response.statusMessage ?? ""}`.trim();
  const message = `${target.href}: the server answered ${answer}${redirect}${text === "" ? "" : `: ${text}`}`;
  return new WebSocketError("handshake_refused", message, { status });
}
