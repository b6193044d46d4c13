import type { IncomingMessage } from "node:http";
import type {
  Http2ServerRequest,
  Http2ServerResponse,
  IncomingHttpHeaders,
  ServerHttp2Stream,
} from "node:http2";
import type { Duplex } from "node:stream";
import { isHttp2WebSocket } from "../accept-http2.ts";
import type { AcceptOptions } from "../accept-options.ts";
import { isAttached } from "../attached-socket.ts";
import { boundHandlers } from "../bound-handlers.ts";
import { type Clock, systemClock } from "../clock.ts";
import { CloseCode } from "../close-code.ts";
import { encodeClosePayload } from "../close-frame.ts";
import type { WebSocketConnection, WebSocketHandlers } from "../connection.ts";
import { WebSocketError } from "../error.ts";
import { checkRefusal, type Refusal } from "../handshake/refusal.ts";
import { Heartbeat } from "../heartbeat.ts";
import { resolveLimits } from "../limits.ts";
import { askVerify, type Verdict } from "./ask-verify.ts";
import { type Admission, pathOf, takesPath, type WebSocketEndpoint } from "./endpoint.ts";
import { objectionTo, type Opening, openingFromStream, openingFromUpgrade } from "./opening.ts";
import { noRefusals, type RefusalCounts, type RefusalReason, type RefusedRequest } from "./refusals.ts";
import { type Seat, Seating } from "./seating.ts";
import { type CloseOptions, resolveServerOptions, type WebSocketServerOptions } from "./server-options.ts";

/** An `http`, `https` or `http2` server of Node, or what has the same events. */
export interface AttachableServer {
  on(event: string, listener: (...args: never[]) => void): unknown;
  listenerCount(event: string): number;
  /** What only HTTP/2 servers have. */
  updateSettings?(settings: { readonly enableConnectProtocol: boolean }): void;
}

/** An endpoint with what the server adds. */
interface Served {
  readonly endpoint: WebSocketEndpoint;
  readonly options: AcceptOptions;
  readonly heartbeat: Heartbeat | undefined;
}

/** Sockets of requests that a `verify` decides about. */
const waiting = new WeakSet<Duplex>();

const seatOf: unique symbol = Symbol("Seat");

interface SeatedConnection extends WebSocketConnection {
  [seatOf]?: Seat;
}

/**
 * Takes WebSocket connections from any number of HTTP servers, on any number of paths, and looks after all of them.
 * Made by `createWebSocketServer`.
 */
export class WebSocketServer {
  readonly #options: ReturnType<typeof resolveServerOptions>;
  readonly #refused: ((refused: RefusedRequest) => void) | undefined;
  readonly #clock: Clock;
  readonly #served: readonly Served[];
  readonly #seating: Seating;
  readonly #connections = new Set<WebSocketConnection>();
  readonly #refusals = noRefusals();
  /** What waits for a `verify`, and is told when the server closes. */
  readonly #undecided = new Set<() => void>();
  #closing = false;
  #closed: Promise<void> | undefined;
  /** Is called when the last connection has gone, while the server closes. */
  #emptied: (() => void) | undefined;
  /** The place of the connection that is being opened. */
  #opening: Seat | undefined;

  constructor(endpoints: readonly WebSocketEndpoint[], options: WebSocketServerOptions) {
    this.#options = resolveServerOptions(options);
    this.#refused = options.refused;
    this.#clock = options.clock ?? systemClock;
    this.#seating = new Seating(this.#options.maxConnections, this.#options.maxConnectionsPerAddress);
    this.#served = endpoints.map((endpoint) => this.#serve(endpoint));
  }

  /** The connections that have not ended, of all endpoints. */
  get connections(): ReadonlySet<WebSocketConnection> {
    return this.#connections;
  }

  /** How many opening requests were refused so far, by reason. */
  get refusals(): Readonly<RefusalCounts> {
    return this.#refusals;
  }

