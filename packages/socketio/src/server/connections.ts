import { DeadlineQueue } from "@sluice/hub";
import { EngineServer } from "../engine/engine-server.ts";
import type { EngineSession, SessionHandlers } from "../engine/session.ts";
import { SocketIoError } from "../error.ts";
import { Client } from "./client.ts";
import type { AnyServer } from "./server.ts";
import type { ServerOptions } from "./server-options.ts";

/** The connections of a server: its Engine.IO servers, and the clients of those. */
export class Connections {
  readonly #server: AnyServer;
  readonly #engines: EngineServer[] = [];
  readonly #handlers: SessionHandlers;
  #connectTimeout: number;
  /** Clients that have not joined a namespace yet. */
  #idle: DeadlineQueue<Client>;

  constructor(server: AnyServer) {
    this.#server = server;
    this.#handlers = {
      open: (session) => this.#opened(session),
      message: (session, data) => clientOf(session)._onmessage(data),
      drain: (session) => clientOf(session)._ondrain(),
      drop: () => void server.counts.dropped.slow++,
      close: (session, reason, cause) => {
        server.counts.connections--;
        clientOf(session)._onclose(reason, cause);
      },
    };
    this.#connectTimeout = server.opts.connectTimeout;
    this.#idle = this.#createQueue();
  }

  /** All Engine.IO servers, in the order in which they were created. */
  get engines(): readonly EngineServer[] {
    return this.#engines;
  }

  /** Milliseconds that a client may take to join a namespace. Those that are there have what held then. */
  get connectTimeout(): number {
    return this.#connectTimeout;
  }

  set connectTimeout(milliseconds: number) {
    this.#connectTimeout = milliseconds;
    this.#idle = this.#createQueue();
  }

  /** Creates an Engine.IO server whose sessions are clients of the server. */
  createEngine(options: Partial<ServerOptions>): EngineServer {
    const { opts, counts } = this.#server;
    const { connections: maxConnections, connectionsPerAddress: maxConnectionsPerAddress } = opts.limits;
    const limited = { ...options, maxConnections, maxConnectionsPerAddress };
    const engine = new EngineServer(limited, this.#handlers);
    engine.on("connection_error", ({ context: { name } }) => {
      if (name === "TOO_MANY_CONNECTIONS") counts.refused.connections++;
      else if (name === "TOO_MANY_CONNECTIONS_OF_ADDRESS") counts.refused.connectionsPerAddress++;
    });
    this.#engines.push(engine);
    return engine;
  }

  /** A client has joined a namespace, or left. */
  stopWaiting(client: Client): void {
    this.#idle.delete(client);
  }

  /** Ends all connections. */
  close(): void {
    for (const engine of this.#engines) engine.close();
  }

  #opened(session: EngineSession): void {
    const client = new Client(this.#server, session);
    session.data = client;
    this.#server.counts.connections++;
    this.#idle.add(client);
    // Clients of 2.x do not ask for it.
    if (session.protocol === 3) client._connect("/", {});
  }

  #createQueue(): DeadlineQueue<Client> {
    const milliseconds = this.#connectTimeout;
    return new DeadlineQueue(milliseconds, this.#server.opts.clock, (client) => {
      const message = `no namespace was joined within ${milliseconds} ms (connectTimeout)`;
      if (!client.hasJoined) client._fail(new SocketIoError("connect_timeout", message));
    });
  }
}

function clientOf({ data }: EngineSession): Client {
  return data as Client;
}
