import {
  CloseCode,
  createSseHandler,
  Hub,
  MemoryBroker,
  SocketFaces,
  type HubCounts,
  type KnownClient,
  type SseHandler,
} from "@sluice/hub";
import {
  ServiceBackend,
  type DirectorySource,
  type HttpRequest,
  type HttpResponse,
  type WebSocketRequest,
} from "@sluice/rpc";
import {
  allowsOrigin,
  type AcceptOptions,
  type HeartbeatOptions,
  type OriginPolicy,
} from "@sluice/websocket";
import { createAuthenticator, type Authenticator } from "../identity/authenticator.ts";
import type { Logger } from "../log.ts";
import { bindSessions } from "../sessions/bind-sessions.ts";
import type { CallbackCounts } from "../sessions/callbacks/counts.ts";
import { SessionCallbacks } from "../sessions/callbacks/session-callbacks.ts";
import { PacketMethods } from "../sessions/packet-methods.ts";
import { createPushService } from "../sessions/push/push-service.ts";
import { SessionQueues } from "../sessions/session-queues.ts";
import {
  identityByCallback,
  identityByTokens,
  nobodyKnown,
  subprotocolBesideToken,
  type ClientIdentity,
  type Recognition,
} from "./client-identity.ts";
import { closeSpread } from "./close-spread.ts";
import { logCallbackReport } from "./log-callback-report.ts";
import type { BackendByName, HostedCallbacks, SessionHostOptions } from "./options.ts";
import { refusedSocket } from "./refused-socket.ts";
import { createRoomAccess } from "./room-access.ts";

/** What sessions need of the gateway. */
export interface SessionSurroundings {
  readonly backend: BackendByName;
  /** The methods of all backends, for packets. */
  readonly methods: DirectorySource;
  readonly log: Logger;
  /** Which pages may open sessions; those of the gateway's own origin are among them. */
  readonly origin: OriginPolicy;
  readonly heartbeat?: Partial<HeartbeatOptions>;
  /** Milliseconds between two comments in a silent event stream. */
  readonly keepAliveMs?: number;
}

/** The sessions of a gateway at one moment, and what has become of them. */
export interface SessionCounts extends HubCounts {
  /** Sessions that there are, those without a connection among them. */
  readonly open: number;
  readonly callbacks?: CallbackCounts;
}

const goingAway = "the gateway is shutting down; connect again";

/** The hub of a gateway, with its faces, its identity and the backend that is told of its sessions. */
export class SessionHost {
  readonly hub: Hub;
  /** The push API, where it is served. */
  readonly push: ServiceBackend | undefined;
  readonly #options: SessionHostOptions;
  readonly #log: Logger;
  readonly #origin: OriginPolicy;
  readonly #sockets = new Map<string, SocketFaces>();
  readonly #events: SseHandler | undefined;
  readonly #callbacks: SessionCallbacks | undefined;
  readonly #packets: PacketMethods | undefined;
  #authenticator: Authenticator | undefined;
  #identity: ClientIdentity = nobodyKnown;
  #isClosing = false;

