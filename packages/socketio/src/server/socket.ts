import { EventEmitter } from "node:events";
import type { IncomingMessage } from "node:http";
import type { Adapter, Room, Session, SocketId } from "../adapter/adapter.ts";
import type { EngineSession } from "../engine/session.ts";
import { SocketIoError } from "../error.ts";
import { type Packet, PacketType } from "../parser/packet.ts";
import type { Client } from "./client.ts";
import { type DisconnectReason, recoverableReasons } from "./disconnect-reason.ts";
import { createHandshake, type Handshake } from "./handshake.ts";
import { type Event, type EventMiddleware, IncomingEvents } from "./incoming-events.ts";
import type { Namespace } from "./namespace.ts";
import { OutgoingEvents } from "./outgoing-events.ts";
import type { PendingAcks } from "./pending-acks.ts";
import { removeListener } from "./remove-listener.ts";
import { SocketEmitter } from "./socket-emitter.ts";
import type { SocketEventNames, SocketListener, SocketOwnEventsMap } from "./socket-events.ts";
import { SocketExpiry } from "./socket-expiry.ts";
import type { SocketSession } from "./socket-gate.ts";
import type { SocketHost } from "./socket-host.ts";
import { createPrivateId, createSocketId } from "./socket-id.ts";
import type { AnyListener, DefaultEventsMap, EventsMap, Untyped } from "./typed-events.ts";

/** A socket of whatever events. */
export type AnySocket = Socket;

/**
 * One client in one namespace: what it sends are events of the socket, and what is emitted goes to it.
 *
 * Beside the members of the class of this name in the package socket.io it has `expiresAt`, `writable`, `bufferedBytes` and the events
 * `drain` and `expired`. Events that come before their first listener wait for it, within `limits.earlyEvents`.
 */
export class Socket<
  ListenEvents extends EventsMap = DefaultEventsMap,
  EmitEvents extends EventsMap = ListenEvents,
  ServerSideEvents extends EventsMap = DefaultEventsMap,
  SocketData = Untyped,
