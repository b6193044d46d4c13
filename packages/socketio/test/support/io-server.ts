import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { io as connect, type Socket as ClientSocket } from "socket.io-client";
import { Server, type ServerOptions, type Socket } from "../../src/index.ts";
import { Inbox } from "./inbox.ts";

/** Both ends of a connection to a namespace. */
export interface Ends {
  readonly client: ClientSocket;
  readonly server: Socket;
}

/** A server with clients of the package socket.io-client. */
export class IoServer {
  readonly io: Server;
  readonly port: number;
  readonly #clients: ClientSocket[] = [];

  private constructor(io: Server, port: number) {
    this.io = io;
    this.port = port;
  }

  /** Starts a server. */
  static async start(options: Partial<ServerOptions> = {}): Promise<IoServer> {
    const http = createServer();
    const io = new Server(http, options);
    await once(http.listen(0, "127.0.0.1"), "listening");
    return new IoServer(io, (http.address() as AddressInfo).port);
  }

  /** A client that begins to connect. */
  open(namespace = "/", options: Record<string, unknown> = {}): ClientSocket {
    const client = connect(`http://127.0.0.1:${this.port}${namespace}`, {
      transports: ["websocket"],
      forceNew: true,
      reconnectionDelay: 1,
      reconnectionDelayMax: 1,
      ...options,
    });
    this.#clients.push(client);
    return client;
  }

  /** A client that begins to connect to another namespace on the connection of one. */
  share(client: ClientSocket, namespace: string): ClientSocket {
    const other = client.io.socket(namespace);
    this.#clients.push(other);
    return other;
  }

  /** Connects a client. */
  async connect(namespace = "/", options: Record<string, unknown> = {}): Promise<Ends> {
    const client = this.open(namespace, options);
    await next(client, "connect");
    return { client, server: this.otherEnd(client, namespace) };
  }

  /** The server's end of a client. */
  otherEnd(client: ClientSocket, namespace = "/"): Socket {
    const socket = this.io.of(namespace).sockets.get(client.id ?? "");
    assert.ok(socket, "the server does not know the client");
    return socket;
  }

  /** Ends the server and all clients. */
  async close(): Promise<void> {
    for (const client of this.#clients) client.disconnect();
    await this.io.close();
  }
}

interface Emitter {
  on(name: string, listener: (...args: unknown[]) => void): unknown;
  once(name: string, listener: (...args: unknown[]) => void): unknown;
}

/** The arguments of the next event of a name. */
export function next(emitter: Emitter, name: string): Promise<unknown[]> {
  return new Promise((resolve) => {
    emitter.once(name, (...args) => resolve(args));
  });
}

/** The names and arguments of all events of a client from now on. */
export function eventsOf(client: ClientSocket): Inbox<unknown[]> {
  const inbox = new Inbox<unknown[]>();
  client.onAny((...event: unknown[]) => inbox.add(event));
  return inbox;
}

/** Events of a client up to one of this name, without it. What came before it is all that came. */
export async function eventsUntil(inbox: Inbox<unknown[]>, name: string): Promise<unknown[][]> {
  const events: unknown[][] = [];
  for (;;) {
    const event = await inbox.next();
    if (event[0] === name) return events;
    events.push(event);
  }
}
