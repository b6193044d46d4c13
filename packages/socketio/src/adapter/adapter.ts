import { EventEmitter } from "node:events";
import type { Packet } from "../parser/packet.ts";
import type { AnyNamespace } from "../server/namespace.ts";
import type { SocketDetails } from "../server/remote-socket.ts";
import type { AnySocket } from "../server/socket.ts";
import { forEachAddressed } from "./addressed.ts";
import type { BroadcastOptions, Room, SocketId } from "./broadcast-options.ts";
import { sendBroadcast } from "./send-broadcast.ts";
import type { PrivateSessionId, Session, SessionToPersist } from "./session.ts";
import { SetsByKey } from "./sets-by-key.ts";

export type { BroadcastFlags, BroadcastOptions, Room, SocketId } from "./broadcast-options.ts";
export type { PrivateSessionId, Session, SessionToPersist } from "./session.ts";

/** An EVENT for many. The adapter sets its namespace, and its id where acknowledgements are asked for. */
export interface BroadcastPacket {
  type: Packet["type"];
  data: unknown[];
  nsp?: string;
  id?: number;
}

/**
 * The rooms of one namespace, and how packets reach those who are in them: of this server only. It has the members of
 * the class of this name in the package socket.io-adapter, so that adapters which extend that one can take its place.
 * Events: `create-room` and `delete-room` (room), `join-room` and `leave-room` (room, id).
 */
export class Adapter extends EventEmitter {
  readonly nsp: AnyNamespace;
  /** The ids of the sockets in each room. Each socket is also in a room of its own id. */
  readonly rooms: Map<Room, Set<SocketId>> = new SetsByKey();
  /** The rooms of each socket. */
  readonly sids: Map<SocketId, Set<Room>> = new SetsByKey();

  constructor(nsp: AnyNamespace) {
    super();
    this.nsp = nsp;
  }

  /** Called when the namespace begins. */
  init(): Promise<void> | void {}

  /** Called when the server closes. */
  close(): Promise<void> | void {}

  /** How many servers there are: this one. */
  serverCount(): Promise<number> {
    return Promise.resolve(1);
  }

  /** Adds a socket to rooms. */
  addAll(id: SocketId, rooms: Set<Room>): Promise<void> | void {
    const members = setsOf(this.rooms);
    const sids = setsOf(this.sids);
    if (rooms.size === 0 && !sids.has(id)) sids.set(id, new Set());
    for (const room of rooms) {
      sids.add(id, room);
      const isThere = members.has(room);
      const isNew = members.add(room, id);
      if (!isThere) this.emit("create-room", room);
      if (isNew) this.emit("join-room", room, id);
    }
  }

  /** Takes a socket out of a room. */
  del(id: SocketId, room: Room): Promise<void> | void {
    setsOf(this.sids).remove(id, room);
    leave(this, id, room);
  }

  /** Takes a socket out of all its rooms. */
  delAll(id: SocketId): Promise<void> | void {
    const rooms = setsOf(this.sids).membersOf(id);
    this.sids.delete(id);
    for (const room of rooms) leave(this, id, room);
  }

  /** Sends a packet to those who are meant. It is encoded once, and not at all where nobody is meant. */
  broadcast(packet: BroadcastPacket, options: BroadcastOptions): Promise<void> | void {
    sendBroadcast(this, { packet: addressedPacket(packet, this.nsp.name), options });
  }

  /**
   * Sends a packet to those who are meant, and asks each for an acknowledgement. `counted` is told of each server how
   * many that are, and `acknowledged` is called with what each answers.
   */
  broadcastWithAck(
    packet: BroadcastPacket,
    options: BroadcastOptions,
    counted: (clients: number) => void,
    acknowledged: (...args: unknown[]) => void,
  ): void {
    // Ids are the namespace's, so no socket waits for this one already.
    const id = this.nsp._ids++;
    packet.id = id;
    const before = (socket: AnySocket): void => void socket.acks.set(id, acknowledged);
    counted(sendBroadcast(this, { packet: addressedPacket(packet, this.nsp.name), options, before }));
  }

  /** The ids of the sockets in any of some rooms; of all where there is none. */
  sockets(rooms: Set<Room>): Promise<Set<SocketId>> {
    const ids = new Set<SocketId>();
    forEachAddressed(this, { rooms }, ({ id }) => ids.add(id));
    return Promise.resolve(ids);
  }

  /** The rooms of a socket. */
  socketRooms(id: SocketId): Set<Room> | undefined {
    return this.sids.get(id);
  }

  /** Those who are meant: sockets of this server, and what is told of others. */
  fetchSockets(options: BroadcastOptions): Promise<(AnySocket | SocketDetails<unknown>)[]> {
    const sockets: AnySocket[] = [];
    forEachAddressed(this, options, (socket) => sockets.push(socket));
    return Promise.resolve(sockets);
  }

  /** Has those who are meant join rooms. */
  addSockets(options: BroadcastOptions, rooms: Room[]): Promise<void> | void {
    forEachAddressed(this, options, (socket) => void socket.join(rooms));
  }

  /** Has those who are meant leave rooms. */
  delSockets(options: BroadcastOptions, rooms: Room[]): Promise<void> | void {
    forEachAddressed(this, options, (socket) => {
      for (const room of rooms) void socket.leave(room);
    });
  }

  /** Disconnects those who are meant; with `close` whole connections. */
  disconnectSockets(options: BroadcastOptions, close: boolean): Promise<void> | void {
    forEachAddressed(this, options, (socket) => void socket.disconnect(close));
  }

  /** Sends an event to all other servers, of which there is none: an acknowledgement, last in it, is called with no answers. */
  serverSideEmit(event: unknown[]): Promise<void> | void {
    const acknowledged = event.at(-1);
    if (typeof acknowledged === "function") acknowledged(null, []);
  }

  /** Keeps the session of a socket that was lost. Not here: see SessionAwareAdapter. */
  persistSession(_session: SessionToPersist): Promise<void> | void {}

  /** The session of a client that returns, where it is kept and all that was missed is known. */
  restoreSession(
    _pid: PrivateSessionId,
    _offset: string | undefined,
  ): Promise<Session | null | undefined> | Session | null | undefined {
    return undefined;
  }
}

/** The packet itself, with its namespace. */
export function addressedPacket(packet: BroadcastPacket, nsp: string): Packet {
  return Object.assign(packet, { nsp });
}

/** These are what an Adapter begins with; as their type they would keep those of the package socket.io-adapter out. */
function setsOf(sets: Map<string, Set<string>>): SetsByKey {
  return sets as SetsByKey;
}

function leave(adapter: Adapter, id: SocketId, room: Room): void {
  const members = setsOf(adapter.rooms);
  if (!members.remove(room, id)) return;
  adapter.emit("leave-room", room, id);
  if (members.membersOf(room).size === 0 && members.delete(room)) adapter.emit("delete-room", room);
}
