import type { IncomingMessage } from "node:http";
import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
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
import { Heartbeat } from "../heartbeat.ts";
import { resolveLimits } from "../limits.ts";
import { type AttachableServer, attachServer } from "./attach-server.ts";
import { askVerify, type Verdict } from "./ask-verify.ts";
import { type Admission, pathOf, takesPath, type WebSocketEndpoint } from "./endpoint.ts";
import { objectionTo, type Opening, openingFromStream, openingFromUpgrade } from "./opening.ts";
import type { RefusalCounts } from "./refusals.ts";
import { Refuser } from "./refuser.ts";
import { throwOn } from "./throw-on.ts";
import { type Seat, Seating } from "./seating.ts";
import { type CloseOptions, resolveServerOptions, type WebSocketServerOptions } from "./server-options.ts";

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
  readonly #refuser: Refuser;
  readonly #clock: Clock;
  readonly #served: readonly Served[];
  readonly #seating: Seating;
  readonly #connections = new Set<WebSocketConnection>();
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
    this.#refuser = new Refuser(this.#options.retryAfterSeconds, options.refused);
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
    return this.#refuser.counts;
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
    attachServer(server, this);
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
      this.#refuser.fail(opening, cause);
      return true;
    }
  }

  #decide(opening: Opening): boolean {
    const { request } = opening;
    const path = pathOf(request);
    const served = this.#served.find(({ endpoint }) => takesPath(endpoint.path, path, request));
    if (served === undefined) {
      if (this.#options.unknownPath === "leave") return false;
      this.#refuser.refuse(opening, "unknown_path", {
        status: 404,
        message: "There is no WebSocket at this path.",
      });
      return true;
    }
    const { endpoint } = served;
    const objection = objectionTo(opening, endpoint);
    if (objection !== undefined) {
      this.#refuser.refuse(opening, ...objection);
      return true;
    }
    if (this.#closing) {
      this.#refuser.closing(opening);
      return true;
    }
    const seat = this.#seating.take(this.#options.address(request));
    if (typeof seat === "string") {
      const [status, message] =
        seat === "too_many_connections"
          ? ([503, "The server has all the connections that it takes."] as const)
          : ([429, "There are too many connections from this address."] as const);
      this.#refuser.later(opening, seat, status, message);
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
      if (verdict.name === "refused") this.#refuser.refuse(opening, "verify_refused", verdict.refusal);
      else if (verdict.name === "failed") this.#refuser.fail(opening, verdict.cause);
      else if (verdict.name === "timeout") {
        const message = "It took too long to decide on this request.";
        this.#refuser.later(opening, "verify_timeout", 503, message);
      } else if (verdict.name === "client_left") {
        this.#refuser.left(opening);
      } else this.#refuser.closing(opening);
    } catch (cause) {
      this.#refuser.fail(opening, cause);
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
        this.#refuser.left(opening);
      }
    } catch (cause) {
      if (this.#opening === seat) {
        this.#refuser.fail(opening, cause);
        this.#leave(seat);
        return;
      }
      // The `open` handler threw, and its connection ends with 1011.
      throwOn(cause);
    } finally {
      this.#opening = undefined;
    }
  }
}

/** Whether another server, or this one attached twice, has taken a request before. */
function isAnswered(socket: Duplex): boolean {
  return isAttached(socket) || waiting.has(socket) || socket.writableEnded;
}
