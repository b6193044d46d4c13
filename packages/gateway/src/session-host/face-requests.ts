import {
  CloseCode,
  createSseHandler,
  SocketFaces,
  type Hub,
  type Identify,
  type KnownClient,
  type Session,
  type SseHandler,
} from "@sluice/hub";
import type { HttpRequest, HttpResponse, Metadata, WebSocketRequest } from "@sluice/rpc";
import {
  allowsOrigin,
  type AcceptOptions,
  type HeartbeatOptions,
  type OriginPolicy,
} from "@sluice/websocket";
import type { Logger } from "../log.ts";
import { subprotocolBesideToken, type ClientIdentity, type Recognition } from "./client-identity.ts";
import type { SessionHostOptions } from "./options.ts";
import { refusedSocket } from "./refused-socket.ts";
import { SocketIoFace } from "./socketio-face.ts";

/** What the faces need of what is around them. */
export interface FaceSurroundings {
  readonly hub: Hub;
  readonly log: Logger;
  /** Which pages may open sessions; those of the gateway's own origin are among them. */
  readonly origin: OriginPolicy;
  readonly heartbeat?: Partial<HeartbeatOptions>;
  /** Milliseconds between two comments in a silent event stream. */
  readonly keepAliveMs?: number;
  /** Who clients are, at this moment. */
  readonly identity: () => ClientIdentity;
  /** Whether clients may send tokens in messages. */
  readonly takesTokens: boolean;
  /** Why nobody is let in any more; undefined as long as clients are. */
  readonly closing: () => string | undefined;
}

/** Takes the requests on the paths of faces. */
export class FaceRequests {
  readonly #surroundings: FaceSurroundings;
  readonly #sockets: ReadonlyMap<string, SocketFaces>;
  readonly #socketIo: SocketIoFace | undefined;
  readonly #eventsPath: string | undefined;
  readonly #events: SseHandler;

