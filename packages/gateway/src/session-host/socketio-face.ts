import type { IncomingMessage, ServerResponse } from "node:http";
import {
  CloseCode,
  unidentified,
  type Hub,
  type Refusal,
  type Session,
  type TimedIdentity,
} from "@sluice/hub";
import {
  metadataFromRequest,
  type HttpRequest,
  type HttpResponse,
  type Metadata,
  type WebSocketRequest,
} from "@sluice/rpc";
import { Server, type EngineServer, type Socket } from "@sluice/socketio";
import { defaultHeartbeat, type HeartbeatOptions } from "@sluice/websocket";
import type { Logger } from "../log.ts";
import { metadataOfSession } from "../sessions/session-metadata.ts";
import type { ClientIdentity } from "./client-identity.ts";
import type { HostedSocketIo } from "./options.ts";

/** What the face needs of what is around it. */
export interface SocketIoSurroundings {
  readonly hub: Hub;
  readonly log: Logger;
  readonly heartbeat?: Partial<HeartbeatOptions>;
  /** Who clients are, at this moment. */
  readonly identity: () => ClientIdentity;
  /** Whether clients may send tokens in messages. */
  readonly takesTokens: boolean;
  /** The headers of a request that its sessions keep, in lower case, and the parameters of its query that they do not. */
  readonly headers: readonly string[];
  readonly secrets: readonly string[];
}

/** Which namespace is not there, in the words of Socket.IO. */
const invalidNamespace = "Invalid namespace";

/** The face `socketio`: clients of Socket.IO, whose sockets are sessions. */
export class SocketIoFace {
  readonly #server: Server;
  readonly #engine: EngineServer;
  readonly #surroundings: SocketIoSurroundings;
  readonly #paths: ReadonlySet<string>;

  /** Throws a RangeError for an option that cannot be meant. */
  constructor(hosted: HostedSocketIo, surroundings: SocketIoSurroundings) {
    const { path, revisions, namespaces, maxPayload, recovery } = hosted;
    const { hub, headers, secrets, heartbeat } = surroundings;
    const { intervalMs, patienceMs } = { ...defaultHeartbeat, ...heartbeat };
    this.#surroundings = surroundings;
    this.#paths = new Set([path, `${path}/`]);
    this.#server = new Server({
      hub: { hub, headers, secrets, identify: (socket, auth) => this.#identify(socket, auth) },
      allowEIO3: revisions.includes(3),
      maxHttpBufferSize: maxPayload,
      serveClient: false,
      cleanupEmptyChildNamespaces: true,
      // Who may come is decided before.
      origin: "any",
      ...(Number.isFinite(intervalMs) ? { pingInterval: intervalMs, pingTimeout: patienceMs } : {}),
      ...(recovery ? { connectionStateRecovery: {} } : {}),
    });
    this.#engine = this.#server.engine;
    for (const name of namespaces)
      this.#server.of(name.endsWith("*") ? beginningWith(name.slice(0, -1)) : name);
    if (!namespaces.some((name) => name === "/" || name === "/*"))
      this.#server.use((_socket, next) => next(new Error(invalidNamespace)));
  }

  /** Whether requests on a path are the face's. */
  has(path: string): boolean {
    return this.#paths.has(path);
  }

  /** Whether a request begins a connection, and is not of one that there is. */
  begins({ url = "/" }: HttpRequest): boolean {
    const question = url.indexOf("?");
    return question < 0 || !new URLSearchParams(url.slice(question + 1)).has("sid");
  }

  handle(request: HttpRequest, response: HttpResponse): void {
    // Of HTTP/2, Node's compatibility API has all that the engine uses.
    this.#engine.handleRequest(request as IncomingMessage, response as ServerResponse);
  }

  accept(webSocket: WebSocketRequest): void {
    this.#engine.handleWebSocket(webSocket);
  }

  /** What a backend is told of the client of a session that makes a call: what REST tells of a request, and whose session it is. */
  metadataOf(session: Session): Metadata {
    // `of` would make anew, for good, a namespace that was removed when its last client left.
    // oxlint-disable-next-line no-underscore-dangle -- The name in socket.io.
    const socket = this.#server._nsps.get(session.request.path)?.sockets.get(session.id);
    const metadata = metadataOfSession(session);
    if (socket === undefined) return metadata;
    const { headers, address } = socket.conn.handshake;
    const { authorization } = socket.data as { authorization?: string };
    // Where the client is who its token says, nobody has looked at what else it says of itself.
    const given = Object.entries(
      authorization === undefined
        ? headers
        : { ...headers, authorization, "grpc-metadata-authorization": [] },
    );
    const rawHeaders = given.flatMap(([name, value]) => [value ?? []].flat().flatMap((each) => [name, each]));
    const source = { rawHeaders, socket: { remoteAddress: address } };
    return { ...metadataFromRequest(source), ...metadata };
  }

  /** Ends the connections that are left. */
  async close(): Promise<void> {
    await this.#server.close();
  }

  async #identify(
    socket: Socket,
    { token }: Readonly<Record<string, unknown>>,
  ): Promise<TimedIdentity | undefined> {
    const { identity, takesTokens, log } = this.#surroundings;
    const { identify } = identity();
    if (token !== undefined && typeof token !== "string") throw refusalError(malformed);
    if (token !== undefined) {
      if (!takesTokens || identify === undefined) throw refusalError(noTokens);
      let found: TimedIdentity;
      try {
        found = await identify(token);
      } catch (error) {
        throw refusalError(unidentified(error));
      }
      socket.data = { authorization: `Bearer ${token}` };
      return found;
    }
    const { headers, url } = socket.conn.handshake;
    const recognition = await identity().recognize({ headers, url });
    if (recognition.kind === "refused") {
      log.info(`a client was refused: ${recognition.cause}`);
      throw refusalError(recognition);
    }
    if (recognition.client.awaitsToken === true) throw refusalError(tokenMissing);
    return recognition.client.identity;
  }
}

const malformed: Refusal = { code: CloseCode.MALFORMED, reason: "auth.token must be a text" };
const noTokens: Refusal = { code: CloseCode.UNAUTHENTICATED, reason: "no tokens are taken in auth here" };
const tokenMissing: Refusal = { code: CloseCode.UNAUTHENTICATED, reason: "auth must have a token" };

/** What becomes the CONNECT_ERROR. */
function refusalError({ code, reason }: Refusal): Error {
  return Object.assign(new Error(reason), { data: { code } });
}

function beginningWith(prefix: string): RegExp {
  return new RegExp(`^${prefix.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)}`);
}
