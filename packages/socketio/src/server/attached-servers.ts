import type { Http2Server, ServerHttp2Session } from "node:http2";
import type { AttachableServer } from "../engine/attach.ts";

/** The HTTP servers that a server is attached to. */
export class AttachedServers {
  readonly #servers = new Set<AttachableServer>();
  /** Connections of HTTP/2 stay open for as long as their client likes, and keep their server open. */
  readonly #sessions = new Set<ServerHttp2Session>();

  /** Adds a server. */
  add(server: AttachableServer): void {
    if (this.#servers.has(server)) return;
    this.#servers.add(server);
    // Other servers than those of http2 have no sessions.
    (server as Http2Server).on("session", (session) => {
      this.#sessions.add(session);
      session.on("close", () => this.#sessions.delete(session));
    });
  }

  /** Closes all of them; their requests are answered first. Resolves to an error where one was not listening. */
  async close(): Promise<Error | undefined> {
    const closed = [...this.#servers].map(
      (server) => new Promise<Error | undefined>((resolve) => server.close(resolve)),
    );
    for (const session of this.#sessions) session.close();
    const errors = await Promise.all(closed);
    return errors.find((error) => error !== undefined);
  }
}
