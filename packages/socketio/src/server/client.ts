import type { IncomingMessage } from "node:http";
import type { BroadcastFlags } from "../adapter/broadcast-options.ts";
import type { CloseReason } from "../engine/close-reason.ts";
import { EngineMessage } from "../engine/engine-message.ts";
import { queryFromUrl } from "../engine/http/request-query.ts";
import type { EngineSession } from "../engine/session.ts";
import { SocketIoError } from "../error.ts";
import { type Packet, PacketType } from "../parser/packet.ts";
import type { MessageReader } from "./custom-parser.ts";
import type { DisconnectReason } from "./disconnect-reason.ts";
import { requestFromHandshake } from "./handshake.ts";
import {
  countOf,
  type JoinedSockets,
  socketIn,
  socketsOf,
  withoutSocket,
  withSocket,
} from "./joined-sockets.ts";
import type { ExtendedError } from "./namespace.ts";
import type { AnyServer } from "./server.ts";
import type { AnySocket } from "./socket.ts";
import { guard, throwLater } from "./throw-later.ts";

/** A client's wish to join a namespace. A later one for the same namespace takes its place. */
export interface JoinAttempt {
  readonly name: string;
  /** What it says to it. */
  readonly auth: Record<string, unknown>;
}

/** What an encoder gave: the messages of one packet. */
export type EncodedMessages = readonly (string | Uint8Array | EngineMessage)[];

/** What adapters broadcast, encoded for all whom they send it to. */
const prepared = new WeakMap<EncodedMessages, readonly EngineMessage[]>();

/** One connection with its sockets, one for each namespace that it has joined. */
export class Client {
  /** The Engine.IO session. */
  readonly conn: EngineSession;
  readonly server: AnyServer;
  /** See EventRate. */
  _fullAt = 0;
  readonly #reader: MessageReader;
  #sockets: JoinedSockets;
  #attempts: Map<string, JoinAttempt> | undefined;
  /** Namespaces that the server took it out of, which the client may not know yet. */
  #expelled: Set<string> | undefined;
  #request: IncomingMessage | undefined;

  constructor(server: AnyServer, conn: EngineSession) {
    this.server = server;
    this.conn = conn;
    this.#reader = server._codec.createReader(this);
  }

  /** The secret id of the connection. */
  get id(): string {
    return this.conn.id;
  }

  /**
   * The request that began the connection: itself, with all that middlewares put on it, where `io.engine.use()` or the
   * option `allowRequest` is used; else what was in it.
   */
  get request(): IncomingMessage {
    this.#request ??= this.conn.request ?? requestFromHandshake(this.conn.handshake);
    return this.#request;
  }

