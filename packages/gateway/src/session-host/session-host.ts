import { CloseCode, Hub, MemoryBroker, type HubCounts } from "@sluice/hub";
import { ServiceBackend, type HttpRequest, type HttpResponse, type WebSocketRequest } from "@sluice/rpc";
import { createAuthenticator, type Authenticator } from "../identity/authenticator.ts";
import type { Logger } from "../log.ts";
import { bindSessions } from "../sessions/bind-sessions.ts";
import type { CallbackCounts } from "../sessions/callbacks/counts.ts";
import { createPushService } from "../sessions/push/push-service.ts";
import { identityByCallback, identityByTokens, nobodyKnown, type ClientIdentity } from "./client-identity.ts";
import { closeSpread } from "./close-spread.ts";
import { FaceRequests, type FaceSurroundings } from "./face-requests.ts";
import type { SessionHostOptions } from "./options.ts";
import { createRoomAccess } from "./room-access.ts";
import {
  createSessionBackends,
  type SessionBackends,
  type SessionBackendSources,
} from "./session-backends.ts";

/** What sessions need of the gateway. */
export interface SessionSurroundings
  extends
    Omit<SessionBackendSources, "metadata">,
    Pick<FaceSurroundings, "origin" | "heartbeat" | "keepAliveMs"> {}

/** The sessions of a gateway at one moment, and what has become of them. */
export interface SessionCounts extends HubCounts {
  /** Sessions that there are, those without a connection among them. */
  readonly open: number;
  /** Bytes of the histories of all rooms at this moment. */
  readonly historyBytes: number;
  /** Publications that histories have lost before their time, because all together were too large. */
  readonly publicationsForgotten: number;
  readonly callbacks?: CallbackCounts;
}

const goingAway = "the gateway is shutting down; connect again";

/** Milliseconds for the backend to be told of sessions that have just ended, where the grace period has no more. */
const lastCallbacksMs = 500;

/** The hub of a gateway, with its faces, its identity and the backend that is told of its sessions. */
export class SessionHost {
  readonly hub: Hub;
  /** The push API, where it is served. */
  readonly push: ServiceBackend | undefined;
  readonly #options: SessionHostOptions;
  readonly #log: Logger;
  readonly #faces: FaceRequests;
  readonly #backends: SessionBackends;
  readonly #broker: MemoryBroker;
  #authenticator: Authenticator | undefined;
  #identity: ClientIdentity = nobodyKnown;
  #isClosing = false;

  /** Throws a RangeError for an option that cannot be meant. */
  constructor(options: SessionHostOptions, surroundings: SessionSurroundings) {
    const { log } = surroundings;
    const { rooms, limits, historyBytes, graceMs, push, identity } = options;
    this.#options = options;
    this.#log = log;
    this.#backends = createSessionBackends(options, {
      ...surroundings,
      metadata: (session) => this.#faces.metadataOf(session),
    });
    this.#broker = new MemoryBroker(historyBytes === undefined ? {} : { historyBytes });
    const { callbacks } = this.#backends;
    this.hub = new Hub({
      ...createRoomAccess(rooms, options.direct),
      broker: this.#broker,
      limits,
      graceMs,
      ...(callbacks === undefined ? {} : { admit: (session) => callbacks.admit(session) }),
    });
    this.hub.onError((session, error) =>
      log.error({ err: error, session: session?.id }, "something failed in a session"),
    );
    bindSessions(this.hub, this.#backends);
    this.push =
      push === undefined ? undefined : new ServiceBackend(createPushService({ hub: this.hub, access: push }));
    this.#faces = new FaceRequests(options, {
      ...surroundings,
      hub: this.hub,
      identity: () => this.#identity,
      takesTokens: identity !== undefined || callbacks !== undefined,
      closing: () => (this.#isClosing ? goingAway : undefined),
    });
  }

  /** Reads the keys of tokens. Rejects with an IdentityError `options_invalid`. */
  async start(): Promise<void> {
    const { identity } = this.#options;
    const { callbacks } = this.#backends;
    if (identity !== undefined) {
      this.#authenticator = await createAuthenticator(identity, { log: this.#log });
      this.#identity = identityByTokens(this.#authenticator);
    } else if (callbacks !== undefined) this.#identity = identityByCallback(callbacks);
  }

  get counts(): SessionCounts {
    const counts = this.#backends.callbacks?.counts;
    return {
      ...this.hub.counts,
      open: this.hub.size,
      historyBytes: this.#broker.bytes,
      publicationsForgotten: this.#broker.forgotten,
      ...(counts === undefined ? {} : { callbacks: counts }),
    };
  }

  /** Takes a request for a WebSocket on a path of a face; false, and nothing done, for any other. */
  accept(webSocket: WebSocketRequest): boolean {
    return this.#faces.accept(webSocket);
  }

  /** Takes a request on the path of a face; false, and nothing done, for any other. */
  handle(request: HttpRequest, response: HttpResponse): boolean {
    return this.#faces.handle(request, response);
  }

  /**
   * Ends all sessions with 1001, one after the other over most of `graceMs` milliseconds, so that their clients do not
   * all come back at once; then waits, for what is left of it, until the backend was told.
   */
  async close(graceMs: number): Promise<void> {
    const { callbacks, events, packets } = this.#backends;
    this.#isClosing = true;
    const end = performance.now() + graceMs;
    callbacks?.hurry();
    await closeSpread(this.hub, graceMs, CloseCode.GOING_AWAY, goingAway);
    await this.hub.close(CloseCode.GOING_AWAY, goingAway);
    await callbacks?.drain(Math.max(end - performance.now(), lastCallbacksMs));
    callbacks?.close();
    packets?.close();
    events?.close();
    await this.#faces.close();
    this.#authenticator?.close();
  }
}