> extends SocketEmitter<ListenEvents, EmitEvents, ServerSideEvents, SocketData> {
  /** The namespace. */
  readonly nsp: Namespace<ListenEvents, EmitEvents, ServerSideEvents>;
  /** The client, who may have sockets in other namespaces too. */
  readonly client: Client;
  /** The public name of the socket, and of the room that is its own. A client that comes back has another one unless it is recovered. */
  readonly id: SocketId;
  /** Whether it has its id, rooms and data from before a loss of the connection. */
  readonly recovered: boolean;
  /** Whether it is connected: after the middlewares, until it is disconnected. */
  connected = false;
  /** The secret with which its client gets it back; undefined where sockets are not recovered. */
  readonly _pid: string | undefined;
  /** Its session of a hub, which has the events that no listener has. */
  _session: SocketSession | undefined = undefined;
  /** What its client is sent. */
  readonly _outgoing: OutgoingEvents;
  /** What the client said of itself. */
  readonly _auth: Record<string, unknown>;
  /** When it was connected, in whole milliseconds of the clock; negative before. */
  #connectedAt = -1;
  /** What it missed, until it is sent. */
  #missed: Session | undefined;
  #data: SocketData | undefined;
  #handshake: Handshake | undefined = undefined;
  #incoming: IncomingEvents | undefined = undefined;
  #expiry: SocketExpiry | undefined = undefined;
  /** Its listeners of `disconnecting` may disconnect it. */
  #isLeaving = false;

  /** Made by the namespace. `previousSession` is what is restored of a socket that was lost. */
  constructor(
    nsp: Namespace<ListenEvents, EmitEvents, ServerSideEvents>,
    client: Client,
    auth: Record<string, unknown>,
    previousSession?: Session,
  ) {
    super();
    this.nsp = nsp;
    this.client = client;
    this._auth = auth;
    this.recovered = previousSession !== undefined;
    this.#missed = previousSession;
    this.#data = previousSession?.data as SocketData | undefined;
    this.id = previousSession?.sid ?? createSocketId(nsp.name, client.conn);
    const isRecoverable = nsp.server.opts.connectionStateRecovery !== undefined;
    this._pid = previousSession?.pid ?? (isRecoverable ? createPrivateId(this.id) : undefined);
    this._outgoing = new OutgoingEvents(this, this._pid !== undefined);
    if (previousSession === undefined) return;
    this.expiresAt = previousSession.expiresAt;
    void this.#adapter.addAll(this.id, new Set(previousSession.rooms));
  }

  /** For the application's own use. Other servers see it in `fetchSockets()`, and it is restored with a recovered socket. */
  get data(): SocketData {
    return (this.#data ??= {} as SocketData);
  }

  set data(data: SocketData) {
    this.#data = data;
  }

  /** How the client came, and what it said of itself. */
  get handshake(): Handshake {
    return (this.#handshake ??= createHandshake(this.conn, this._auth));
  }

  /** The request that began the connection. */
  get request(): IncomingMessage {
    return this.client.request;
  }

  /** The connection, which its sockets in other namespaces share. */
  get conn(): EngineSession {
    return this.client.conn;
  }

  /** Whether it is not connected. */
  get disconnected(): boolean {
    return !this.connected;
  }

  /** The rooms that it is in. */
  get rooms(): Set<Room> {
    return this.#adapter.socketRooms(this.id) ?? new Set();
  }

  /** Whether to go on emitting. Where not, the event `drain` says when, unless the client has left. */
  get writable(): boolean {
    return !this._outgoing.hasEnded && !this.conn.needsDrain;
  }

  /** Bytes that wait for the client. At `maxBufferedBytes` of the server's options its connection is closed. */
  get bufferedBytes(): number {
    return this.conn.bufferedBytes;
  }

  /** The answers that the client was asked for. */
  get acks(): PendingAcks {
    return this._outgoing.acks;
  }

  /**
   * When what the client has proven of itself expires, in milliseconds since 1970; undefined for never. Then `expired` is emitted, and
   * unless a listener sets a later time, the connection is closed, and the client connects anew. Throws a RangeError for NaN, which
   * would be never.
   */
  get expiresAt(): number | undefined {
    return this.#expiry?.at;
  }

  set expiresAt(at: number | undefined) {
    const isOver = at === undefined || this._outgoing.hasEnded;
    const expiry = isOver ? undefined : new SocketExpiry(at, this.#host.clock, () => this.#expired());
    this.#expiry?.cancel();
    this.#expiry = expiry;
  }

  /**
   * Joins a room, or several. Over `limits.roomsPerSocket` the connection is ended, `limit_exceeded`: clients often name the rooms. A
   * promise where the adapter gives one.
   */
  join(rooms: Room | Room[]): Promise<void> | void {
    if (this._outgoing.hasEnded) return;
    const joined = new Set(Array.isArray(rooms) ? rooms : [rooms]);
    const { roomsPerSocket } = this.#host.limits;
    const { rooms: present } = this;
    if (present.size + joined.size > roomsPerSocket && ![...joined].every((room) => present.has(room))) {
      const message = `a socket may be in ${roomsPerSocket} rooms (limits.roomsPerSocket)`;
      this.client._fail(new SocketIoError("limit_exceeded", message));
      return;
    }
    return this.#adapter.addAll(this.id, joined);
  }

  /** Leaves a room. A promise where the adapter gives one. */
  leave(room: Room): Promise<void> | void {
    return this.#adapter.del(this.id, room);
  }

  /** Leaves all rooms, its own among them. A promise where the adapter gives one. */
  leaveAll(): Promise<void> | void {
    return this.#adapter.delAll(this.id);
  }

  /** Disconnects the socket; with `close` the connection, and so the client's sockets in other namespaces too. */
  disconnect(close = false): this {
    if (!this.connected) return this;
    if (close) this.client._disconnect();
    else {
      this.client._packet({ type: PacketType.DISCONNECT, nsp: this.nsp.name });
      this._onclose("server namespace disconnect");
    }
    return this;
  }

  /** Adds a middleware for the client's events. What it passes to `next()` is emitted as `error`, and the event is dropped. */
  use(fn: EventMiddleware): this {
    this.#events.use(fn);
    return this;
  }

  /** Calls a listener with each event of a name, and soon with those that have waited for it. */
  override on<Name extends SocketEventNames<ListenEvents>>(
    ev: Name,
    listener: SocketListener<ListenEvents, Name>,
  ): this;
  override on(ev: keyof SocketOwnEventsMap, listener: () => void): this;
  override on(ev: string, listener: AnyListener): this {
    super.addListener(ev, listener);
    this.#incoming?.release();
    return this;
  }

  /** Calls a listener with the next event of a name, or soon with the first that has waited for it. */
  override once<Name extends SocketEventNames<ListenEvents>>(
    ev: Name,
    listener: SocketListener<ListenEvents, Name>,
  ): this;
  override once(ev: keyof SocketOwnEventsMap, listener: () => void): this;
  override once(ev: string, listener: AnyListener): this {
    // Adds it with `on`.
    return super.once(ev, listener as never);
  }

  /** The same as `on()`. */
  override addListener(ev: string | symbol, listener: AnyListener): this {
    super.addListener(ev, listener);
    this.#incoming?.release();
    return this;
  }

  /** The same as `on()`, before all other listeners of the name. */
  override prependListener(ev: string | symbol, listener: AnyListener): this {
    super.prependListener(ev, listener);
    this.#incoming?.release();
    return this;
  }

  /** Calls a listener with each event of the client: its name and its arguments. */
  onAny(listener: AnyListener): this {
    this.#events.any.push(listener);
    this.#events.release();
    return this;
  }

  /** The same as `onAny()`, before all other listeners to all events. */
  prependAny(listener: AnyListener): this {
    this.#events.any.unshift(listener);
    this.#events.release();
    return this;
  }

  /** Takes back a listener to all events; without one, all of them. */
  offAny(listener?: AnyListener): this {
    if (this.#incoming !== undefined) removeListener(this.#incoming.any, listener);
    return this;
  }

  /** The listeners to all events; changing the array changes them. */
  listenersAny(): AnyListener[] {
    return this.#events.any;
  }

  /** The namespace has let it in. */
  _onconnect(): void {
    const { name } = this.nsp;
    this.connected = true;
    this.#connectedAt = Math.floor(this.#host.clock.now());
    void this.#adapter.addAll(this.id, new Set([this.id]));
    const data = this.conn.protocol === 3 ? undefined : { sid: this.id, pid: this._pid };
    this.client._packet({ type: PacketType.CONNECT, nsp: name, data });
    const { missedPackets, missedMessages = [] } = this.#missed ?? { missedPackets: [] };
    this.#missed = undefined;
    for (const packet of missedPackets) {
      this.client._packet({ type: PacketType.EVENT, nsp: name, data: packet });
    }
    for (const messages of missedMessages) this.client.writeToEngine(messages);
  }

  /** A packet came for it. */
  _onpacket(packet: Packet): void {
    if (packet.type === PacketType.EVENT) this.#onevent(packet);
    else if (packet.type === PacketType.ACK) this._outgoing.answered(packet.id!, packet.data as unknown[]);
    else if (packet.type === PacketType.DISCONNECT) this._onclose("client namespace disconnect");
  }

  /** All that was sent has left. */
  _ondrain(): void {
    this._session?.drained();
    this.emitUntyped("drain");
  }

  /** A middleware refused an event. */
  _onerror(error: Error): void {
    if (this.listenerCount("error") > 0) this.emitReserved("error", error);
  }

  /** It is disconnected. What listeners throw is thrown when all is done. */
  _onclose(reason: DisconnectReason, description?: unknown): void {
    if (!this.connected || this.#isLeaving) return;
    this.#isLeaving = true;
    try {
      this.emitReserved("disconnecting", reason, description);
    } finally {
      const mayReturn = recoverableReasons.has(reason);
      if (mayReturn && this._pid !== undefined) {
        const { id: sid, _pid: pid, data, expiresAt } = this;
        const until = expiresAt === undefined ? {} : { expiresAt };
        void this.#adapter.persistSession({ sid, pid, rooms: [...this.rooms], data, ...until });
      }
      this.connected = false;
      this._cleanup(mayReturn);
      this.client._remove(this);
      this._session?.ended(reason, description);
      this.emitReserved("disconnect", reason, description);
    }
  }

  /** Leaves its rooms and the namespace; also where it was not let in. */
  _cleanup(mayReturn = false): void {
    this._outgoing.end(mayReturn);
    this.#expiry?.cancel();
    this.#incoming?.forgetEarly();
    // Clients 2.x may ask twice, and have the same id each time.
    if ((this.nsp.sockets.get(this.id) ?? this) !== this) return;
    void this.leaveAll();
    this.nsp._remove(this);
  }

  /** Whether listeners may still be to come. */
  get _isNew(): boolean {
    const { limits, clock } = this.#host;
    return clock.now() - this.#connectedAt < limits.earlyEventMs;
  }

  /** Whether somebody takes events of a name. */
  _hears(name: string): boolean {
    return this.listenerCount(name) > 0 || this._session?.takesEvents === true;
  }

  /** Gives an event of the client to its listeners, or else to its session. */
  _deliver(event: Event): void {
    const [name] = event;
    if (!this.connected) return;
    if (this.listenerCount(name) > 0) {
      // A client could have itself let in for longer, by a name that is this side's.
      if (name !== "expired" || this.#expiry === undefined) EventEmitter.prototype.emit.apply(this, event);
    } else if (this._session?.takesEvents === true) {
      const last: unknown = event.at(-1);
      if (typeof last === "function") this._session.received(event.slice(0, -1), last as AnyListener);
      else this._session.received(event, undefined);
    }
  }

  get #host(): SocketHost {
    return this.nsp.server._socketHost;
  }

  get #adapter(): Adapter {
    return this.nsp.adapter;
  }

  get #events(): IncomingEvents {
    return (this.#incoming ??= new IncomingEvents(this, this.#host));
  }

  #onevent({ data, id }: Packet): void {
    const { counts, rate } = this.#host;
    const event = data as Event;
    counts.eventsIn++;
    if (!rate.takes(this.client)) return;
    if (id !== undefined) event.push(this._outgoing.createAnswer(id));
    if (this.#incoming !== undefined) this.#incoming.receive(event);
    else if (this._hears(event[0])) this._deliver(event);
    else if (this._isNew) this.#events.receive(event);
  }

  #expired(): void {
    const expiry = this.#expiry;
    try {
      this.emitUntyped("expired");
    } finally {
      const error = new SocketIoError("auth_expired", "what the client was let in for has expired");
      if (this.#expiry === expiry) this.client._fail(error);
    }
  }
}
