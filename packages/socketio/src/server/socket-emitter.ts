import type { BroadcastFlags, Room, SocketId } from "../adapter/adapter.ts";
import { BroadcastOperator } from "./broadcast-operator.ts";
import { withFlags } from "./flagged-socket.ts";
import type { Namespace } from "./namespace.ts";
import type { OutgoingEvents } from "./outgoing-events.ts";
import { removeListener } from "./remove-listener.ts";
import type { SocketReservedEventsMap } from "./socket-events.ts";
import type { Socket } from "./socket.ts";
import {
  type AllButLast,
  type AnyListener,
  type DecorateAcknowledgements,
  type DecorateAcknowledgementsWithMultipleResponses,
  type EventNames,
  type EventNamesWithAck,
  type EventParams,
  type EventsMap,
  type FirstNonErrorArg,
  type Last,
  StrictEventEmitter,
} from "./typed-events.ts";

/** The other sockets of a namespace, or some of them. */
type Others<EmitEvents extends EventsMap, SocketData> = BroadcastOperator<
  DecorateAcknowledgementsWithMultipleResponses<EmitEvents>,
  SocketData
>;

const noFlags: BroadcastFlags = Object.freeze({});

/**
 * What a socket emits, to its client and to others. Modifiers change nothing: each answers the socket as it is with the flag, and
 * what is emitted by that one has it.
 */
export abstract class SocketEmitter<
  ListenEvents extends EventsMap,
  EmitEvents extends EventsMap,
  ServerSideEvents extends EventsMap,
  SocketData,
> extends StrictEventEmitter<ListenEvents, EmitEvents, SocketReservedEventsMap> {
  abstract readonly nsp: Namespace<ListenEvents, EmitEvents, ServerSideEvents>;
  abstract readonly id: SocketId;
  abstract readonly _outgoing: OutgoingEvents;

  /** What is emitted has these. */
  get _flags(): BroadcastFlags {
    return noFlags;
  }

  /**
   * Emits an event to the client. Where the last argument is a function, it is called with the client's answer; after
   * `timeout()` with an error or null before it. Bytes may be anywhere in the arguments. Throws for the name of an event that
   * is not the application's. Answers true.
   */
  override emit<Name extends EventNames<EmitEvents>>(
    ev: Name,
    ...args: EventParams<EmitEvents, Name>
  ): boolean {
    this._outgoing.emit(ev, args, this._flags);
    return true;
  }

  /**
   * Emits an event to the client, and resolves to its answer. Rejects when the socket is disconnected before, or after the
   * time of `timeout()`.
   */
  emitWithAck<Name extends EventNamesWithAck<EmitEvents>>(
    ev: Name,
    ...args: AllButLast<EventParams<EmitEvents, Name>>
  ): Promise<FirstNonErrorArg<Last<EventParams<EmitEvents, Name>>>> {
    type Answer = FirstNonErrorArg<Last<EventParams<EmitEvents, Name>>>;
    return this._outgoing.emitWithAck(ev, args, this._flags) as Promise<Answer>;
  }

  /** Emits the event `message` to the client. */
  send(...args: EventParams<EmitEvents, "message">): this {
    this._outgoing.emit("message", args, this._flags);
    return this;
  }

  /** The same as `send()`. */
  write(...args: EventParams<EmitEvents, "message">): this {
    return this.send(...args);
  }

  /** Whether what is emitted may be compressed. */
  compress(compress: boolean): this {
    return withFlags(this, { compress });
  }

  /** What is emitted is dropped where the client cannot take it at once. */
  get volatile(): this {
    return withFlags(this, { volatile: true });
  }

  /** Gives the client's answer some milliseconds; the function for it is called with an error before it, or null. */
  timeout(
    timeout: number,
  ): Socket<ListenEvents, DecorateAcknowledgements<EmitEvents>, ServerSideEvents, SocketData> {
    return withFlags(this, { timeout }) as unknown as Socket<
      ListenEvents,
      DecorateAcknowledgements<EmitEvents>,
      ServerSideEvents,
      SocketData
    >;
  }

  /** All other sockets of the namespace. */
  get broadcast(): Others<EmitEvents, SocketData> {
    return new BroadcastOperator(this.nsp.adapter, new Set(), new Set([this.id]), this._flags);
  }

  /** All other sockets of the namespace on this server. */
  get local(): Others<EmitEvents, SocketData> {
    return this.broadcast.local;
  }

  /** All other sockets in a room, or in any of several. */
  to(room: Room | Room[]): Others<EmitEvents, SocketData> {
    return this.broadcast.to(room);
  }

  /** The same as `to()`. */
  in(room: Room | Room[]): Others<EmitEvents, SocketData> {
    return this.broadcast.to(room);
  }

  /** All other sockets but those in a room, or in any of several. */
  except(room: Room | Room[]): Others<EmitEvents, SocketData> {
    return this.broadcast.except(room);
  }

  /** Calls a listener with each event that is sent to the client, also with those to many; not with answers. */
  onAnyOutgoing(listener: AnyListener): this {
    this.listenersAnyOutgoing().push(listener);
    return this;
  }

  /** The same as `onAnyOutgoing()`, before all other such listeners. */
  prependAnyOutgoing(listener: AnyListener): this {
    this.listenersAnyOutgoing().unshift(listener);
    return this;
  }

  /** Takes back a listener to all that is sent; without one, all of them. */
  offAnyOutgoing(listener?: AnyListener): this {
    removeListener(this._outgoing.listeners, listener);
    return this;
  }

  /** The listeners to all that is sent; changing the array changes them. */
  listenersAnyOutgoing(): AnyListener[] {
    return this._outgoing.listeners;
  }

  /** For adapters: tells the listeners to all that is sent. */
  notifyOutgoingListeners(packet: { readonly data?: unknown }): void {
    this._outgoing.notify(packet);
  }
}
