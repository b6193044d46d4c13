import { EventEmitter } from "node:events";
import { createServer } from "node:http";
import { Adapter } from "../adapter/adapter.ts";
import { SessionAwareAdapter } from "../adapter/session-aware-adapter.ts";
import type { AttachableServer } from "../engine/attach.ts";
import type { EngineServer } from "../engine/engine-server.ts";
import { createHubGate } from "../hub/hub-gate.ts";
import { AttachedServers } from "./attached-servers.ts";
import { Audience, type Everybody } from "./audience.ts";
import { BroadcastOperator } from "./broadcast-operator.ts";
import { serveClientFiles } from "./client-files.ts";
import { Connections } from "./connections.ts";
import { type Codec, createCodec, type PacketEncoder } from "./custom-parser.ts";
import { forwardEmitter } from "./forward-emitter.ts";
import type { AnyNamespace, Namespace, NamespaceMiddleware, ServerReservedEventsMap } from "./namespace.ts";
import { Namespaces, type ParentNspNameMatchFn } from "./namespaces.ts";
import { createServerCounts, type ServerCounts } from "./server-counts.ts";
import {
  type AdapterConstructor,
  checkTime,
  type ResolvedServerOptions,
  resolvePath,
  resolveServerOptions,
  type ServerOptions,
} from "./server-options.ts";
import type { SocketGate } from "./socket-gate.ts";
import { createSocketHost, type SocketHost } from "./socket-host.ts";
import type { Socket } from "./socket.ts";
import { guard } from "./throw-later.ts";
import type {
  AllButLast,
  DecorateAcknowledgementsWithTimeoutAndMultipleResponses,
  DefaultEventsMap,
  EventNames,
  EventNamesWithAck,
  EventParams,
  EventsMap,
  FirstNonErrorArg,
  Last,
  Untyped,
} from "./typed-events.ts";

/** A server of any types. */
export type AnyServer = Server;

/**
 * A Socket.IO server, for clients 2.x (with `allowEIO3`), 3.x and 4.x. What is done on it is done on its namespace `/`. It
 * has the options, events, methods and types of the package socket.io's `Server`.
 */
export class Server<
  ListenEvents extends EventsMap = DefaultEventsMap,
  EmitEvents extends EventsMap = ListenEvents,
  ServerSideEvents extends EventsMap = DefaultEventsMap,
  SocketData = Untyped,
> extends Audience<
  EmitEvents,
  ServerSideEvents,
  SocketData,
  ServerReservedEventsMap<ListenEvents, EmitEvents, ServerSideEvents, SocketData>
