import assert from "node:assert/strict";
import type { Namespace, Server, Socket } from "../../../src/index.ts";
import { Inbox } from "../inbox.ts";
import type { StockClient, StockSocket } from "../stock-clients.ts";
import type { MatrixServers, ParserName, Profile } from "./servers.ts";

/** The ways on which a client may come. */
export const ways = {
  polling: ["polling"],
  websocket: ["websocket"],
  "polling, then websocket": ["polling", "websocket"],
} as const;

/** The name of a way. */
export type Way = keyof typeof ways;

/** One place of the matrix: a client on a way with a parser. */
export interface Column {
  readonly client: StockClient;
  readonly way: Way;
  readonly parser: ParserName;
  /** Whether the sockets of its server are sessions of a hub. */
  readonly isOfHub: boolean;
}

/** What all clients with a version, on all ways and with all parsers, do with the server. */
export interface Behaviour {
  /** Goes on behind "A stock client". */
  readonly name: string;
  /** The oldest version of the client that has it. */
  readonly since?: string;
  /** Where it cannot be. */
  readonly except?: (column: Column) => boolean;
  /** Which server; `plain` where it is not given. */
  readonly profile?: Profile;
  readonly run: (cell: Cell) => Promise<void>;
}

/** Both ends of a connection to a namespace. */
export interface Pair {
  readonly client: StockSocket;
  readonly server: Socket;
}

/** What a behaviour has in one place of the matrix. */
export class Cell {
  readonly column: Column;
  readonly io: Server;
  /** A name of nobody else's, for rooms and events. */
  readonly key: string;
  readonly #url: string;
  readonly #clients: StockSocket[] = [];

  constructor(column: Column, servers: MatrixServers, profile: Profile, key: string) {
    const { io, url } = servers.get({ ...column, profile });
    this.column = column;
    this.io = io;
    this.key = key;
    this.#url = url;
  }

  /** A namespace of nobody else. */
  get namespace(): Namespace {
    return this.io.of(`/own-${this.key}`);
  }

  /** Begins to connect a client, with a connection of its own. */
  open(namespace = "/", options: Record<string, unknown> = {}): StockSocket {
    const { client, way, parser } = this.column;
    const socket = client.connect(`${this.#url}${namespace}`, {
      transports: ways[way],
      forceNew: true,
      reconnectionDelay: 10,
      reconnectionDelayMax: 20,
      ...(parser === "msgpack" ? { parser: client.msgpack } : {}),
      ...options,
    });
    this.#clients.push(socket);
    return socket;
  }

  /** Connects a client, and answers both ends. */
  async connect(namespace = "/", options: Record<string, unknown> = {}): Promise<Pair> {
    const client = this.open(namespace, options);
    await next(client, "connect");
    return { client, server: this.otherEnd(client, namespace) };
  }

  /** Connects a client to the namespace of this cell. */
  join(options: Record<string, unknown> = {}): Promise<Pair> {
    return this.connect(this.namespace.name, options);
  }

  /** The server's end of a client's connection. */
  otherEnd(client: StockSocket, namespace = "/"): Socket {
    const socket = this.io.of(namespace).sockets.get(client.id);
    assert.ok(socket, `the server knows no ${client.id}`);
    return socket;
  }

  /** Closes what was opened. */
  close(): void {
    for (const client of this.#clients) client.disconnect();
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

/** The arguments of all events of a name from now on. */
export function inbox(emitter: Emitter, name: string): Inbox<unknown[]> {
  const events = new Inbox<unknown[]>();
  emitter.on(name, (...args) => events.add(args));
  return events;
}

/** Bytes, whichever class they are of. */
export function bytes(value: unknown): Buffer {
  if (value instanceof ArrayBuffer) return Buffer.from(value);
  assert.ok(value instanceof Uint8Array, `${String(value)} is not bytes`);
  return Buffer.from(value);
}
