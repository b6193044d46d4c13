import type { Hub, Session } from "@sluice/hub";
import type { PrivateSessionId, SessionToPersist } from "../adapter/adapter.ts";

/** A session of the hub whose socket was lost. */
export interface KeptSession extends SessionToPersist {
  readonly session: Session;
  readonly namespace: string;
  /** What its client says that it had last, once it is back; undefined for nothing. */
  offset: string | undefined;
}

/** Sessions of the hub that wait for their clients, with what belongs to their sockets; for as long as the hub keeps them. */
export class KeptSessions {
  readonly #kept = new Map<PrivateSessionId, KeptSession>();
  readonly #pids = new WeakMap<Session, PrivateSessionId>();

  constructor(hub: Hub) {
    hub.onDisconnect((session) => {
      const pid = this.#pids.get(session);
      if (pid !== undefined) this.#kept.delete(pid);
    });
  }

  /** The socket of a session was lost. */
  add(session: Session, namespace: string, socket: SessionToPersist): void {
    this.#kept.set(socket.pid, { ...socket, session, namespace, offset: undefined });
    this.#pids.set(session, socket.pid);
  }

  /** What is kept of a socket. */
  get(pid: PrivateSessionId): KeptSession | undefined {
    return this.#kept.get(pid);
  }

  /** A session has a socket again, or is given up. */
  delete(pid: PrivateSessionId): void {
    this.#kept.delete(pid);
  }

  /** The sessions whose sockets were in a namespace. */
  *in(namespace: string): IterableIterator<Session> {
    for (const kept of this.#kept.values()) if (kept.namespace === namespace) yield kept.session;
  }
}
