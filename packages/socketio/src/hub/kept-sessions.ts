import type { Hub, Session } from "@sluice/hub";
import type { PrivateSessionId, SessionToPersist } from "../adapter/adapter.ts";
import type { NamespaceFace } from "./namespace-face.ts";

/** A session of the hub whose socket was lost. */
export interface KeptSession extends SessionToPersist {
  readonly session: Session;
  /** What its client says that it had last, once it is back; undefined for nothing. */
  offset: string | undefined;
}

/** The sessions of one namespace, which may be gone meanwhile, and the face whose frames their clients have had. */
interface KeptNamespace {
  readonly face: NamespaceFace;
  readonly sessions: Map<PrivateSessionId, KeptSession>;
}

/** Sessions of the hub that wait for their clients, with what belongs to their sockets; for as long as the hub keeps them. */
export class KeptSessions {
  readonly #namespaces = new Map<string, KeptNamespace>();
  readonly #places = new WeakMap<Session, { readonly namespace: string; readonly pid: PrivateSessionId }>();

  constructor(hub: Hub) {
    hub.onDisconnect((session) => {
      const place = this.#places.get(session);
      if (place !== undefined) this.delete(place.namespace, place.pid);
    });
  }

  /** The socket of a session was lost. */
  add(session: Session, namespace: string, face: NamespaceFace, socket: SessionToPersist): void {
    const { pid } = socket;
    const kept = this.#namespaces.get(namespace) ?? { face, sessions: new Map<string, KeptSession>() };
    this.#namespaces.set(namespace, kept);
    kept.sessions.set(pid, { ...socket, session, offset: undefined });
    this.#places.set(session, { namespace, pid });
  }

  /** What is kept of a socket. */
  get(namespace: string, pid: PrivateSessionId): KeptSession | undefined {
    return this.#namespaces.get(namespace)?.sessions.get(pid);
  }

  /** A session has a socket again, or is over. */
  delete(namespace: string, pid: PrivateSessionId): void {
    const kept = this.#namespaces.get(namespace);
    if (kept?.sessions.delete(pid) === true && kept.sessions.size === 0) this.#namespaces.delete(namespace);
  }

  /** The sessions whose sockets were in a namespace. */
  *in(namespace: string): IterableIterator<Session> {
    for (const { session } of this.#namespaces.get(namespace)?.sessions.values() ?? []) yield session;
  }

  /** The face of a namespace, if somebody may return who knows its frames. */
  faceOf(namespace: string): NamespaceFace | undefined {
    return this.#namespaces.get(namespace)?.face;
  }
}
