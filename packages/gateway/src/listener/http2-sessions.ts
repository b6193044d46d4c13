import type { Http2Session, ServerHttp2Stream } from "node:http2";

interface OpenSession {
  /** Requests that are not answered in full. */
  streams: number;
  /** Since when there has been none, in milliseconds of the clock of `closeIdle`. */
  idleSince: number;
}

/** The HTTP/2 connections of a listener, and which of them nobody uses. */
export class Http2Sessions {
  readonly #sessions = new Map<Http2Session, OpenSession>();

  add(session: Http2Session): void {
    this.#sessions.set(session, { streams: 0, idleSince: performance.now() });
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
      if (streams > 0 || now - idleSince < idleMs) continue;
      // A peer that does not read cannot be told.
      if (session.closed) session.destroy();
      else session.close();
    }
  }

  /** Lets all of them end with the streams that they have. */
  close(): void {
    for (const session of this.#sessions.keys()) session.close();
  }
}