> {
  /** The namespace `/`. */
  readonly sockets: Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>;
  /** The options, with all defaults. */
  readonly opts: ResolvedServerOptions;
  /** What happens here, in numbers. */
  readonly counts: ServerCounts = createServerCounts();
  /** What encodes packets. */
  readonly encoder: PacketEncoder;
  /** The HTTP server that it was attached to last. */
  httpServer: AttachableServer | undefined;
  readonly _codec: Codec;
  readonly _namespaces: Namespaces;
  readonly _gate: SocketGate | undefined;
  /** What all sockets share. */
  readonly _socketHost: SocketHost;
  readonly _connections: Connections;
  readonly #given: Partial<ServerOptions>;
  readonly #attached = new AttachedServers();
  #adapter: AdapterConstructor;
  #path: string;
  #serveClient: boolean;

  /**
   * Listens on a port, or is attached to a server of `http`, `https` or `http2`, where one is given; else see `attach()`. Throws a
   * RangeError that names the option which cannot be meant.
   */
  constructor(options?: Partial<ServerOptions>);
  constructor(server?: AttachableServer | number, options?: Partial<ServerOptions>);
  constructor(
    server: undefined | Partial<ServerOptions> | AttachableServer | number,
    options?: Partial<ServerOptions>,
  );
  constructor(
    first?: Partial<ServerOptions> | AttachableServer | number | null,
    second: Partial<ServerOptions> = {},
  ) {
    super();
    const isOptions = typeof first === "object" && first !== null && !("listen" in first);
    this.#given = isOptions ? first : second;
    this.opts = resolveServerOptions(this.#given);
    const { path, serveClient, parser, adapter, connectionStateRecovery, hub } = this.opts;
    this.#path = path;
    this.#serveClient = serveClient;
    const gate = hub === undefined ? undefined : createHubGate(hub);
    this._gate = gate;
    if (gate !== undefined) this.#adapter = (nsp: AnyNamespace) => gate.createAdapter(nsp);
    else this.#adapter = adapter ?? (connectionStateRecovery === undefined ? Adapter : SessionAwareAdapter);
    this._connections = new Connections(this);
    this._codec = createCodec(parser);
    this.encoder = this._codec.encoder;
    this._socketHost = createSocketHost(this);
    this._namespaces = new Namespaces(this);
    this.sockets = this.of("/");
    if (first !== undefined && first !== null && !isOptions) this.attach(first);
  }

  /** The Engine.IO server: that of the last `attach()` with options, or else the one of the options given first. */
  get engine(): EngineServer {
    return this._connections.engines.at(-1) ?? this._connections.createEngine(this.#given);
  }

  /** Whether the browser's client is served where the server is attached. */
  serveClient(value: boolean): this;
  serveClient(): boolean;
  serveClient(value?: boolean): this | boolean {
    if (value === undefined) return this.#serveClient;
    this.#serveClient = value;
    return this;
  }

  /** The beginning of the path of all requests. Set before the server is attached. */
  path(value: string): this;
  path(): string;
  path(value?: string): this | string {
    if (value === undefined) return this.#path;
    this.#path = resolvePath(value);
    return this;
  }

  /** The milliseconds within which a client must join a namespace. Those that are there have what held then. */
  connectTimeout(value: number): this;
  connectTimeout(): number;
  connectTimeout(value?: number): this | number {
    if (value === undefined) return this._connections.connectTimeout;
    checkTime("connectTimeout", value);
    this._connections.connectTimeout = value;
    return this;
  }

  /** What makes the adapters of namespaces. Where it is set, those that there are begin anew, without their sockets' rooms. */
  adapter(): AdapterConstructor;
  adapter(value: AdapterConstructor): this;
  adapter(value?: AdapterConstructor): this | AdapterConstructor {
    if (value === undefined) return this.#adapter;
    this.#adapter = value;
    for (const namespace of this._nsps.values()) namespace._initAdapter();
    return this;
  }

  /** The namespaces that there are, by name. */
  get _nsps(): Map<string, AnyNamespace> {
    return this._namespaces.byName;
  }

  /** The same as `attach()`. */
  listen(server: AttachableServer | number, options: Partial<ServerOptions> = {}): this {
    return this.attach(server, options);
  }

  /**
   * Takes the requests below the path of a server of `http`, `https` or `http2`, or of one that listens on a port then. May be
   * called more than once; where options of Engine.IO are given, its clients have an `engine` of their own.
   */
  attach(server: AttachableServer | number, options: Partial<ServerOptions> = {}): this {
    const port = portFrom(server);
    const target = port === undefined ? (server as AttachableServer) : createEmptyServer();
    // An application of Express is a function, and has what an emitter has.
    if (typeof target === "function" || typeof target.listeners !== "function") {
      throw new TypeError(
        "attach() wants a server of http, https or http2, or a port: an Express application is none of them",
      );
    }
    const given = { ...this.#given, ...options };
    const path = options.path === undefined ? this.#path : resolvePath(options.path);
    const engine = Object.keys(options).length === 0 ? this.engine : this._connections.createEngine(given);
    engine.attach(target, { ...given, path });
    if (options.serveClient ?? this.#serveClient) serveClientFiles(target, path, engine.opts.cors);
    this.httpServer = target;
    this.#attached.add(target);
    if (port !== undefined) target.listen(port);
    return this;
  }

  /**
   * The namespace of a name, created where there is none; or the parent of all those whose names match a pattern or that a
   * function allows, which are created when clients name them. A listener is added for `connection`.
   */
  of(
    name: string | RegExp | ParentNspNameMatchFn,
    listener?: (socket: Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>) => void,
  ): Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData> {
    const found: unknown =
      typeof name === "string" ? this._namespaces.named(name) : this._namespaces.matching(name);
    const namespace = found as Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>;
    if (listener !== undefined) namespace.on("connect", listener);
    return namespace;
  }

  /**
   * Disconnects all sockets, and closes the HTTP servers. Resolves, and calls back, when those have no connections any more;
   * with an error where one was not listening.
   */
  async close(closed?: (error?: Error) => void): Promise<void> {
    const closing: unknown[] = [];
    for (const { sockets, adapter } of this._nsps.values()) {
      for (const socket of sockets.values()) guard(() => socket._onclose("server shutting down"));
      closing.push(adapter.close());
    }
    await Promise.allSettled(closing);
    this._connections.close();
    const error = await this.#attached.close();
    closed?.(error);
  }

  /** Adds a middleware for each socket that wants to connect to `/`. */
  use(fn: NamespaceMiddleware<ListenEvents, EmitEvents, ServerSideEvents, SocketData>): this {
    this.sockets.use(fn);
    return this;
  }

  /** Sends an event to the other servers: see `serverSideEmit()` of Namespace. */
  serverSideEmit<Name extends EventNames<ServerSideEvents>>(
    ev: Name,
    ...args: EventParams<DecorateAcknowledgementsWithTimeoutAndMultipleResponses<ServerSideEvents>, Name>
  ): boolean {
    return this.sockets.serverSideEmit(ev, ...args);
  }

  /** Sends an event to the other servers, and resolves to the answers of all. */
  serverSideEmitWithAck<Name extends EventNamesWithAck<ServerSideEvents>>(
    ev: Name,
    ...args: AllButLast<EventParams<ServerSideEvents, Name>>
  ): Promise<FirstNonErrorArg<Last<EventParams<ServerSideEvents, Name>>>[]> {
    return this.sockets.serverSideEmitWithAck(ev, ...args);
  }

  /** A namespace was created. */
  _onNamespace(namespace: AnyNamespace): void {
    namespace._gate = this._gate;
    if (namespace.name !== "/") EventEmitter.prototype.emit.call(this.sockets, "new_namespace", namespace);
  }

  protected override everybody(): Everybody<EmitEvents, SocketData> {
    return new BroadcastOperator(this.sockets.adapter);
  }
}

/** Ports of the environment are texts. */
function portFrom(server: unknown): number | undefined {
  if (typeof server === "number") return server;
  return typeof server === "string" && /^\d+$/.test(server) ? Number(server) : undefined;
}

function createEmptyServer(): AttachableServer {
  return createServer((_request, response) => response.writeHead(404).end());
}

forwardEmitter<AnyServer>(Server.prototype, ({ sockets }) => sockets);
