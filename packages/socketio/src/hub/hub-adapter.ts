import { type Drop, type Hub, Message, type Session } from "@sluice/hub";
import {
  Adapter,
  addressedPacket,
  type BroadcastOptions,
  type BroadcastPacket,
  type PrivateSessionId,
  type Room,
  type Session as RestoredSession,
  type SessionToPersist,
  type SocketId,
} from "../adapter/adapter.ts";
import { forEachAddressed } from "../adapter/addressed.ts";
import type { AnyNamespace } from "../server/namespace.ts";
import { hidesBytes, messageFromEvent } from "./event-content.ts";
import { EventDelivery } from "./event-delivery.ts";
import type { EventFrame } from "./event-frame.ts";
import type { KeptSessions } from "./kept-sessions.ts";
import type { NamespaceFace } from "./namespace-face.ts";
import { hubRoomOf, roomOfHub } from "./room-names.ts";
import { RoomTurns } from "./room-turns.ts";
import type { LinkOwner, SessionLink } from "./session-link.ts";

/** What the adapters of a server's namespaces share. */
export interface HubAdapterOptions {
  readonly hub: Hub;
  readonly face: NamespaceFace;
  readonly kept: KeptSessions;
}

/**
 * The rooms of one namespace as rooms of a hub: that of the socket is the hub's, joined and left with its session.
 *
 * What is emitted to one room and no more is published, with or without the one who emits it: to all sessions of the hub in
 * that room, on all nodes, and into its history. Everything else is sent to the sessions of this node that are meant, whatever
 * their face: to several rooms, with other exceptions, `volatile` or `local`, with bytes that are not the only argument, or to
 * sockets by their ids. What is meant for no room in particular is for the sockets of the namespace.
 *
 * Beside the events of an Adapter: `drop` (id, drop), where a socket that reads too slowly is not given something.
 */
export class HubAdapter extends Adapter implements LinkOwner {
  readonly face: NamespaceFace;
  readonly #hub: Hub;
  readonly #kept: KeptSessions;
  readonly #links = new Map<SocketId, SessionLink>();
  /** Joins of rooms, and what is published after them. */
  readonly #turns = new RoomTurns();

  constructor(nsp: AnyNamespace, { hub, face, kept }: HubAdapterOptions) {
    super(nsp);
    this.#hub = hub;
    this.#kept = kept;
    this.face = face;
  }

  get takesEvents(): boolean {
    return this.#hub.isHeard;
  }

  /** A socket has its session: it joins the rooms that it is in already. Never rejects. */
  async begin(link: SessionLink): Promise<void> {
    const { id } = link.socket;
    this.#links.set(id, link);
    const rooms = [...(this.sids.get(id) ?? [])].filter((room) => room !== id);
    await this.#joinAll(link, rooms).catch(() => {});
  }

  override addAll(id: SocketId, rooms: Set<Room>): Promise<void> | void {
    const link = this.#links.get(id);
    if (link?.session === undefined) return super.addAll(id, rooms);
    if (rooms.has(id)) void super.addAll(id, new Set([id]));
    const others = [...rooms].filter((room) => room !== id);
    return others.length === 0 ? undefined : this.#joinAll(link, others);
  }

  override del(id: SocketId, room: Room): Promise<void> | void {
    const session = this.#links.get(id)?.session;
    void super.del(id, room);
    if (session !== undefined && room !== id) this.#leave(session, room);
  }

  override delAll(id: SocketId): Promise<void> | void {
    const link = this.#links.get(id);
    const rooms = [...(this.sids.get(id) ?? [])];
    void super.delAll(id);
    // The session of one that is disconnected may wait for its client, and stays where it is.
    if (link?.socket.connected !== true) this.#links.delete(id);
    else if (link.session !== undefined) for (const room of rooms) this.#leave(link.session, room);
  }

