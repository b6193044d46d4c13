import type { Room, SocketId } from "../adapter/broadcast-options.ts";
import type { BroadcastOperator } from "./broadcast-operator.ts";
import type { RemoteSocket } from "./remote-socket.ts";
import {
  type DecorateAcknowledgements,
  type DecorateAcknowledgementsWithMultipleResponses,
  type EventNamesWithoutAck,
  type EventParams,
  type EventsMap,
  type RemoveAcknowledgements,
  StrictEventEmitter,
} from "./typed-events.ts";

/** Those whom an event reaches: an operator for all sockets of a namespace. */
export type Everybody<EmitEvents extends EventsMap, SocketData> = BroadcastOperator<
  DecorateAcknowledgementsWithMultipleResponses<EmitEvents>,
  SocketData
>;

/** What a namespace and a server have in common: all sockets of a namespace can be meant, or some of them. */
export abstract class Audience<
  EmitEvents extends EventsMap,
  ServerSideEvents extends EventsMap,
  SocketData,
  ReservedEvents extends EventsMap,
> extends StrictEventEmitter<ServerSideEvents, RemoveAcknowledgements<EmitEvents>, ReservedEvents> {
  /** All sockets of the namespace, on all servers. */
  protected abstract everybody(): Everybody<EmitEvents, SocketData>;

  /** Those in a room, or in any of several. Who is in two of them is meant once. */
  to(room: Room | Room[]): Everybody<EmitEvents, SocketData> {
    return this.everybody().to(room);
  }

  /** The same as `to()`. */
  in(room: Room | Room[]): Everybody<EmitEvents, SocketData> {
    return this.everybody().to(room);
  }

  /** All but those in a room, or in any of several. */
  except(room: Room | Room[]): Everybody<EmitEvents, SocketData> {
    return this.everybody().except(room);
  }

  /** Whether the packet may be compressed. */
  compress(compress: boolean): Everybody<EmitEvents, SocketData> {
    return this.everybody().compress(compress);
  }

  /** Drops the packet for clients that cannot take it at once. */
  get volatile(): Everybody<EmitEvents, SocketData> {
    return this.everybody().volatile;
  }

  /** Only the sockets of this server. */
  get local(): Everybody<EmitEvents, SocketData> {
    return this.everybody().local;
  }

  /** Gives acknowledgements some milliseconds. */
  timeout(
    timeout: number,
  ): BroadcastOperator<
    DecorateAcknowledgements<DecorateAcknowledgementsWithMultipleResponses<EmitEvents>>,
    SocketData
  > {
    return this.everybody().timeout(timeout);
  }

  /** Emits an event to all sockets. Answers true. */
  override emit<Name extends EventNamesWithoutAck<EmitEvents>>(
    ev: Name,
    ...args: EventParams<EmitEvents, Name>
  ): boolean {
    return this.everybody().emit(ev, ...(args as never));
  }

  /** Emits `message` to all sockets. */
  send(...args: EventParams<EmitEvents, "message">): this {
    this.everybody().emit("message", ...(args as never));
    return this;
  }

  /** The same as `send()`. */
  write(...args: EventParams<EmitEvents, "message">): this {
    return this.send(...args);
  }

  /**
   * The ids of all sockets.
   * @deprecated `fetchSockets()` tells more.
   */
  allSockets(): Promise<Set<SocketId>> {
    return this.everybody().allSockets();
  }

  /** All sockets, of all servers. */
  fetchSockets(): Promise<RemoteSocket<EmitEvents, SocketData>[]> {
    return this.everybody().fetchSockets();
  }

  /** Has all sockets join rooms. */
  socketsJoin(room: Room | Room[]): void {
    this.everybody().socketsJoin(room);
  }

  /** Has all sockets leave rooms. */
  socketsLeave(room: Room | Room[]): void {
    this.everybody().socketsLeave(room);
  }

  /** Disconnects all sockets from the namespace; with `close` their connections. */
  disconnectSockets(close = false): void {
    this.everybody().disconnectSockets(close);
  }
}
