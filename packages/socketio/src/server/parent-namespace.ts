import { Adapter, type BroadcastOptions, type BroadcastPacket, type Room } from "../adapter/adapter.ts";
import { type AnyNamespace, Namespace } from "./namespace.ts";
import type { RemoteSocket } from "./remote-socket.ts";
import type { Server } from "./server.ts";
import type { DefaultEventsMap, EventsMap, Untyped } from "./typed-events.ts";

/** Names of parents are never a client's: those may not say them. */
let parents = 0;

/** What dynamic namespaces inherit their middlewares and listeners from, as those are when one is created. */
export class ParentNamespace<
  ListenEvents extends EventsMap = DefaultEventsMap,
  EmitEvents extends EventsMap = ListenEvents,
  ServerSideEvents extends EventsMap = DefaultEventsMap,
  SocketData = Untyped,
> extends Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData> {
  /** The namespaces that there are. */
  readonly children: Set<Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData>> = new Set();

  constructor(server: Server<ListenEvents, EmitEvents, ServerSideEvents, SocketData>) {
    super(server, `/_${parents++}`);
  }

  /** Creates one of its namespaces. `emptied` is called when nobody is in it any more. */
  createChild(
    name: string,
    emptied?: (namespace: AnyNamespace) => void,
  ): Namespace<ListenEvents, EmitEvents, ServerSideEvents, SocketData> {
    const child = new Namespace(this.server, name, emptied);
    child._fns = [...this._fns];
    for (const event of ["connect", "connection"] as const) {
      for (const listener of this.listeners(event)) child.on(event, listener);
    }
    this.children.add(child);
    return child;
  }

  /** Rejects: other servers may have other namespaces. */
  override fetchSockets(): Promise<RemoteSocket<EmitEvents, SocketData>[]> {
    return Promise.reject(new Error("fetchSockets() is not supported on parent namespaces"));
  }

  protected override _createAdapter(): Adapter {
    return new ParentAdapter(this);
  }
}

/** Has the adapters of the children do what is asked. */
class ParentAdapter extends Adapter {
  readonly #parent: ParentNamespace;

  constructor(parent: ParentNamespace) {
    super(parent);
    this.#parent = parent;
  }

  override broadcast(packet: BroadcastPacket, options: BroadcastOptions): void {
    for (const { adapter } of this.#parent.children) {
      // Adapters put their own things into it.
      void adapter.broadcast({ ...packet, data: [...packet.data] }, options);
    }
  }

  override addSockets(options: BroadcastOptions, rooms: Room[]): void {
    for (const { adapter } of this.#parent.children) void adapter.addSockets(options, rooms);
  }

  override delSockets(options: BroadcastOptions, rooms: Room[]): void {
    for (const { adapter } of this.#parent.children) void adapter.delSockets(options, rooms);
  }

  override disconnectSockets(options: BroadcastOptions, close: boolean): void {
    for (const { adapter } of this.#parent.children) void adapter.disconnectSockets(options, close);
  }
}