  /** Throws a RangeError for an option that cannot be meant. */
  constructor(options: SessionHostOptions, surroundings: SessionSurroundings) {
    const { log } = surroundings;
    this.#options = options;
    this.#log = log;
    this.#origin = surroundings.origin;
    const queues = new SessionQueues();
    const callbacks = createCallbacks(options.callbacks, queues, surroundings);
    this.#callbacks = callbacks;
    this.#packets = createPackets(options, queues, surroundings);
    const { rooms, authorize } = createRoomAccess(options.rooms, options.direct);
    this.hub = new Hub({
      broker: new MemoryBroker(),
      rooms,
      authorize,
      limits: options.limits,
      graceMs: options.graceMs,
      ...(callbacks === undefined ? {} : { admit: (session) => callbacks.admit(session) }),
    });
    this.hub.onError((session, error) =>
      log.error({ err: error, session: session?.id }, "something failed in a session"),
    );
    this.push =
      options.push === undefined
        ? undefined
        : new ServiceBackend(createPushService({ hub: this.hub, access: options.push }));
    bindSessions(this.hub, { packets: this.#packets, callbacks });
    const client = { headers: options.headers, secrets: secretParameters(options) };
    for (const { path, faces } of options.sockets) {
      this.#sockets.set(
        path,
        new SocketFaces(this.hub, {
          ...client,
          faces,
          origin: surroundings.origin,
          limits: {
            firstMessageMs: this.hub.limits.openingMs,
            envelopeBytes: options.envelopeBytes,
            packetsPerMessage: options.packetsPerMessage,
          },
          ...(surroundings.heartbeat === undefined ? {} : { heartbeat: surroundings.heartbeat }),
          ...(this.#takesTokens ? { identify: (token) => this.#identify(token) } : {}),
          failed: (error) => log.error({ err: error }, "a command of a client failed"),
        }),
      );
    }
    const { keepAliveMs } = surroundings;
    this.#events =
      options.events === undefined
        ? undefined
        : createSseHandler(this.hub, { ...client, ...(keepAliveMs === undefined ? {} : { keepAliveMs }) });
  }

  /** Reads the keys of tokens. Rejects with an IdentityError `options_invalid`. */
  async start(): Promise<void> {
    const { identity } = this.#options;
    if (identity !== undefined) {
      this.#authenticator = await createAuthenticator(identity, { log: this.#log });
      this.#identity = identityByTokens(this.#authenticator);
    } else if (this.#callbacks !== undefined) this.#identity = identityByCallback(this.#callbacks);
  }

  get counts(): SessionCounts {
    const open = this.hub.size;
    const counts = this.#callbacks?.counts;
    return { ...this.hub.counts, open, ...(counts === undefined ? {} : { callbacks: counts }) };
  }

  /** Takes a request for a WebSocket on a path of a face; false, and nothing done, for any other. */
  accept(webSocket: WebSocketRequest): boolean {
    const { request } = webSocket;
    const faces = this.#sockets.get(pathOf(request.url));
    if (faces === undefined) return false;
    if (this.#isClosing)
      refusedSocket(webSocket, acceptOptions(request, faces), CloseCode.GOING_AWAY, goingAway);
    else void this.#accept(webSocket, faces);
    return true;
  }

  /** Takes a request on the path of Server-Sent Events; false, and nothing done, for any other. */
  handle(request: HttpRequest, response: HttpResponse): boolean {
    const events = this.#events;
    if (events === undefined || pathOf(request.url) !== this.#options.events) return false;
    if (this.#isClosing) refuseRequest(response, 503, "UNAVAILABLE", goingAway);
    else if (!isFromAllowedPage(request, this.#origin)) {
      const message = "pages of this origin may not open sessions here";
      refuseRequest(response, 403, "PERMISSION_DENIED", message);
    } else void this.#answer(request, response, events);
    return true;
  }

  /**
   * Ends all sessions with 1001, one after the other over most of `graceMs` milliseconds, so that their clients do not
   * all come back at once; then waits, for what is left of it, until the backend was told.
   */
  async close(graceMs: number): Promise<void> {
    this.#isClosing = true;
    const end = performance.now() + graceMs;
    await closeSpread(this.hub, graceMs, CloseCode.GOING_AWAY, goingAway);
    await this.hub.close(CloseCode.GOING_AWAY, goingAway);
    await this.#callbacks?.drain(Math.max(end - performance.now(), lastCallbacksMs));
    this.#callbacks?.close();
    this.#packets?.close();
    this.#authenticator?.close();
  }

  get #takesTokens(): boolean {
    return this.#options.identity !== undefined || this.#callbacks !== undefined;
  }

  #identify(token: string): ReturnType<NonNullable<ClientIdentity["identify"]>> {
    return this.#identity.identify?.(token) ?? Promise.reject(new Error("the gateway is starting"));
  }

  async #accept(webSocket: WebSocketRequest, faces: SocketFaces): Promise<void> {
    const { request } = webSocket;
    try {
      const found = await this.#recognize(request);
      if (found.kind === "refused") {
        this.#log.info(`a client was refused: ${found.error.message} (${found.error.code})`);
        refusedSocket(webSocket, acceptOptions(request, faces), found.code, found.reason);
        return;
      }
      webSocket.accept(acceptOptions(request, faces, found.client));
    } catch (error) {
      this.#log.error({ err: error }, "a client could not be recognized");
      refusedSocket(webSocket, acceptOptions(request, faces), CloseCode.INTERNAL, "the gateway failed");
    }
  }

  async #recognize(request: HttpRequest): Promise<Recognition> {
    const { httpVersionMajor, socket } = request;
    // Over HTTP/1 the socket is nobody's meanwhile; that its client has left is found out when it is accepted.
    if (httpVersionMajor === 1) socket.on("error", ignore);
    try {
      return await this.#identity.recognize(request);
    } finally {
      if (httpVersionMajor === 1) socket.off("error", ignore);
    }
  }

  async #answer(request: HttpRequest, response: HttpResponse, events: SseHandler): Promise<void> {
    let known: KnownClient;
    try {
      const found = await this.#identity.recognize(request);
      if (found.kind === "refused") {
        this.#log.info(`a client was refused: ${found.error.message} (${found.error.code})`);
        const isLater = found.code === CloseCode.TRY_AGAIN_LATER;
        refuseRequest(
          response,
          isLater ? 503 : 401,
          isLater ? "UNAVAILABLE" : "UNAUTHENTICATED",
          found.reason,
        );
        return;
      }
      known = found.client;
    } catch (error) {
      this.#log.error({ err: error }, "a client could not be recognized");
      refuseRequest(response, 500, "INTERNAL", "the gateway failed");
      return;
    }
    events(request, response, known);
  }
}

/** Milliseconds for the backend to be told of sessions that have just ended, where the grace period has no more. */
const lastCallbacksMs = 500;

/** How a face takes a client, with an answer to its subprotocols where these carry a token. */
function acceptOptions(request: HttpRequest, faces: SocketFaces, client?: KnownClient): AcceptOptions {
  const options = faces.accept(request, client);
  if (options.protocols !== undefined) return options;
  const beside = subprotocolBesideToken(request.headers["sec-websocket-protocol"]);
  return beside === undefined ? options : { ...options, protocols: [beside] };
}

function ignore(): void {
  // Told by other means.
}

function pathOf(url = "/"): string {
  return url.replace(/[?#].*$/s, "");
}

/**
 * Whether a page, if it is one, may open an event stream. Cookies may say who its user is, and the session would begin
 * even though the page could not read it. What asks without `Origin` is of the same origin, an image or no page (Fetch).
 */
function isFromAllowedPage({ headers }: HttpRequest, policy: OriginPolicy): boolean {
  const site = headers["sec-fetch-site"];
  if (policy === "any" || site === "same-origin") return true;
  if (headers.origin === undefined) return site === undefined || site === "none";
  const host = headers[":authority"] ?? headers.host;
  return allowsOrigin(policy, typeof host === "string" ? host : undefined, headers);
}

/** The parameters of queries in which tokens may stand. */
function secretParameters({ identity }: SessionHostOptions): readonly string[] {
  const named = (identity?.from ?? []).flatMap((place) =>
    typeof place === "object" && "query" in place ? [place.query] : [],
  );
  return ["access_token", "token", ...named];
}

function createCallbacks(
  hosted: HostedCallbacks | undefined,
  queues: SessionQueues,
  { backend: byName, log }: SessionSurroundings,
): SessionCallbacks | undefined {
  if (hosted === undefined) return undefined;
  const { backend: name, ...options } = hosted;
  const backend = byName(name);
  if (backend === undefined)
    throw new RangeError(`callbacks.backend is ${name}, and no backend is called that`);
  return new SessionCallbacks({
    ...options,
    backend,
    queues,
    report: (report) => logCallbackReport(log, name, report),
  });
}

function createPackets(
  { packetTypes = {} }: SessionHostOptions,
  queues: SessionQueues,
  { methods, log }: SessionSurroundings,
): PacketMethods | undefined {
  if (Object.keys(packetTypes).length === 0) return undefined;
  return new PacketMethods({
    types: packetTypes,
    methods,
    queues,
    report: (session, path, { message }) =>
      log.info({ session: session.id }, `a packet for ${path} failed: ${message}`),
  });
}

function refuseRequest(response: HttpResponse, httpStatus: number, code: string, message: string): void {
  if (response.headersSent || response.destroyed) return;
  const body = JSON.stringify({ error: { code, message } });
  response.statusCode = httpStatus;
  response.setHeader("content-type", "application/json");
  response.setHeader("content-length", String(Buffer.byteLength(body)));
  response.setHeader("cache-control", "no-store");
  if (httpStatus === 503) response.setHeader("retry-after", "5");
  response.end(body);
}
