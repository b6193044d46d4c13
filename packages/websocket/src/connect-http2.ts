import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  constants,
  type IncomingHttpHeaders,
} from "node:http2";
import { endOnReset } from "./accept-http2.ts";
import { systemClock } from "./clock.ts";
import type { ConnectOptions } from "./connect.ts";
import type { WebSocketConnection } from "./connection.ts";
import { offerCompression, resolveCompression } from "./deflate/negotiation.ts";
import { WebSocketError } from "./error.ts";
import { checkNegotiated, type OpeningResponse } from "./handshake/check-response.ts";
import { resolveLimits } from "./limits.ts";
import { SocketConnection } from "./socket-connection.ts";

/** How a client connects over HTTP/2: as over HTTP/1.1, but for what concerns the socket. */
export type Http2ConnectOptions = Omit<ConnectOptions, "agent" | "tls">;

/** Of a refusing answer's body, this many bytes are in the error's message. */
const MAX_REFUSAL_BYTES = 1024;

/**
 * Opens a WebSocket on a stream of an HTTP/2 session (RFC 8441), beside whatever else the session carries. `path` is
 * the path with its query. The promise is rejected with a `WebSocketError`: `connect_failed` where the session has
 * ended or the server does not have the setting `enableConnectProtocol`, otherwise as that of `connectWebSocket`.
 * The session stays the caller's, to be closed when the connection has ended.
 */
export async function connectHttp2WebSocket(
  session: ClientHttp2Session,
  path: string,
  options: Http2ConnectOptions = {},
): Promise<WebSocketConnection> {
  const limits = resolveLimits(options.limits);
  const { clock = systemClock, signal, protocols = [], handlers = {}, data } = options;
  const compression = resolveCompression(options.compression);

  const giveUp = new AbortController();
  const abort = (): void => {
    giveUp.abort(new WebSocketError("aborted", `${path}: aborted`, { cause: signal?.reason }));
  };
  const timer = clock.after(limits.handshakeTimeoutMs, () => {
    const message = `${path}: no answer within ${limits.handshakeTimeoutMs} ms`;
    giveUp.abort(new WebSocketError("handshake_timeout", message));
  });
  signal?.addEventListener("abort", abort);
  if (signal?.aborted === true) abort();
  let stream: ClientHttp2Stream | undefined;
  try {
    await settingsOf(session, path, giveUp.signal);
    const fields: Record<string, string> = { "sec-websocket-version": "13" };
    if (protocols.length > 0) fields["sec-websocket-protocol"] = protocols.join(", ");
    if (compression !== undefined) fields["sec-websocket-extensions"] = offerCompression(compression);
    stream = session.request({
      ...options.headers,
      ...fields,
      ":method": "CONNECT",
      ":protocol": "websocket",
      ":path": path,
    });
    const answer = await answerOn(stream, path, giveUp.signal);
    const checked = checkNegotiated(answer, protocols, compression);
    if (checked instanceof WebSocketError) throw checked;
    return open(stream, checked);
  } catch (error) {
    stream?.close(constants.NGHTTP2_CANCEL);
    throw giveUp.signal.aborted ? giveUp.signal.reason : error;
  } finally {
    timer.cancel();
    signal?.removeEventListener("abort", abort);
  }

  function open(carrier: ClientHttp2Stream, agreed: OpeningResponse): WebSocketConnection {
    const role = "client";
    const made = { ...agreed, role, handlers, limits, clock, data } as const;
    const connection = new SocketConnection(carrier, Buffer.alloc(0), made);
    endOnReset(connection, carrier);
    return connection;
  }
}

/** Waits for the server's settings, and checks that they allow this. */
async function settingsOf(session: ClientHttp2Session, path: string, giveUp: AbortSignal): Promise<void> {
  const failed = (why: string, cause?: unknown): WebSocketError =>
    new WebSocketError("connect_failed", `${path}: ${why}`, { cause });
  if (session.closed || session.destroyed) throw failed("the HTTP/2 session has ended");
  if (session.remoteSettings.enableConnectProtocol === undefined) {
    await new Promise<void>((resolve, reject) => {
      firstSettings(session).then(resolve, (cause: Error) => reject(failed(cause.message, cause)));
      giveUp.addEventListener("abort", () => reject(giveUp.reason));
      if (giveUp.aborted) reject(giveUp.reason);
    });
  }
  if (session.remoteSettings.enableConnectProtocol === true) return;
  throw failed("the server takes no WebSockets over HTTP/2: its setting enableConnectProtocol is off");
}

const settingsToCome = new WeakMap<ClientHttp2Session, Promise<void>>();

/** One wait for all who connect on a session that is new. */
function firstSettings(session: ClientHttp2Session): Promise<void> {
  let settings = settingsToCome.get(session);
  if (settings !== undefined) return settings;
  settings = new Promise((resolve, reject) => {
    const onClose = (): void => onError(new Error("the HTTP/2 session has ended"));
    session.on("remoteSettings", onSettings);
    session.on("error", onError);
    session.on("close", onClose);

    function onSettings(): void {
      stop();
      resolve();
    }
    function onError(error: Error): void {
      stop();
      reject(error);
    }
    function stop(): void {
      session.off("remoteSettings", onSettings);
      session.off("error", onError);
      session.off("close", onClose);
    }
  });
  settingsToCome.set(session, settings);
  return settings;
}

function answerOn(
  stream: ClientHttp2Stream,
  path: string,
  giveUp: AbortSignal,
): Promise<IncomingHttpHeaders> {
  return new Promise((resolve, reject) => {
    const failed = (why: string, cause?: unknown): void =>
      reject(new WebSocketError("connect_failed", `${path}: ${why}`, { cause }));
    const onError = (error: Error): void => failed(error.message, error);
    const onClose = (): void => failed("the stream ended without an answer");
    stream.on("error", onError);
    stream.on("close", onClose);
    stream.once("response", (headers) => {
      stream.off("error", onError);
      stream.off("close", onClose);
      if (headers[":status"] === 200) resolve(headers);
      else refusalFrom(stream, headers[":status"] ?? 0, path).then(reject, reject);
    });
    giveUp.addEventListener("abort", () => reject(giveUp.reason));
    if (giveUp.aborted) reject(giveUp.reason);
  });
}

async function refusalFrom(stream: ClientHttp2Stream, status: number, path: string): Promise<WebSocketError> {
  stream.end();
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of stream as AsyncIterable<Buffer>) {
    parts.push(part);
    size += part.length;
    if (size >= MAX_REFUSAL_BYTES) break;
  }
  const text = Buffer.concat(parts).subarray(0, MAX_REFUSAL_BYTES).toString().trim();
  const message = `${path}: the server answered ${status}${text === "" ? "" : `: ${text}`}`;
  return new WebSocketError("handshake_refused", message, { status });
}