  /**
   * Sends a packet. A volatile one is dropped where it could not leave at once. Answers whether to go on; false where it
   * was dropped.
   */
  _packet(packet: Packet, flags?: BroadcastFlags): boolean {
    if (!this.#maySend(flags)) return false;
    const messages = this.server.encoder.encode(packet);
    const compress = flags?.compress ?? true;
    if (messages.length === 1) return this.conn.send(messages[0]!, compress);
    return this.conn.sendAll(messages, compress);
  }

  /** Whether it has joined a namespace. */
  get hasJoined(): boolean {
    return this.#sockets !== undefined;
  }

  /** Sends what an encoder gave. Adapters give the same array for all clients, which is then made ready once. */
  writeToEngine(encoded: EncodedMessages | string | Uint8Array, flags?: BroadcastFlags): void {
    if (!this.#maySend(flags)) return;
    const compress = flags?.compress ?? true;
    if (typeof encoded === "string" || encoded instanceof Uint8Array) {
      this.conn.send(encoded, compress);
      return;
    }
    let messages = prepared.get(encoded);
    if (messages === undefined) {
      messages = encoded.map((each) => (each instanceof EngineMessage ? each : new EngineMessage(each)));
      prepared.set(encoded, messages);
    }
    this.conn.sendAll(messages, compress);
  }

  /** A socket has left. */
  _remove(socket: AnySocket): void {
    const { name } = socket.nsp;
    // Where the connection ends, none of it is left.
    if (socketIn(this.#sockets, name) !== socket) return;
    this.#sockets = withoutSocket(this.#sockets, socket);
    this.#expelled ??= new Set();
    this.#expelled.add(name);
    const [oldest = name] = this.#expelled;
    if (this.#expelled.size > this.server.opts.limits.namespacesPerConnection) this.#expelled.delete(oldest);
  }

  /** Disconnects every socket, and then the connection. */
  _disconnect(): void {
    for (const socket of socketsOf(this.#sockets)) guard(() => socket.disconnect());
    this.#close("forced server close", undefined);
    this.conn.close();
  }

  /** Ends the connection because of what is wrong; the client and the listeners of `disconnect` are told. */
  _fail(error: SocketIoError): void {
    if (this.conn.readyState !== "open") return;
    const { ended } = this.server.counts;
    if (error.code === "rate_exceeded") ended.rate++;
    else if (error.code === "auth_expired") ended.expired++;
    else if (error.code === "connect_timeout") ended.idle++;
    else if (error.code === "limit_exceeded") ended.rooms++;
    else ended.invalid++;
    this.#close(error.code === "packet_invalid" ? "parse error" : "forced server close", error);
    this.conn.fail(error);
  }

  /** A message came. */
  _onmessage(message: string | Buffer): void {
    let packet: Packet | undefined;
    try {
      packet = this.#reader.add(message);
    } catch (cause) {
      this._onunreadable(cause);
      return;
    }
    if (packet !== undefined) this._ondecoded(packet);
  }

  /** A packet came. */
  _ondecoded(packet: Packet): void {
    // A decoder may give more than one packet, and the first may be the last.
    if (this.conn.readyState !== "open") return;
    try {
      this.#handle(packet);
    } catch (error) {
      throwLater(error);
    }
  }

  /** What came cannot be read. */
  _onunreadable(cause: unknown): void {
    const isKnown = cause instanceof SocketIoError;
    const error = isKnown
      ? cause
      : new SocketIoError("packet_invalid", "a message cannot be decoded", { cause });
    for (const socket of socketsOf(this.#sockets)) guard(() => socket._onerror(error));
    this._fail(error);
  }

  /** All that was sent has left. */
  _ondrain(): void {
    for (const socket of socketsOf(this.#sockets)) guard(() => socket._ondrain());
  }

  /** The connection has ended. */
  _onclose(reason: CloseReason, cause: Error | undefined): void {
    if (cause instanceof SocketIoError && cause.code === "buffer_overflow") this.server.counts.ended.slow++;
    this.#close(reason, cause);
  }

  /** Joins a namespace, where it is there and lets the client in. */
  _connect(name: string, auth: Record<string, unknown>): void {
    const { limits } = this.server.opts;
    if (countOf(this.#sockets) + (this.#attempts?.size ?? 0) >= limits.namespacesPerConnection) {
      const message = `a connection has at most ${limits.namespacesPerConnection} namespaces (limits.namespacesPerConnection)`;
      this.server.counts.refused.namespacesPerConnection++;
      this.#sendError(name, { message });
      return;
    }
    const attempt: JoinAttempt = { name, auth };
    this.#attempts ??= new Map();
    this.#attempts.set(name, attempt);
    const isJoining = (): boolean => this._isJoining(attempt);
    this.server._namespaces.find(attempt, isJoining, (namespace) => {
      if (!isJoining()) return;
      if (namespace !== undefined) namespace._add(this, attempt);
      else {
        this.#forget(attempt);
        this.server.counts.refused.unknownNamespace++;
        this.#sendError(name, { message: "Invalid namespace" });
      }
    });
  }

  /** Whether the client still waits to be let in. */
  _isJoining(attempt: JoinAttempt): boolean {
    return this.#attempts?.get(attempt.name) === attempt && this.conn.readyState === "open";
  }

  /** A namespace has let the client in. */
  _joined(attempt: JoinAttempt, socket: AnySocket): void {
    this.#forget(attempt);
    this.#sockets = withSocket(this.#sockets, socket);
    this.server._connections.stopWaiting(this);
  }

  /** A namespace has refused the client. */
  _refused(attempt: JoinAttempt, { message, data }: ExtendedError): void {
    this.#forget(attempt);
    this.server.counts.refused.unauthorized++;
    // Clients of 2.x have one or the other.
    if (this.conn.protocol === 3) this.#sendError(attempt.name, data ?? message);
    else this.#sendError(attempt.name, { message, data });
  }

  #handle(packet: Packet): void {
    const { type, nsp } = packet;
    const name = this.conn.protocol === 3 ? nsp.split("?", 1)[0]! : nsp;
    const socket = socketIn(this.#sockets, name);
    if (socket === undefined) this.#handleOutside(packet, name);
    else if (type === PacketType.CONNECT) this.#violated(`the client has joined ${name} already`);
    else if (type === PacketType.CONNECT_ERROR) this.#violated("a CONNECT_ERROR is the server's to send");
    else {
      socket._onpacket(packet);
      if (type === PacketType.DISCONNECT) this.#leave(name);
    }
  }

  /** A packet came for a namespace that the client is not in. */
  #handleOutside(packet: Packet, name: string): void {
    const isExpelled = this.#expelled?.has(name) === true;
    if (packet.type === PacketType.CONNECT) {
      this.#leave(name);
      if (this.server._socketHost.rate.takes(this)) this._connect(name, this.#authIn(packet));
    } else if (isExpelled) {
      // It was on its way when the client was told.
      if (packet.type === PacketType.DISCONNECT) this.#leave(name);
      else this.server._socketHost.rate.takes(this);
    } else this.#violated(`the client has not joined ${name}`);
  }

  /** The client knows that it is not in a namespace. */
  #leave(name: string): void {
    this.#expelled?.delete(name);
    if (this.#expelled?.size === 0) this.#expelled = undefined;
  }

  /** Clients of 2.x have what they say to a namespace in the query of its name. */
  #authIn({ nsp, data }: Packet): Record<string, unknown> {
    return this.conn.protocol === 3 ? { ...queryFromUrl(nsp) } : ((data ?? {}) as Record<string, unknown>);
  }

  #violated(message: string): void {
    this._fail(new SocketIoError("namespace_invalid", message));
  }

  #sendError(nsp: string, data: unknown): void {
    this._packet({ type: PacketType.CONNECT_ERROR, nsp, data });
  }

  #maySend(flags: BroadcastFlags | undefined): boolean {
    if (this.conn.readyState !== "open") return false;
    if (flags?.volatile !== true || this.conn.writable) return true;
    this.server.counts.dropped.volatile++;
    return false;
  }

  #forget(attempt: JoinAttempt): void {
    if (this.#attempts?.get(attempt.name) === attempt) this.#attempts.delete(attempt.name);
    if (this.#attempts?.size === 0) this.#attempts = undefined;
  }

  #close(reason: DisconnectReason, description: unknown): void {
    this.server._connections.stopWaiting(this);
    this.#attempts = undefined;
    this.#reader.destroy();
    const sockets = socketsOf(this.#sockets);
    this.#sockets = undefined;
    for (const socket of sockets) guard(() => socket._onclose(reason, description));
  }
}
