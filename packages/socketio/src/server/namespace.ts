import type { Adapter, Session } from "../adapter/adapter.ts";
import type { SocketId } from "../adapter/broadcast-options.ts";
import { runInTurn } from "../run-in-turn.ts";
import { Audience, type Everybody } from "./audience.ts";
import { BroadcastOperator } from "./broadcast-operator.ts";
import type { Client, JoinAttempt } from "./client.ts";
import type { Server } from "./server.ts";
import { createAdapter } from "./server-options.ts";
import { serverSideEmit, serverSideEmitWithAck } from "./server-side-emit.ts";
import { NotRecovered, type SocketGate } from "./socket-gate.ts";
import { type AnySocket, Socket } from "./socket.ts";
import { throwLater } from "./throw-later.ts";
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

/** An error of a middleware: the client is told its message and its data. */
export interface ExtendedError extends Error {
  data?: Untyped;
}

/** The events that a namespace has itself. */
export interface NamespaceReservedEventsMap<
  ListenEvents extends EventsMap,
  EmitEvents extends EventsMap,
  ServerSideEvents extends EventsMap,
  SocketData,
> {
  connect: (socket: Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>) => void;
  connection: (socket: Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>) => void;
}

/** The events that the namespace `/`, and so a server, has itself. */
export interface ServerReservedEventsMap<
  ListenEvents extends EventsMap,
  EmitEvents extends EventsMap,
  ServerSideEvents extends EventsMap,
  SocketData,
> extends NamespaceReservedEventsMap<ListenEvents, EmitEvents, ServerSideEvents, SocketData> {
  new_namespace: (namespace: Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>) => void;
}

/** Lets a socket in by `next()`, or refuses it by `next(error)`; one that throws or rejects has refused it. */
export type NamespaceMiddleware<
  ListenEvents extends EventsMap = DefaultEventsMap,
  EmitEvents extends EventsMap = ListenEvents,
  ServerSideEvents extends EventsMap = DefaultEventsMap,
  SocketData = Untyped,
> = (
  socket: Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>,
  next: (error?: ExtendedError) => void,
) => unknown;

/** A namespace of any types. */
export type AnyNamespace = Namespace;

/** The sockets of one name, over the connections of their clients: with middlewares and rooms of its own. */
export class Namespace<
  ListenEvents extends EventsMap = DefaultEventsMap,
  EmitEvents extends EventsMap = ListenEvents,
  ServerSideEvents extends EventsMap = DefaultEventsMap,
  SocketData = Untyped,
> extends Audience<
  EmitEvents,
  ServerSideEvents,
  SocketData,
  NamespaceReservedEventsMap<ListenEvents, EmitEvents, ServerSideEvents, SocketData>