  /** Throws a RangeError for an option that cannot be meant. */
  constructor(options: SessionHostOptions, surroundings: FaceSurroundings) {
    const { hub, log, origin, heartbeat, keepAliveMs, takesTokens } = surroundings;
    this.#surroundings = surroundings;
    const client = { headers: options.headers, secrets: secretParameters(options) };
    const identify: Identify = (token, session) =>
      surroundings.identity().identify?.(token, session) ??
      Promise.reject(new Error("the gateway is starting"));
    const shared = {
      ...client,
      origin,
      limits: {
        firstMessageMs: hub.limits.openingMs,
        envelopeBytes: options.envelopeBytes,
        packetsPerMessage: options.packetsPerMessage,
      },
      ...(heartbeat === undefined ? {} : { heartbeat }),
      ...(takesTokens ? { identify } : {}),
      failed: (error: unknown) => log.error({ err: error }, "a command of a client failed"),
    };
    this.#sockets = new Map(
      options.sockets.map(({ path, faces }) => [path, new SocketFaces(hub, { ...shared, faces })]),
    );
    const { socketio } = options;
    if (socketio !== undefined) this.#socketIo = new SocketIoFace(socketio, { ...surroundings, ...client });
    this.#eventsPath = options.events;
    this.#events = createSseHandler(hub, {
      ...client,
      ...(keepAliveMs === undefined ? {} : { keepAliveMs }),
    });
  }

  /** Takes a request for a WebSocket on a path of a face; false, and nothing done, for any other. */
  accept(webSocket: WebSocketRequest): boolean {
    const { request } = webSocket;
    const path = pathOf(request.url);
    if (this.#socketIo?.has(path) === true) {
      this.#acceptSocketIo(webSocket, this.#socketIo);
      return true;
    }
    const faces = this.#sockets.get(path);
    if (faces === undefined) return false;
    const closing = this.#surroundings.closing();
    if (closing === undefined) void this.#accept(webSocket, faces);
    else refusedSocket(webSocket, acceptOptions(request, faces), CloseCode.GOING_AWAY, closing);
    return true;
  }

  /** Takes a request on the path of a face; false, and nothing done, for any other. */
  handle(request: HttpRequest, response: HttpResponse): boolean {
    const path = pathOf(request.url);
    if (this.#sockets.has(path)) {
      // HTTP/2 has no Upgrade (RFC 9113, section 8.6).
      if (request.httpVersionMajor === 1) response.setHeader("upgrade", "websocket");
      refuseRequest(response, 426, "FAILED_PRECONDITION", `${path} is for WebSockets`);
      return true;
    }
    const socketIo = this.#socketIo?.has(path) === true ? this.#socketIo : undefined;
    if (path !== this.#eventsPath && socketIo === undefined) return false;
    const objection = this.#objectionTo(request, socketIo);
    if (objection !== undefined) refuseRequest(response, ...objection);
    else if (socketIo === undefined) void this.#answer(request, response);
    else socketIo.handle(request, response);
    return true;
  }

  /** What a backend is told of the client of a session of Socket.IO. */
  metadataOf(session: Session): Metadata {
    return this.#socketIo?.metadataOf(session) ?? {};
  }

  /** Ends what sessions have left. */
  async close(): Promise<void> {
    await this.#socketIo?.close();
  }

  #acceptSocketIo(webSocket: WebSocketRequest, socketIo: SocketIoFace): void {
    const objection = this.#objectionTo(webSocket.request, socketIo);
    if (objection === undefined) {
      socketIo.accept(webSocket);
      return;
    }
    const [httpStatus, code, message] = objection;
    webSocket.refuse(httpStatus, JSON.stringify({ error: { code, message } }));
  }

  /** Why a request that a page may have made is refused. Who is closed last has to be told so on a connection that it has. */
  #objectionTo(request: HttpRequest, socketIo: SocketIoFace | undefined): HttpObjection | undefined {
    const closing = socketIo?.begins(request) === false ? undefined : this.#surroundings.closing();
    if (closing !== undefined) return [503, "UNAVAILABLE", closing];
    if (isFromAllowedPage(request, this.#surroundings.origin)) return undefined;
    return [403, "PERMISSION_DENIED", "pages of this origin may not open sessions here"];
  }

  async #accept(webSocket: WebSocketRequest, faces: SocketFaces): Promise<void> {
    const { request } = webSocket;
    const found = await this.#recognize(request);
    if (found.kind === "known") webSocket.accept(acceptOptions(request, faces, found.client));
    else refusedSocket(webSocket, acceptOptions(request, faces), found.code, found.reason);
  }

  async #answer(request: HttpRequest, response: HttpResponse): Promise<void> {
    const found = await this.#recognize(request);
    if (found.kind === "known") this.#events(request, response, found.client);
    else refuseRequest(response, ...(statuses.get(found.code) ?? failed), found.reason);
  }

  /** Who asks. Never rejects, and logs why a client is refused. */
  async #recognize(request: HttpRequest): Promise<Recognition> {
    const { log, identity } = this.#surroundings;
    const { httpVersionMajor, socket } = request;
    // Over HTTP/1 a socket is nobody's meanwhile; that its client has left is found out when it is accepted.
    if (httpVersionMajor === 1) socket.on("error", ignore);
    try {
      const found = await identity().recognize(request);
      if (found.kind === "refused") log.info(`a client was refused: ${found.cause}`);
      return found;
    } catch (error) {
      log.error({ err: error }, "a client could not be recognized");
      return { kind: "refused", code: CloseCode.INTERNAL, reason: "the gateway failed", cause: "" };
    } finally {
      if (httpVersionMajor === 1) socket.off("error", ignore);
    }
  }
}

/** How a client is refused over HTTP: the status, and the name of a gRPC code. */
type HttpRefusal = readonly [httpStatus: number, code: string];
type HttpObjection = readonly [...HttpRefusal, message: string];

const failed: HttpRefusal = [500, "INTERNAL"];
const statuses: ReadonlyMap<number, HttpRefusal> = new Map([
  [CloseCode.UNAUTHENTICATED, [401, "UNAUTHENTICATED"]],
  [CloseCode.TRY_AGAIN_LATER, [503, "UNAVAILABLE"]],
]);

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