  override broadcast(given: BroadcastPacket, options: BroadcastOptions): void {
    const packet = addressedPacket(given, this.nsp.name);
    const { rooms, except = new Set(), flags = {} } = options;
    const [room = ""] = rooms;
    const excepted = this.#onlySession(except);
    const isPlain = flags.volatile !== true && flags.local !== true && excepted !== undefined;
    const isOneRoom = rooms.size === 1 && this.#hub.session(room) === undefined;
    if (!isPlain || !isOneRoom || hidesBytes(given.data.slice(1))) {
      this.#send(given, options);
      return;
    }
    const message = new Message(messageFromEvent(packet.data as unknown[]));
    const hubRoom = hubRoomOf(this.nsp.name, room);
    const publish = (): Promise<unknown> =>
      this.#hub
        .publish(hubRoom, message, excepted === "" ? {} : { except: excepted })
        .catch((error: unknown) => this.#hub.report(error));
    void this.#turns.run(hubRoom, publish);
  }

  override broadcastWithAck(
    packet: BroadcastPacket,
    options: BroadcastOptions,
    counted: (clients: number) => void,
    acknowledged: (...args: unknown[]) => void,
  ): void {
    // Ids are the namespace's, so no socket waits for this one already.
    const id = this.nsp._ids++;
    packet.id = id;
    let frame: EventFrame | undefined;
    let asked = 0;
    forEachAddressed(this, options, ({ id: socketId, acks }) => {
      const link = this.#links.get(socketId);
      if (link?.session === undefined) return;
      // What cannot be encoded nobody is asked for.
      frame ??= this.face.event(packet);
      asked++;
      acks.set(id, acknowledged);
      if (options.flags?.volatile === true && !link.mayLeave()) return;
      link.session.send(new EventDelivery(this.face, frame.onlyFor(link)));
    });
    counted(asked);
  }

  override persistSession(socket: SessionToPersist): void {
    const session = this.#links.get(socket.sid)?.session;
    if (session !== undefined) this.#kept.add(session, this.nsp.name, this.face, socket);
  }

  override restoreSession(pid: PrivateSessionId, offset: string | undefined): RestoredSession | undefined {
    this.#endConnectionOf(pid);
    const kept = this.#kept.get(this.nsp.name, pid);
    if (kept === undefined) return undefined;
    kept.offset = offset;
    const { session, sid, data } = kept;
    const rooms = [...session.rooms].flatMap((room) => roomOfHub(this.nsp.name, room) ?? []);
    return { sid, pid, rooms, data, missedPackets: [] };
  }

  roomChanged({ socket: { id } }: SessionLink, hubRoom: string, isIn: boolean): void {
    const room = roomOfHub(this.nsp.name, hubRoom);
    if (room === undefined) return;
    if (isIn) void super.addAll(id, new Set([room]));
    else void super.del(id, room);
  }

  dropped({ socket }: SessionLink, drop: Drop): void {
    if (drop.reason === "slow") this.nsp.server.counts.dropped.slow += drop.count;
    this.emit("drop", socket.id, drop);
  }

  #joinAll({ session, socket: { id } }: SessionLink, rooms: readonly Room[]): Promise<void> {
    if (session === undefined) return Promise.resolve();
    const joined = Promise.all(rooms.map((room) => this.#join(session, id, room))).then(() => {});
    // Who does not wait for it may not have it end the process.
    joined.catch((error: unknown) => this.#hub.report(error, session));
    return joined;
  }

  async #join(session: Session, id: SocketId, room: Room): Promise<void> {
    const hubRoom = hubRoomOf(this.nsp.name, room);
    const joined = this.#turns.run(hubRoom, () => session.join(hubRoom));
    if (this.sids.get(id)?.has(room) !== true) {
      // The hub waits for its broker. Who looks is told already that the socket is in the room.
      void super.addAll(id, new Set([room]));
      this.#turns.add(hubRoom, joined);
    }
    try {
      await joined;
    } catch (error) {
      void super.del(id, room);
      throw error;
    }
  }

  #leave(session: Session, room: Room): void {
    const hubRoom = hubRoomOf(this.nsp.name, room);
    void this.#turns.run(hubRoom, () => session.leave(hubRoom));
  }

  /** The id of the one session that is in the rooms; empty for no rooms, undefined where there may be others. */
  #onlySession(rooms: ReadonlySet<Room>): string | undefined {
    const [room = ""] = rooms;
    if (rooms.size === 0) return "";
    return rooms.size === 1 && this.#hub.session(room) !== undefined ? room : undefined;
  }

  /** The sessions of this node that are meant. */
  #sessionsFor({ rooms, except = new Set() }: BroadcastOptions): Iterable<Session> {
    if (rooms.size === 0 && except.size === 0) return this.#everybody();
    const sessions = new Set<Session>(rooms.size === 0 ? this.#everybody() : []);
    for (const room of rooms) for (const session of this.#sessionsIn(room)) sessions.add(session);
    for (const room of except) for (const session of this.#sessionsIn(room)) sessions.delete(session);
    return sessions;
  }

  *#everybody(): IterableIterator<Session> {
    for (const { session } of this.#links.values()) if (session !== undefined) yield session;
    yield* this.#kept.in(this.nsp.name);
  }

  *#sessionsIn(room: Room): IterableIterator<Session> {
    const own = this.#hub.session(room);
    if (own !== undefined) yield own;
    yield* this.#hub.sessionsIn(hubRoomOf(this.nsp.name, room));
    // Sockets whose sessions are on their way into the room.
    for (const id of this.rooms.get(room) ?? []) {
      const session = this.#links.get(id)?.session;
      if (session !== undefined) yield session;
    }
  }

  /** Sends an event to the sessions of this node that are meant. It is encoded once, and not at all where nobody is meant. */
  #send(packet: BroadcastPacket, options: BroadcastOptions): void {
    let delivery: EventDelivery | undefined;
    for (const session of this.#sessionsFor(options)) {
      const link = this.#links.get(session.id);
      if (options.flags?.volatile === true && link !== undefined && !link.mayLeave()) continue;
      delivery ??= new EventDelivery(this.face, this.face.event(packet));
      session.send(delivery);
    }
  }

  /** A client often knows before the server that its connection is lost. */
  #endConnectionOf(pid: PrivateSessionId): void {
    const [sid = ""] = pid.split(".");
    const socket = this.nsp.sockets.get(sid);
    if (socket?._pid === pid) socket.conn.close(true);
  }
}