> {
  /** Begins with a slash. */
  readonly name: string;
  /** The sockets of this server that are connected, by id. */
  readonly sockets: Map<SocketId, Socket<ListenEvents, EmitEvents, ServerSideEvents, SocketData>> = new Map();
  readonly server: Server<ListenEvents, EmitEvents, ServerSideEvents, SocketData>;
  /** What carries its broadcasts and has its rooms. */
  adapter: Adapter;
  /** The id of the next event that asks for an acknowledgement. */
  _ids = 0;
  _fns: NamespaceMiddleware<ListenEvents, EmitEvents, ServerSideEvents, SocketData>[] = [];
  _gate: SocketGate | undefined;
  readonly #emptied: ((namespace: AnyNamespace) => void) | undefined;
  /** Clients that wait to be let in. */
  #waiting = 0;

  /** `emptied` is called when nobody is there any more. */
  constructor(
    server: Server<ListenEvents, EmitEvents, ServerSideEvents, SocketData>,
    name: string,
    emptied?: (namespace: AnyNamespace) => void,
  ) {
    super();
    this.server = server;
    this.name = name;
    this.#emptied = emptied;
    this.adapter = this._createAdapter();
  }

  /** Adds a middleware, behind those that there are, for each socket that wants to connect. */
  use(fn: NamespaceMiddleware<ListenEvents, EmitEvents, ServerSideEvents, SocketData>): this {
    this._fns.push(fn);
    return this;
  }

  /**
   * Sends an event to the other servers, to the listeners of this namespace there. Where the last argument is a function,
   * it is called with an error or null and the answers of all servers.
   */
  serverSideEmit<Name extends EventNames<ServerSideEvents>>(
    ev: Name,
    ...args: EventParams<DecorateAcknowledgementsWithTimeoutAndMultipleResponses<ServerSideEvents>, Name>
  ): boolean {
    return serverSideEmit(this.adapter, ev, args);
  }

  /** Sends an event to the other servers, and resolves to the answers of all. */
  serverSideEmitWithAck<Name extends EventNamesWithAck<ServerSideEvents>>(
    ev: Name,
    ...args: AllButLast<EventParams<ServerSideEvents, Name>>
  ): Promise<FirstNonErrorArg<Last<EventParams<ServerSideEvents, Name>>>[]> {
    return serverSideEmitWithAck(this.adapter, ev, args) as Promise<
      FirstNonErrorArg<Last<EventParams<ServerSideEvents, Name>>>[]
    >;
  }

  /** An event came from another server. */
  _onServerSideEmit(args: [string, ...unknown[]]): void {
    this.emitUntyped(...args);
  }

  /** Gives the namespace another adapter, which knows none of its sockets. */
  _initAdapter(): void {
    this.adapter = this._createAdapter();
  }

  /**
   * A client wants to join. Nothing waits where there is nothing to wait for: no middleware, recovery or gate that does.
   */
  _add(client: Client, attempt: JoinAttempt): void {
    this.#waiting++;
    const { pid, offset } = attempt.auth;
    if (this.server.opts.connectionStateRecovery === undefined || typeof pid !== "string") {
      this.#admit(this.#createSocket(client, attempt), attempt);
      return;
    }
    void this.#recover(pid, offset).then((session) => {
      this.#admit(this.#createSocket(client, attempt, session), attempt);
    });
  }

  /** A socket has left. */
  _remove(socket: AnySocket): void {
    if (!this.#map.delete(socket.id)) return;
    this.server.counts.sockets--;
    this.#checkEmpty();
  }

  protected override everybody(): Everybody<EmitEvents, SocketData> {
    return new BroadcastOperator(this.adapter);
  }

  /** A parent of namespaces has none of its own. */
  protected _createAdapter(): Adapter {
    const adapter = createAdapter(this.server.adapter(), this);
    // It may be a while until what it joins is there, and this server works without.
    Promise.resolve(adapter.init()).catch((error: unknown) => {
      process.emitWarning(`the adapter of ${this.name} did not begin: ${String(error)}`, "SocketIoWarning");
    });
    return adapter;
  }

  get #map(): Map<SocketId, AnySocket> {
    return this.sockets;
  }

  #createSocket(client: Client, { auth }: JoinAttempt, session?: Session): AnySocket {
    return new Socket(this, client, auth, session);
  }

  /** What a client that was here before is given back. */
  async #recover(pid: string, offset: unknown): Promise<Session | undefined> {
    try {
      const known = typeof offset === "string" ? offset : undefined;
      const session = (await this.adapter.restoreSession(pid, known)) ?? undefined;
      if (session?.expiresAt === undefined || Date.now() < session.expiresAt) return session;
      // It is to say anew who it is: the middlewares could be skipped.
      void this.adapter.delAll(session.sid);
      return undefined;
    } catch {
      // An adapter that cannot find it has nothing to give back.
      return undefined;
    }
  }

  #admit(socket: AnySocket, attempt: JoinAttempt): void {
    const { connectionStateRecovery } = this.server.opts;
    const done = (error?: unknown): void => this.#decided(socket, attempt, error);
    if (socket.recovered && connectionStateRecovery?.skipMiddlewares === true) done();
    else runInTurn(this._fns, (fn, next) => fn(socket as never, next), done);
  }

  /** The middlewares have let a socket in, or not. */
  #decided(socket: AnySocket, attempt: JoinAttempt, error: unknown): void {
    const gate = this._gate;
    if (error !== undefined || !socket.client._isJoining(attempt)) this.#turnAway(socket, attempt, error);
    else if (gate === undefined) this.#connect(socket, attempt);
    else {
      gate.enter(socket).then(
        () => this.#enter(socket, attempt),
        (refusal: unknown) => this.#keepOut(socket, attempt, refusal),
      );
    }
  }

  /** The gate has let a socket in, whose client may have left meanwhile. */
  #enter(socket: AnySocket, attempt: JoinAttempt): void {
    if (socket.client._isJoining(attempt)) this.#connect(socket, attempt);
    else this.#turnAway(socket, attempt, undefined);
  }

  /** The gate has refused a socket; one that is only not recovered may begin anew. */
  #keepOut(socket: AnySocket, attempt: JoinAttempt, refusal: unknown): void {
    const { client } = socket;
    if (!(refusal instanceof NotRecovered) || !client._isJoining(attempt)) {
      this.#turnAway(socket, attempt, refusal);
      return;
    }
    socket._cleanup();
    this.#admit(this.#createSocket(client, attempt), attempt);
  }

  #turnAway(socket: AnySocket, attempt: JoinAttempt, error: unknown): void {
    this.#waiting--;
    socket._cleanup();
    socket._session?.ended("transport close", undefined);
    if (socket.client._isJoining(attempt)) {
      socket.client._refused(attempt, error instanceof Error ? error : new Error(String(error)));
    }
    this.#checkEmpty();
  }

  #connect(socket: AnySocket, attempt: JoinAttempt): void {
    this.#waiting--;
    this.#map.set(socket.id, socket);
    this.server.counts.sockets++;
    if (socket.recovered) this.server.counts.recovered++;
    socket.client._joined(attempt, socket);
    socket._onconnect();
    // So much may wait for the client that it is lost by this.
    if (!socket.connected) return;
    try {
      this.emitUntyped("connect", socket);
      this.emitUntyped("connection", socket);
    } catch (error) {
      throwLater(error);
    }
    this._gate?.connected(socket);
  }

  #checkEmpty(): void {
    if (this.sockets.size === 0 && this.#waiting === 0) this.#emptied?.(this);
  }
}
