import { EventEmitter } from "node:events";
import type { IncomingMessage, OutgoingHttpHeaders, Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { DeadlineQueue } from "@sluice/hub";
import { allowsOrigin, type Limits, type WebSocketConnection } from "@sluice/websocket";
import { runInTurn } from "../run-in-turn.ts";
import { attachEngine, type AttachableServer, type AttachOptions, type RequestTaker } from "./attach.ts";
import type { Revision } from "./codec/packet.ts";
import type { EngineEvents } from "./engine-events.ts";
import { type EngineOptions, type ResolvedEngineOptions, resolveEngineOptions } from "./engine-options.ts";
import { Handshake } from "./handshake.ts";
import { Heartbeat } from "./heartbeat.ts";
import { AddressCounts } from "./http/address-counts.ts";
import {
  bad,
  checkForSession,
  checkHandshake,
  checkOccupancy,
  checkTransport,
  type RequestFacts,
} from "./http/admission.ts";
import { askApplication } from "./http/ask-application.ts";
import { serializeCookie } from "./http/cookie.ts";
import { createCors } from "./http/cors.ts";
import type { Middleware } from "./http/middleware.ts";
import { ErrorCode, errorMessages, type Refusal, refuse } from "./http/refusal.ts";
import { queryFromUrl, queryOfRequest } from "./http/request-query.ts";
import {
  type Upgrade,
  upgradeFromRequest,
  upgradeFromSocket,
  type WebSocketRequest,
} from "./http/upgrade.ts";
import { LiveSession } from "./live-session.ts";
import type { PollingOptions } from "./polling/polling-transport.ts";
import type { EngineSession, SessionHandlers } from "./session.ts";
import type { SessionHost } from "./session-host.ts";
import { createSessionId } from "./session-id.ts";
import { ownedHandlers } from "./websocket/connection-owner.ts";

/** Milliseconds that the last packets wait for a poll. */
const CLOSE_TIMEOUT_MS = 30_000;

/** A request on its way to a session. */
interface Arrival extends RequestFacts {
  readonly response: ServerResponse;
  readonly upgrading: Upgrade | undefined;
}

/**
 * An Engine.IO server, revisions 3 and 4: sessions by HTTP long-polling and WebSocket, on any number of HTTP servers. It
 * has the options, events and methods of the package engine.io's `Server`.
 */
export class EngineServer extends EventEmitter<EngineEvents> {
  /** Gives each session its id, which must be a secret and not another session's. May be replaced, also by an async one. */
  generateId: (request: IncomingMessage) => string | PromiseLike<string> = createSessionId;
  /** The options, with all defaults. */
  readonly opts: ResolvedEngineOptions;
  readonly #host: SessionHost;
  readonly #sessions = new Map<string, LiveSession>();
  readonly #middlewares: Middleware[] = [];
  readonly #limits: Partial<Limits>;
  /** Undefined where an address may have any number. */
  readonly #addresses: AddressCounts | undefined;
  #keepsRequests: boolean;
  /** Whether nobody is let in any more, though connections may still be open. */
  #isClosed = false;

  /** Throws a RangeError that names the option which cannot be meant. */
  constructor(options: EngineOptions = {}, handlers: SessionHandlers = {}) {
    super();
    this.opts = resolveEngineOptions(options);
    // The sessions look after what waits, with `maxBufferedBytes`.
    this.#limits = { maxMessageBytes: this.opts.maxHttpBufferSize, maxBufferedBytes: Infinity };
    if (this.opts.maxConnectionsPerAddress < Infinity) this.#addresses = new AddressCounts();
    this.#keepsRequests = this.opts.allowRequest !== undefined;
    if (this.opts.cors !== undefined) this.#middlewares.push(createCors(this.opts.cors));
    this.#host = this.#createHost(handlers);
  }

  /** How many sessions there are. */
  get clientsCount(): number {
    return this.#sessions.size;
  }

  /** The sessions that there are, by id. */
  get sessions(): ReadonlyMap<string, EngineSession> {
    return this.#sessions;
  }

  /** Adds a middleware, behind those that there are. From now on sessions keep the request of their handshake. */
  use(middleware: Middleware): this {
    this.#middlewares.push(middleware);
    this.#keepsRequests = true;
    return this;
  }

  /**
   * Takes the requests below a path of an HTTP server; all others go where they went. Closes with the server, and begins anew when that
   * listens again.
   */
  attach(server: AttachableServer, options: AttachOptions = {}): this {
    const open = (): void => void (this.#isClosed = false);
    open();
    // Those of http2 have the same events.
    (server as Server).on("listening", open);
    const taker: RequestTaker = {
      handleRequest: (request, response) => this.handleRequest(request, response),
      handleUpgrade: (request, socket, head) => this.handleUpgrade(request, socket, head),
      // Other servers that it is attached to may go on.
      close: () => this.#endSessions(),
    };
    attachEngine(taker, server, options);
    return this;
  }

  /** Ends all sessions at once. Handshakes are answered 503 until it is attached again, or its HTTP server listens again. */
  close(): this {
    this.#isClosed = true;
    this.#endSessions();
    return this;
  }

  /** Answers a request that is the engine's. */
  handleRequest(request: IncomingMessage, response: ServerResponse): void {
    // A client may be gone before it is answered.
    response.on("error", ignoreError);
    const query = queryOfRequest(request);
    this.#arrive({ request, response, query, upgrade: false, upgrading: undefined });
  }

  /**
   * Answers a request for a WebSocket that something before the engine has taken, over HTTP/1.1 or HTTP/2. Middlewares are
   * not asked.
   */
  handleWebSocket(webSocket: WebSocketRequest): void {
    const upgrading = upgradeFromRequest(webSocket);
    const { request, response } = upgrading;
    this.#route({ request, response, query: queryOfRequest(request), upgrade: true, upgrading });
  }

  /** Answers a request to upgrade that is the engine's. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const upgrading = upgradeFromSocket(request, socket, head);
    const query = queryOfRequest(request);
    this.#arrive({ request, response: upgrading.response, query, upgrade: true, upgrading });
  }

  #endSessions(): void {
    for (const session of this.#sessions.values()) session.close(true);
  }

  #arrive(arrival: Arrival): void {
    const { request, response } = arrival;
    if (this.#middlewares.length === 0) return this.#route(arrival);
    runInTurn(
      this.#middlewares,
      (middleware, next) => middleware(request, response, next),
      (error) => {
        if (error === undefined) this.#route(arrival);
        else this.#refuse(arrival, bad("MIDDLEWARE_FAILURE", { error }));
      },
    );
  }

  #route(arrival: Arrival): void {
    if (isGone(arrival)) return;
    const refusal = checkTransport(arrival, this.opts) ?? this.#checkOrigin(arrival);
    if (refusal !== undefined) return this.#refuse(arrival, refusal);
    const { sid } = arrival.query;
    if (sid === undefined || sid === "") return this.#shakeHands(arrival);
    const session = this.#sessions.get(sid);
    const unknown: Refusal = { code: ErrorCode.UNKNOWN_SID, context: { sid } };
    if (session === undefined) return this.#refuse(arrival, unknown);
    const wrong = checkForSession(arrival, session);
    if (wrong !== undefined) return this.#refuse(arrival, wrong);
    if (arrival.upgrading === undefined) session.handle(arrival);
    else this.#upgrade(arrival, arrival.upgrading, session);
  }

  #shakeHands(arrival: Arrival): void {
    const revision = checkHandshake(arrival, this.opts);
    if (typeof revision === "object") return this.#refuse(arrival, revision);
    const excess = this.#checkOccupancy(arrival);
    if (excess !== undefined) return this.#refuse(arrival, excess);
    const { allowRequest } = this.opts;
    const application = {
      allowRequest,
      generateId: (request: IncomingMessage) => this.generateId(request),
    };
    void askApplication(arrival.request, application).then((id) => {
      if (isGone(arrival)) return;
      // Others may have been first while the application was asked.
      const late = this.#checkOccupancy(arrival);
      if (typeof id !== "string") this.#refuse(arrival, id);
      else if (late !== undefined) this.#refuse(arrival, late);
      else if (!this.#sessions.has(id)) this.#begin(arrival, id, revision);
      else {
        const error = new Error("generateId() gave the id of another session");
        this.#refuse(arrival, bad("ID_GENERATION_ERROR", { error }));
      }
    });
  }

  #begin(arrival: Arrival, id: string, revision: Revision): void {
    const { request, upgrading } = arrival;
    let connection: WebSocketConnection | undefined;
    if (upgrading !== undefined) {
      connection = this.#accept(arrival, upgrading, true);
      if (connection === undefined) return;
    }
    const session = new LiveSession(this.#host, {
      id,
      revision,
      base64: hasBase64(arrival),
      handshake: new Handshake(request),
      request: this.#keepsRequests ? request : undefined,
      connection,
    });
    this.#sessions.set(id, session);
    this.#addresses?.add(session.handshake.address);
    if (connection === undefined) session.handle({ ...arrival, headers: this.#cookieOf(id) });
    this.#host.handlers.open?.(session, request);
    this.emit("connection", session);
  }

  #upgrade(arrival: Arrival, upgrading: Upgrade, session: LiveSession): void {
    const connection = this.#accept(arrival, upgrading, false);
    if (connection === undefined) return;
    if (!session.mayUpgrade) connection.close();
    else session.startUpgrade({ connection, revision: session.protocol, base64: hasBase64(arrival) });
  }

  /** Answers the opening handshake of a WebSocket, with which a session begins or is upgraded. */
  #accept({ request }: Arrival, upgrading: Upgrade, isHandshake: boolean): WebSocketConnection | undefined {
    const headers = upgrading.takeHeaders();
    this.#addHeaders(headers, request, isHandshake);
    return upgrading.accept({
      handlers: ownedHandlers,
      origin: "any",
      limits: this.#limits,
      compression: this.opts.compression,
      headers,
      clock: this.opts.clock,
      refused: ({ message }) => this.#tellOf(request, bad("WEBSOCKET_HANDSHAKE_ERROR", { message })),
    });
  }

  /** A session that begins on a WebSocket stays with its server as it is. */
  #cookieOf(id: string): OutgoingHttpHeaders | undefined {
    const { cookie } = this.opts;
    return cookie === undefined ? undefined : { "Set-Cookie": [serializeCookie(cookie, id)] };
  }

  /** Browsers let pages of any origin open WebSockets, with the cookies of their user. */
  #checkOrigin({ request, response, upgrade }: Arrival): Refusal | undefined {
    const { headers } = request;
    const host = headers[":authority"] ?? headers.host;
    const isAllowed = allowsOrigin(this.opts.origin, typeof host === "string" ? host : undefined, headers);
    if (!upgrade || isAllowed) return undefined;
    const allowed = response.getHeader("Access-Control-Allow-Origin");
    if (allowed === "*" || allowed === headers.origin) return undefined;
    const message = "Pages of this origin may not connect here: see the options cors and origin.";
    return {
      code: ErrorCode.FORBIDDEN,
      message,
      context: { name: "FOREIGN_ORIGIN", origin: headers.origin },
    };
  }

  #checkOccupancy({ request }: Arrival): Refusal | undefined {
    if (this.#isClosed) {
      const message = "The server is closed.";
      return { code: ErrorCode.BAD_REQUEST, status: 503, message, context: { name: "SERVER_CLOSED" } };
    }
    const connectionsOfAddress = this.#addresses?.of(request.socket.remoteAddress ?? "") ?? 0;
    return checkOccupancy({ connections: this.#sessions.size, connectionsOfAddress }, this.opts);
  }

  #addHeaders(headers: OutgoingHttpHeaders, request: IncomingMessage, initial: boolean): void {
    if (initial && this.listenerCount("initial_headers") > 0) this.emit("initial_headers", headers, request);
    if (this.listenerCount("headers") > 0) this.emit("headers", headers, request);
  }

  #refuse({ request, response, upgrading }: Arrival, refusal: Refusal): void {
    // An HTTP server waits for its connections; those of HTTP/2 have another way.
    if (this.#isClosed && request.httpVersionMajor === 1) response.shouldKeepAlive = false;
    if (upgrading === undefined) refuse(response, refusal);
    else upgrading.refuse(refusal);
    this.#tellOf(request, refusal);
  }

  #tellOf(request: IncomingMessage, { code, context }: Refusal): void {
    this.emit("connection_error", { req: request, code, message: errorMessages[code], context });
  }

  #createHost(handlers: SessionHandlers): SessionHost {
    const { opts } = this;
    const { clock, upgradeTimeout, httpCompression } = opts;
    const addHeaders = (headers: OutgoingHttpHeaders, request: IncomingMessage): void => {
      this.#addHeaders(headers, request, queryFromUrl(request.url ?? "").sid === undefined);
    };
    const known = new Map<string, PollingOptions>();
    const host: SessionHost = {
      options: opts,
      handlers,
      heartbeat: new Heartbeat(opts),
      probes: new DeadlineQueue(upgradeTimeout, clock, (probe) => probe.abandon()),
      closings: new DeadlineQueue(CLOSE_TIMEOUT_MS, clock, (session) => session.closeOverdue()),
      pollingOptions: (revision, base64) => {
        const key = `${revision}${base64}`;
        const common = { compression: httpCompression, addHeaders, maxBytes: opts.maxHttpBufferSize };
        const options = known.get(key) ?? { ...common, revision, base64 };
        known.set(key, options);
        return options;
      },
      ended: ({ id, handshake }) => {
        this.#sessions.delete(id);
        this.#addresses?.remove(handshake.address);
      },
    };
    return host;
  }
}

/** Whether nobody waits for an answer any more: a middleware has answered, or the client has left. */
function isGone({ response, upgrading }: Arrival): boolean {
  if (upgrading?.isGone === true) return true;
  return response.writableEnded || response.destroyed;
}

function hasBase64({ query }: Arrival): boolean {
  return query.b64 !== undefined && query.b64 !== "0" && query.b64 !== "";
}

function ignoreError(): void {}
