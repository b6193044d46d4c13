import { DeadlineQueue } from "@sluice/hub";
import type { Clock } from "@sluice/websocket";
import { PacketType } from "../parser/packet.ts";
import type { AnyNamespace } from "../server/namespace.ts";
import { Adapter, addressedPacket, type BroadcastPacket } from "./adapter.ts";
import type { BroadcastOptions, Room, SocketId } from "./broadcast-options.ts";
import { Membership } from "./membership.ts";
import { type KeptPacket, PacketLog } from "./packet-log.ts";
import { sendBroadcast } from "./send-broadcast.ts";
import type { PrivateSessionId, Session, SessionToPersist } from "./session.ts";

const none: ReadonlySet<Room> = new Set();

/** A socket that was lost. */
interface KeptSession extends SessionToPersist {
  readonly membership: Membership;
  /** The number of a packet up to which all that was for the socket has arrived. */
  readonly arrived: number;
}

/**
 * An adapter that gives clients that return what they had and what they missed, all of it, in order and once, or else
 * nothing; in the memory of this process. The bounds are those of the option `connectionStateRecovery`.
 */
export class SessionAwareAdapter extends Adapter {
  readonly #log: PacketLog;
  readonly #memberships = new Map<SocketId, Membership>();
  readonly #sessions = new Map<PrivateSessionId, KeptSession>();
  readonly #expiry: DeadlineQueue<KeptSession>;
  readonly #clock: Clock;
  readonly #awayMs: number;

  constructor(nsp: AnyNamespace) {
    super(nsp);
    const { clock, connectionStateRecovery } = nsp.server.opts;
    if (connectionStateRecovery === undefined) {
      throw new TypeError("a SessionAwareAdapter needs the option connectionStateRecovery of the server");
    }
    const { maxDisconnectionDuration, maxPackets, maxBytes } = connectionStateRecovery;
    this.#clock = clock;
    this.#awayMs = maxDisconnectionDuration;
    this.#log = new PacketLog({ maxPackets, maxBytes });
    this.#expiry = new DeadlineQueue(maxDisconnectionDuration, clock, ({ pid }) =>
      this.#sessions.delete(pid),
    );
  }

  override close(): Promise<void> | void {
    for (const session of this.#sessions.values()) this.#forget(session);
  }

  override addAll(id: SocketId, rooms: Set<Room>): Promise<void> | void {
    const membership = this.#memberships.get(id) ?? new Membership();
    this.#memberships.set(id, membership);
    for (const room of rooms) membership.join(room, this.#log.last);
    return super.addAll(id, rooms);
  }

  override del(id: SocketId, room: Room): Promise<void> | void {
    const membership = this.#memberships.get(id);
    membership?.leave(room, this.#log.last, this.#arrivedOf(membership));
    return super.del(id, room);
  }

  override delAll(id: SocketId): Promise<void> | void {
    this.#memberships.delete(id);
    return super.delAll(id);
  }

  override broadcast(given: BroadcastPacket, options: BroadcastOptions): Promise<void> | void {
    const packet = addressedPacket(given, this.nsp.name);
    if (packet.type !== PacketType.EVENT || packet.id !== undefined) return super.broadcast(given, options);
    if (options.flags?.volatile === true) {
      // The last text of an event is its offset to clients.
      if (typeof given.data.at(-1) === "string") given.data.push(this.#log.offsetOf(this.#log.last));
      return super.broadcast(given, options);
    }
    // Nobody is there, and nobody can return.
    if (this.#memberships.size === 0 && this.#sessions.size === 0) return undefined;
    given.data.push(this.#log.offsetOf(this.#log.last + 1));
    const messages = this.nsp.server.encoder.encode(packet);
    const { rooms, except = none } = options;
    const bytes = messages.reduce((sum, message) => sum + Buffer.byteLength(message), 0);
    const now = this.#clock.now();
    this.#log.add({ rooms, except, messages, bytes, at: now }, now - this.#awayMs - this.#inDoubtMs);
    sendBroadcast(this, { packet, options, messages });
    return undefined;
  }

  override persistSession(session: SessionToPersist): void {
    const membership = this.#memberships.get(session.sid) ?? new Membership();
    const kept: KeptSession = { ...session, membership, arrived: this.#arrivedOf(membership) };
    this.#sessions.set(session.pid, kept);
    this.#expiry.add(kept);
    // No more can be away than can be connected.
    const { first } = this.#expiry;
    if (first !== undefined && this.#expiry.size > this.nsp.server.opts.limits.connections)
      this.#forget(first);
  }

  override restoreSession(pid: PrivateSessionId, offset: string | undefined): Session | undefined {
    this.#endConnectionOf(pid);
    const kept = this.#sessions.get(pid);
    if (kept === undefined) return undefined;
    this.#forget(kept);
    const { membership, arrived, ...session } = kept;
    const { sid } = session;
    const received = offset === undefined ? membership.joinedBehind(sid) : this.#log.numberOf(offset);
    if (received === undefined) return undefined;
    const behind = Math.max(received, arrived);
    if (behind < this.#start(membership)) return undefined;
    this.#memberships.set(sid, membership);
    const missedMessages = this.#missed(kept, behind);
    return { ...session, missedPackets: [], missedMessages };
  }

  /** What a socket has missed, up to when it is sent: middlewares may have taken their time. */
  *#missed({ sid, membership }: KeptSession, behind: number): Generator<KeptPacket["messages"]> {
    membership.resent = { at: this.#clock.now(), behind };
    // Some of it was forgotten meanwhile: the client is to come back, and not to be recovered.
    if (behind < this.#start(membership)) this.nsp.sockets.get(sid)?.conn.close(true);
    for (const [number, { rooms, except, messages }] of this.#log.after(behind)) {
      if (membership.wasMeant(number, rooms, except)) yield messages;
    }
  }

  /** The number behind which it is known what was for a socket. */
  #start({ knownBehind }: Membership): number {
    return Math.max(this.#log.start, knownBehind);
  }

  /** A client often knows before the server that its connection is lost. */
  #endConnectionOf(pid: PrivateSessionId): void {
    const [sid = ""] = pid.split(".");
    const socket = this.nsp.sockets.get(sid);
    if (socket?._pid === pid) socket.conn.close(true);
  }

  /** The number of a packet up to which all that was for a socket, which could be lost now, has arrived. */
  #arrivedOf({ resent }: Membership): number {
    const inDoubt = this.#clock.now() - this.#inDoubtMs;
    const arrived = this.#log.numberBefore(inDoubt);
    return resent === undefined || resent.at < inDoubt ? arrived : Math.min(arrived, resent.behind);
  }

  /** Milliseconds in which what was sent to a socket before its end was noticed may not have arrived. */
  get #inDoubtMs(): number {
    // A pong proves that all before its ping has arrived. The last one came at most a ping and two waits before the end,
    // and at most one wait behind its ping.
    return Math.max(
      ...this.nsp.server._connections.engines.map(({ opts }) => opts.pingInterval + 3 * opts.pingTimeout),
      0,
    );
  }

  #forget(session: KeptSession): void {
    this.#sessions.delete(session.pid);
    this.#expiry.delete(session);
  }
}
