import type {
  Adapter,
  BroadcastFlags,
  BroadcastOptions,
  BroadcastPacket,
  Room,
  SocketId,
} from "../adapter/adapter.ts";
import { PacketType, reservedEvents } from "../parser/packet.ts";
import { BroadcastAcks } from "./broadcast-acks.ts";
import { RemoteSocket, type SocketDetails } from "./remote-socket.ts";
import type {
  AllButLast,
  DecorateAcknowledgements,
  EventNames,
  EventNamesWithError,
  EventParams,
  EventsMap,
  FirstNonErrorArg,
  Last,
  TypedEventBroadcaster,
} from "./typed-events.ts";

/** Whom and how: each modifier answers another operator, and this one stays as it is. */
export class BroadcastOperator<
  EmitEvents extends EventsMap,
  SocketData,
> implements TypedEventBroadcaster<EmitEvents> {
  /** What carries it. */
  readonly adapter: Adapter;
  /** Sockets in any of these rooms; all, where there is none. */
  readonly rooms: Set<Room>;
  /** But none that is in one of these. */
  readonly exceptRooms: Set<Room>;
  /** How it is sent. */
  readonly flags: BroadcastFlags;

  /** All sockets of the adapter's namespace, where nothing else is given. */
  constructor(
    adapter: Adapter,
    rooms: Set<Room> = new Set(),
    exceptRooms: Set<Room> = new Set(),
    flags: BroadcastFlags = {},
  ) {
    this.adapter = adapter;
    this.rooms = rooms;
    this.exceptRooms = exceptRooms;
    this.flags = flags;
  }

  /** Also the sockets in a room, or in any of several. Who is in two of them is meant once. */
  to(room: Room | Room[]): BroadcastOperator<EmitEvents, SocketData> {
    return new BroadcastOperator(this.adapter, withRooms(this.rooms, room), this.exceptRooms, this.flags);
  }

  /** The same as `to()`. */
  in(room: Room | Room[]): BroadcastOperator<EmitEvents, SocketData> {
    return this.to(room);
  }

  /** None of the sockets in a room, or in any of several. */
  except(room: Room | Room[]): BroadcastOperator<EmitEvents, SocketData> {
    return new BroadcastOperator(this.adapter, this.rooms, withRooms(this.exceptRooms, room), this.flags);
  }

  /** Whether the packet may be compressed. */
  compress(compress: boolean): BroadcastOperator<EmitEvents, SocketData> {
    return this.#with({ compress });
  }

  /** Drops the packet for clients that cannot take it at once. */
  get volatile(): BroadcastOperator<EmitEvents, SocketData> {
    return this.#with({ volatile: true });
  }

  /** Only the sockets of this server. */
  get local(): BroadcastOperator<EmitEvents, SocketData> {
    return this.#with({ local: true });
  }

  /** Gives acknowledgements some milliseconds; they begin with an error then, where not all came in time. */
  timeout(timeout: number): BroadcastOperator<DecorateAcknowledgements<EmitEvents>, SocketData> {
    return new BroadcastOperator(this.adapter, this.rooms, this.exceptRooms, { ...this.flags, timeout });
  }

  /**
   * Emits an event to those who are meant. Where the last argument is a function, it is called with an error or null and
   * the answers of all, once they have come or the time of `timeout()` is over; without `timeout()` that is at once. Throws
   * for the name of an event that is not the application's. Answers true.
   */
  emit<Name extends EventNames<EmitEvents>>(ev: Name, ...args: EventParams<EmitEvents, Name>): boolean {
    if (typeof ev === "string" && reservedEvents.has(ev)) throw new Error(`"${ev}" is a reserved event name`);
    const data: unknown[] = [ev, ...(args as unknown[])];
    const packet: BroadcastPacket = { type: PacketType.EVENT, data };
    if (typeof data.at(-1) === "function") this.#ask(packet, data.pop() as (...args: unknown[]) => void);
    else void this.adapter.broadcast(packet, this.#options);
    return true;
  }

  /**
   * Emits an event to those who are meant, and resolves to the answers of all. Rejects where not all come within the time of
   * `timeout()`: the error's `responses` are those that came.
   */
  emitWithAck<Name extends EventNamesWithError<EmitEvents>>(
    ev: Name,
    ...args: AllButLast<EventParams<EmitEvents, Name>>
  ): Promise<FirstNonErrorArg<Last<EventParams<EmitEvents, Name>>>> {
    return new Promise((resolve, reject) => {
      const acknowledged = (
        error: Error | null,
        responses: FirstNonErrorArg<Last<EventParams<EmitEvents, Name>>>,
      ): void => {
        if (error === null) resolve(responses);
        else reject(Object.assign(error, { responses }));
      };
      this.emit(ev, ...([...(args as unknown[]), acknowledged] as EventParams<EmitEvents, Name>));
    });
  }

  /**
   * The ids of those who are meant.
   * @deprecated `fetchSockets()` tells more.
   */
  allSockets(): Promise<Set<SocketId>> {
    return this.adapter.sockets(this.rooms);
  }

  /** Those who are meant, of all servers. Those of this server are its sockets themselves. */
  async fetchSockets(): Promise<RemoteSocket<EmitEvents, SocketData>[]> {
    const sockets = await this.adapter.fetchSockets(this.#options);
    return sockets.map((socket) => {
      // It has all that a remote socket has.
      if ("nsp" in socket) return socket as unknown as RemoteSocket<EmitEvents, SocketData>;
      const flags = { expectSingleResponse: true };
      const operator = new BroadcastOperator<EmitEvents, SocketData>(
        this.adapter,
        new Set([socket.id]),
        new Set(),
        flags,
      );
      return new RemoteSocket(socket as SocketDetails<SocketData>, operator);
    });
  }

  /** Has those who are meant join rooms. */
  socketsJoin(room: Room | Room[]): void {
    void this.adapter.addSockets(this.#options, Array.isArray(room) ? room : [room]);
  }

  /** Has those who are meant leave rooms. */
  socketsLeave(room: Room | Room[]): void {
    void this.adapter.delSockets(this.#options, Array.isArray(room) ? room : [room]);
  }

  /** Disconnects those who are meant from the namespace; with `close` their connections. */
  disconnectSockets(close = false): void {
    void this.adapter.disconnectSockets(this.#options, close);
  }

  get #options(): BroadcastOptions {
    return { rooms: this.rooms, except: this.exceptRooms, flags: this.flags };
  }

  #with(flags: BroadcastFlags): BroadcastOperator<EmitEvents, SocketData> {
    return new BroadcastOperator(this.adapter, this.rooms, this.exceptRooms, { ...this.flags, ...flags });
  }

  /** Asks those who are meant to acknowledge an event. */
  #ask(packet: BroadcastPacket, acknowledged: (...args: unknown[]) => void): void {
    const adapter = this.adapter;
    const { expectSingleResponse = false, timeout = 0 } = this.flags;
    const acks = new BroadcastAcks(adapter.nsp.server.opts.clock, timeout, (error, responses) => {
      if (error !== null) forget(adapter, packet.id);
      if (expectSingleResponse) acknowledged(error, error === null ? responses[0] : null);
      else acknowledged(error, responses);
    });
    adapter.broadcastWithAck(packet, this.#options, acks.counted, acks.acknowledged);
    void adapter.serverCount().then(
      (servers) => acks.expect(servers),
      (error: unknown) => acks.fail(error instanceof Error ? error : new Error(String(error))),
    );
  }
}

function withRooms(rooms: Set<Room>, room: Room | Room[]): Set<Room> {
  const all = new Set(rooms);
  if (!Array.isArray(room)) return all.add(room);
  for (const each of room) all.add(each);
  return all;
}

/** Nobody is waited for any more. */
function forget({ nsp }: Adapter, id: number | undefined): void {
  if (id === undefined) return;
  for (const { _outgoing: outgoing } of nsp.sockets.values()) {
    if (outgoing.forget(id)) nsp.server.counts.acksTimedOut++;
  }
}
