import type { Http2Session, ServerHttp2Stream } from "node:http2";

interface OpenSession {
  /** Requests that are not answered in full. */
  streams: number;
  /** Since when there has been none, in milliseconds of `performance.now`. */
  idleSince: number;
  bytesRead: number;
  bytesWritten: number;
  /** Since when those have been the same. */
  silentSince: number;
  /** Whether the peer was asked to say something. */
  isAsked: boolean;
}

/** The bytes of a PING. */
const pingBytes = 17;

/** The HTTP/2 connections of a listener: which of them nobody uses, and which have no peer any more. */
export class Http2Sessions {
  readonly #sessions = new Map<Http2Session, OpenSession>();

  add(session: Http2Session): void {
    const now = performance.now();
    const state = {
      streams: 0,
      idleSince: now,
      bytesRead: 0,
      bytesWritten: 0,
      silentSince: now,
      isAsked: false,
    };
    this.#sessions.set(session, state);
    session.on("close", () => this.#sessions.delete(session));
    // A broken session closes; what it means for its calls, their streams say.
    session.on("error", () => undefined);
  }

  /** A request has come on one of the sessions. */
  addStream(stream: ServerHttp2Stream): void {
    const open = stream.session === undefined ? undefined : this.#sessions.get(stream.session);
    if (open === undefined) return;
    open.streams++;
    stream.once("close", () => {
      if (--open.streams === 0) open.idleSince = performance.now();
    });
  }

  /** Lets those go that have had no stream for `idleMs` milliseconds. */
  closeIdle(now: number, idleMs: number): void {
    for (const [session, { streams, idleSince }] of this.#sessions) {
      if (session.destroyed || streams > 0 || now - idleSince < idleMs) continue;
      // A peer that does not read cannot be told.
      if (session.closed) session.destroy();
      else session.close();
    }
  }

  /**
   * Asks those for a PING from which nothing has come for `aliveMs` milliseconds, and ends those that are silent for as
   * long again. Node needs that for peers that break HTTP/2, too: after some errors it says GOAWAY, reads no more, and
   * so never learns that they are gone.
   */
  endDead(now: number, aliveMs: number): void {
    for (const [session, open] of this.#sessions) {
      if (session.destroyed) continue;
      const { bytesRead, bytesWritten } = session.socket;
      if (bytesRead !== open.bytesRead || bytesWritten > open.bytesWritten + pingBytes) {
        Object.assign(open, { bytesRead, bytesWritten, silentSince: now, isAsked: false });
      } else if (now - open.silentSince < aliveMs) {
        continue;
      } else if (open.isAsked) {
        session.destroy();
      } else {
        Object.assign(open, { bytesWritten, silentSince: now, isAsked: true });
        session.ping(() => undefined);
      }
    }
  }

  /** Lets all of them end with the streams that they have. */
  close(): void {
    for (const session of this.#sessions.keys()) session.close();
  }
}