  /**
   * Takes the WebSockets of an HTTP server: `upgrade` requests, and on an HTTP/2 server extended CONNECT too, which
   * this allows by its settings (RFC 8441). Other requests stay with the server's other listeners. A server that has
   * a `stream` listener of its own must leave CONNECT requests alone there. Of several that are attached to one HTTP
   * server, all but the last need `unknownPath: "leave"`.
   *
   * How long a client may take to send its request is the HTTP server's `headersTimeout`.
   */
  attach(server: AttachableServer): this {
    server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      this.handleUpgrade(request, socket, head);
    });
    if (server.updateSettings === undefined) return this;
    server.updateSettings({ enableConnectProtocol: true });
    server.on("stream", (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
      if (isHttp2WebSocket(headers)) this.handleStream(stream, headers);
      else if (server.listenerCount("stream") === 1) {
        // Without this listener Node would have refused the stream.
        stream.respond({ ":status": 404 }, { endStream: true });
      }
    });
    // Beside a listener for requests, Node answers every CONNECT if nobody listens for them.
    server.on("connect", (request: Http2ServerRequest, response: Http2ServerResponse) => {
      if (!isHttp2WebSocket(request.headers) && server.listenerCount("connect") === 1) {
        response.writeHead(405).end();
      }
    });
    return this;
  }

  /**
   * Takes what an `upgrade` event gives, for servers that are not attached. Answers whether the request is answered
   * here, now or later: false for a path that is left to others, and for a request that another has answered.
   */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    return this.#open(openingFromUpgrade(request, socket, head));
  }

  /** As `handleUpgrade()`, for what a `stream` event of an HTTP/2 server gives. False also for what opens no WebSocket. */
  handleStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): boolean {
    return isHttp2WebSocket(headers) && this.#open(openingFromStream(stream, headers));
  }

  /** How many milliseconds the last ping of a connection took; undefined before the first, and without a heartbeat. */
  latencyOf(connection: WebSocketConnection): number | undefined {
    for (const { heartbeat } of this.#served) {
      const latency = heartbeat?.latencyOf(connection);
      if (latency !== undefined) return latency;
    }
    return undefined;
  }

  /**
   * Refuses new connections with 503, closes those that are there, and resolves when all have ended. What has not
   * ended after `timeoutMs` is terminated. The HTTP servers and the sessions of HTTP/2 stay open, for their owner to
   * close. A second call gets the first one's promise.
   *
   * Rejects with a RangeError for an option that is out of range, and then closes nothing.
   */
  async close(options: CloseOptions = {}): Promise<void> {
    const { code = CloseCode.GOING_AWAY, reason = "the server closes", timeoutMs = 10_000 } = options;
    encodeClosePayload(code, reason);
    if (!(timeoutMs > 0)) throw new RangeError(`timeoutMs is ${timeoutMs}: it must be a number above 0`);
    this.#closed ??= this.#close(code, reason, timeoutMs);
    return this.#closed;
  }

  async #close(code: number, reason: string, timeoutMs: number): Promise<void> {
    this.#closing = true;
    for (const close of this.#undecided) close();
    for (const connection of this.#connections) connection.close(code, reason);
    if (this.#seating.taken === 0) return;
    const timer = this.#clock.after(timeoutMs, () => {
      const message = `the server closed, and the peer did not within ${timeoutMs} ms`;
      for (const connection of this.#connections) {
        connection.terminate(new WebSocketError("timeout", message));
      }
    });
    await new Promise<void>((resolve) => {
      this.#emptied = resolve;
    });
    timer.cancel();
  }

  #serve(endpoint: WebSocketEndpoint): Served {
    const { path: _, verify: _verify, heartbeat: beating = true, ...accept } = endpoint;
    resolveLimits(endpoint.limits);
    const clock = this.#clock;
    const heartbeat =
      beating === false ? undefined : new Heartbeat(beating === true ? {} : beating, { clock });
    const handlers = this.#watch(endpoint.handlers, heartbeat);
    return { endpoint, heartbeat, options: { ...accept, handlers, clock } };
  }

  /** Handlers that also keep the list of connections, and the heartbeat. */
  #watch(handlers: WebSocketHandlers, heartbeat: Heartbeat | undefined): WebSocketHandlers {
    const bound = boundHandlers(heartbeat?.watch(handlers) ?? handlers);
    const { open, close } = bound;
    bound.open = (connection: SeatedConnection) => {
      connection[seatOf] = this.#opening!;
      this.#opening = undefined;
      this.#connections.add(connection);
      open?.(connection);
    };
    bound.close = (connection: SeatedConnection, closed) => {
      this.#connections.delete(connection);
      this.#leave(connection[seatOf]!);
      close?.(connection, closed);
    };
    return bound;
  }

  #leave(seat: Seat): void {
    this.#seating.leave(seat);
    if (this.#seating.taken === 0) this.#emptied?.();
  }

  #open(opening: Opening): boolean {
    if (isAnswered(opening.socket)) return false;
    try {
      return this.#decide(opening);
    } catch (cause) {
      this.#fail(opening, cause);
      return true;
    }
  }

  #decide(opening: Opening): boolean {
    const { request } = opening;
    const path = pathOf(request);
    const served = this.#served.find(({ endpoint }) => takesPath(endpoint.path, path, request));
    if (served === undefined) {
      if (this.#options.unknownPath === "leave") return false;
      this.#refuse(opening, "unknown_path", { status: 404, message: "There is no WebSocket at this path." });
      return true;
    }
    const { endpoint } = served;
    const objection = objectionTo(opening, endpoint);
    if (objection !== undefined) {
      this.#refuse(opening, ...objection);
      return true;
    }
    if (this.#closing) {
      this.#refuseClosing(opening);
      return true;
    }
    const seat = this.#seating.take(this.#options.address(request));
    if (typeof seat === "string") {
      const [status, message] =
        seat === "too_many_connections"
          ? ([503, "The server has all the connections that it takes."] as const)
          : ([429, "There are too many connections from this address."] as const);
      this.#refuse(opening, seat, this.#later(status, message));
    } else if (endpoint.verify === undefined) this.#accept(opening, served, seat, {});
    else {
      const { verify } = endpoint;
      const timeoutMs = resolveLimits(endpoint.limits).handshakeTimeoutMs;
      const { socket } = opening;
      const context = { request, socket, timeoutMs, clock: this.#clock, onClose: this.#undecided };
      waiting.add(socket);
      void askVerify(verify, context).then((verdict) => {
        waiting.delete(socket);
        this.#verified(opening, served, seat, verdict);
      });
    }
    return true;
  }

  #verified(opening: Opening, served: Served, seat: Seat, verdict: Verdict): void {
    if (verdict.name === "admitted" && !this.#closing) {
      this.#accept(opening, served, seat, verdict.admission);
      return;
    }
    try {
      if (verdict.name === "refused") this.#refuse(opening, "verify_refused", verdict.refusal);
      else if (verdict.name === "failed") this.#fail(opening, verdict.cause);
      else if (verdict.name === "timeout") {
        const message = "It took too long to decide on this request.";
        this.#refuse(opening, "verify_timeout", this.#later(503, message));
      } else if (verdict.name === "client_left") {
        opening.socket.destroy();
        this.#count(opening, "client_left", undefined);
      } else this.#refuseClosing(opening);
    } catch (cause) {
      this.#fail(opening, cause);
    }
    this.#leave(seat);
  }

  #accept(opening: Opening, served: Served, seat: Seat, admission: Admission): void {
    const { options, heartbeat } = served;
    const { protocol, handlers } = admission;
    const all: AcceptOptions = {
      ...options,
      // It was checked before.
      origin: "any",
      ...(handlers === undefined ? {} : { handlers: this.#watch(handlers, heartbeat) }),
      ...("data" in admission ? { data: admission.data } : {}),
      ...(protocol === undefined ? {} : { protocols: () => (protocol === "" ? undefined : protocol) }),
      ...(admission.headers === undefined ? {} : { headers: { ...options.headers, ...admission.headers } }),
    };
    this.#opening = seat;
    try {
      const connection = opening.accept(all);
      if (connection === undefined) {
        this.#leave(seat);
        this.#count(opening, "client_left", undefined);
      }
    } catch (cause) {
      if (this.#opening === seat) {
        this.#fail(opening, cause);
        this.#leave(seat);
        return;
      }
      // The `open` handler threw, and its connection ends with 1011.
      throwOn(cause);
    } finally {
      this.#opening = undefined;
    }
  }

  #refuseClosing(opening: Opening): void {
    this.#refuse(opening, "server_closing", this.#later(503, "The server closes."));
  }

  #later(status: number, message: string): Refusal {
    return {
      status,
      message,
      headers: { "Retry-After": String(Math.ceil(this.#options.retryAfterSeconds)) },
    };
  }

  #refuse(opening: Opening, reason: RefusalReason, refusal: Refusal): void {
    checkRefusal(refusal);
    opening.refuse(refusal);
    this.#count(opening, reason, refusal.status);
  }

  #fail(opening: Opening, cause: unknown): void {
    opening.refuse({ status: 500, message: "The server failed." });
    this.#count(opening, "failed", 500, { cause });
  }

  #count(
    { request }: Opening,
    reason: RefusalReason,
    status: number | undefined,
    details: { readonly cause?: unknown } = {},
  ): void {
    this.#refusals[reason]++;
    try {
      this.#refused?.({ reason, status, request, ...details });
    } catch (error) {
      throwOn(error);
    }
  }
}

/** Whether another server, or this one attached twice, has taken a request before. */
function isAnswered(socket: Duplex): boolean {
  return isAttached(socket) || waiting.has(socket) || socket.writableEnded;
}

/** Lets an error of the application reach the process, but nobody in between. */
function throwOn(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
