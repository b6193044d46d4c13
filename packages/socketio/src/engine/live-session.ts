import type { IncomingMessage } from "node:http";
import type { Closed } from "@sluice/websocket";
import { SocketIoError } from "../error.ts";
import type { CloseReason } from "./close-reason.ts";
import { decodeBinaryPacket, decodeTextPacketBytes } from "./codec/packet-codec.ts";
import {
  type MessageData,
  nameOfPacketType,
  PacketType,
  type ReceivedPacket,
  type Revision,
} from "./codec/packet.ts";
import { EngineMessage } from "./engine-message.ts";
import type { TransportName } from "./engine-options.ts";
import type { Handshake } from "./handshake.ts";
import type { Beating } from "./heartbeat.ts";
import { encodeOpenData } from "./open-data.ts";
import type { PollingExchange } from "./polling/poll.ts";
import { type PollingOwner, PollingTransport } from "./polling/polling-transport.ts";
import type { EngineSession, ReadyState } from "./session.ts";
import type { SessionHost } from "./session-host.ts";
import { pauseReading, resumeReading } from "./session-input.ts";
import { SessionListeners } from "./session-listeners.ts";
import type { SessionStart } from "./session-start.ts";
import { bufferedBytesOf, isWritable, writeMessage, writePacket } from "./session-output.ts";
import { onWebSocket, type OnWebSocket, type SessionState, transportOf } from "./session-state.ts";
import { closeWebSocket } from "./websocket/close-web-socket.ts";
import { type ConnectionOwner, own } from "./websocket/connection-owner.ts";
import type { PacketWire } from "./websocket/send-packet.ts";
import { endFromClosed } from "./websocket/session-end.ts";
import { type Upgradable, UpgradeProbe } from "./websocket/upgrade-probe.ts";

/** A session on the transports of this engine. */
export class LiveSession
  extends SessionListeners
  implements EngineSession, PollingOwner, ConnectionOwner, Beating, Upgradable
{
  readonly id: string;
  readonly protocol: Revision;
  readonly handshake: Handshake;
  readonly request: IncomingMessage | undefined;
  data: unknown;
  needsDrain = false;
  readonly #host: SessionHost;
  #state: SessionState;
  #upgraded = false;
  /** Why it does not read. */
  #pauses: Set<object> | undefined = undefined;

  constructor(host: SessionHost, start: SessionStart) {
    super();
    const { connection, revision, base64 } = start;
    this.id = start.id;
    this.protocol = revision;
    this.handshake = start.handshake;
    this.request = start.request;
    this.#host = host;
    if (connection === undefined) {
      const transport = new PollingTransport(this, host.pollingOptions(revision, base64));
      this.#state = { name: "polling", transport };
    } else {
      this.#state = { name: "websocket", connection, revision, base64 };
      own(connection, this);
    }
    const upgrades = connection === undefined && host.options.allowUpgrades ? ["websocket"] : [];
    this.#sendPacket(PacketType.OPEN, encodeOpenData(start.id, upgrades, host.options));
    host.heartbeat.heard(this);
  }

  get readyState(): ReadyState {
    const { name } = this.#state;
    return name === "closing" || name === "closed" ? name : "open";
  }

  get remoteAddress(): string {
    return this.handshake.address;
  }

  get transport(): { readonly name: TransportName } {
    return transportOf(this.#state);
  }

  get upgraded(): boolean {
    return this.#upgraded;
  }

  get writable(): boolean {
    return isWritable(this.#state);
  }

  get bufferedBytes(): number {
    return bufferedBytesOf(this.#state);
  }

  send(message: MessageData | EngineMessage, compress = true): boolean {
    return this.#mayAdd() && this.#add(message, compress);
  }

  sendAll(messages: readonly (MessageData | EngineMessage)[], compress = true): boolean {
    if (!this.#mayAdd()) return false;
    let goOn = true;
    for (const message of messages) goOn = this.#add(message, compress);
    return goOn;
  }

  close(discard = false): void {
    const state = this.#state;
    if (state.name === "closed") return;
    if (discard || state.name === "websocket") {
      this.#end("forced close");
    } else if (state.name !== "closing") {
      const probe = state.name === "upgrading" ? state.probe : undefined;
      this.#state = { name: "closing", transport: state.transport, probe };
      this.#host.closings.add(this);
      state.transport.send({ type: PacketType.CLOSE, data: "" }, false);
    }
  }

  fail(error: SocketIoError): void {
    // One that polls is told with the next poll.
    if (this.#state.name === "websocket") this.#end("forced close", error);
    else this.close();
  }

  pause(reason: object): void {
    if (this.readyState !== "open") return;
    if (this.#pauses === undefined) {
      this.#pauses = new Set();
      this.#host.heartbeat.forget(this);
      pauseReading(this.#state);
    }
    this.#pauses.add(reason);
  }

  resume(reason: object): void {
    if (this.#pauses?.delete(reason) !== true || this.#pauses.size > 0) return;
    this.#pauses = undefined;
    if (this.readyState !== "open") return;
    this.#host.heartbeat.heard(this);
    resumeReading(this.#state);
  }

  /** The last packets were not fetched in time. */
  closeOverdue(): void {
    this.#end("forced close");
  }

  /** A request of the client's polling. */
  handle(exchange: PollingExchange): void {
    const state = this.#state;
    if (state.name === "polling" || state.name === "upgrading" || state.name === "closing") {
      state.transport.handle(exchange);
    }
  }

  /** Whether a WebSocket may be tried now. */
  get mayUpgrade(): boolean {
    return this.#state.name === "polling" && this.#host.options.allowUpgrades;
  }

  /** The client tries a WebSocket. */
  startUpgrade(wire: PacketWire): void {
    if (this.#state.name !== "polling") return;
    const { transport } = this.#state;
    const probe = new UpgradeProbe(this, wire);
    this.#state = { name: "upgrading", transport, probe };
    this.#host.probes.add(probe);
  }

  probed(probe: UpgradeProbe): void {
    const state = this.#state;
    if ((state.name !== "upgrading" && state.name !== "closing") || state.probe !== probe) return;
    state.transport.hurry();
    this.events?.emit("upgrading", onWebSocket);
  }

  upgrade(probe: UpgradeProbe): void {
    const state = this.#state;
    if ((state.name !== "upgrading" && state.name !== "closing") || state.probe !== probe) return;
    this.#host.probes.delete(probe);
    const { connection, revision, base64 } = probe;
    const next: OnWebSocket = { name: "websocket", connection, revision, base64 };
    const packets = state.transport.takePackets();
    this.#state = next;
    this.#upgraded = true;
    own(connection, this);
    if (this.#pauses !== undefined) connection.pause();
    state.transport.end(PacketType.NOOP);
    for (const packet of packets) {
      if (packet.type !== PacketType.CLOSE) writePacket(next, packet);
    }
    this.events?.emit("upgrade", this.transport);
    if (state.name === "closing") {
      this.#host.closings.delete(this);
      this.#end("forced close");
    } else if (packets.length > 0) this.drained();
  }

  probeEnded(probe: UpgradeProbe): void {
    this.#host.probes.delete(probe);
    const state = this.#state;
    if ((state.name !== "upgrading" && state.name !== "closing") || state.probe !== probe) return;
    const { transport } = state;
    transport.relax();
    this.#state = state.name === "closing" ? { ...state, probe: undefined } : { name: "polling", transport };
  }

  /** A WebSocket message came. */
  message(bytes: Buffer, isBinary: boolean): void {
    let packet: ReceivedPacket;
    try {
      const decode = isBinary ? decodeBinaryPacket : decodeTextPacketBytes;
      packet = decode(bytes, this.protocol);
    } catch (error) {
      this.#end("parse error", error as SocketIoError);
      return;
    }
    this.received(packet);
  }

  /** The WebSocket has ended. */
  closed(closed: Closed): void {
    const { reason, cause } = endFromClosed(closed, this.#host.options.maxHttpBufferSize);
    this.#end(reason, cause);
  }

  received(packet: ReceivedPacket): boolean {
    if (this.readyState !== "open") {
      // Both sides may have closed at once; then nobody polls any more.
      if (packet.type === PacketType.CLOSE) this.#end("transport close");
      return false;
    }
    this.events?.emit("packet", { type: nameOfPacketType(packet.type), data: packet.data });
    switch (packet.type) {
      case PacketType.MESSAGE:
        this.#host.heartbeat.stirred(this);
        this.#host.handlers.message?.(this, packet.data);
        this.events?.emit("message", packet.data);
        break;
      case PacketType.PING:
      case PacketType.PONG:
        this.#beaten(packet);
        break;
      case PacketType.CLOSE:
        this.#end("transport close");
        break;
      case PacketType.OPEN:
      case PacketType.UPGRADE:
      case PacketType.NOOP:
        this.#host.heartbeat.stirred(this);
    }
    return this.readyState === "open";
  }

  failed(error: SocketIoError): void {
    this.#end(error.code === "packet_invalid" ? "parse error" : "transport error", error);
  }

  drained(): void {
    if (this.#state.name === "closed") return;
    if (this.#state.name === "closing") {
      this.#end("forced close");
      return;
    }
    this.events?.emit("drain");
    if (!this.needsDrain) return;
    this.needsDrain = false;
    this.#host.handlers.drain?.(this);
  }

  beat(): void {
    if (this.readyState === "open") this.#sendPacket(PacketType.PING, "");
  }

  beatMissed(): void {
    this.#end("ping timeout");
  }

  #beaten({ type, data }: ReceivedPacket): void {
    if (type !== (this.protocol === 4 ? PacketType.PONG : PacketType.PING)) {
      const rule = this.protocol === 4 ? "revision 4 the server pings" : "revision 3 the client pings";
      this.failed(new SocketIoError("heartbeat_invalid", `in ${rule}`));
      return;
    }
    if (this.#pauses === undefined) this.#host.heartbeat.heard(this);
    // A client that pings and never polls would have its pongs pile up.
    if (type === PacketType.PING && this.#mayAdd()) this.#sendPacket(PacketType.PONG, data);
    this.events?.emit("heartbeat");
  }

  #mayAdd(): boolean {
    if (this.readyState !== "open") return false;
    const { maxBufferedBytes, slow } = this.#host.options;
    if (this.bufferedBytes < maxBufferedBytes) return true;
    this.needsDrain = true;
    if (slow === "drop") {
      this.#host.handlers.drop?.(this);
      return false;
    }
    const message = `the client reads too slowly: ${maxBufferedBytes} bytes wait for it (maxBufferedBytes)`;
    this.#end("transport error", new SocketIoError("buffer_overflow", message));
    return false;
  }

  #add(message: MessageData | EngineMessage, compress: boolean): boolean {
    const data = message instanceof EngineMessage ? message.data : message;
    this.events?.emit("packetCreate", { type: "message", data, options: { compress } });
    if (writeMessage(this.#state, message, compress)) return true;
    this.needsDrain = true;
    return false;
  }

  #sendPacket(type: PacketType, data: MessageData): void {
    this.events?.emit("packetCreate", { type: nameOfPacketType(type), data, options: { compress: true } });
    writePacket(this.#state, { type, data });
  }

  #end(reason: CloseReason, cause?: Error): void {
    const state = this.#state;
    if (state.name === "closed") return;
    this.#state = { name: "closed", was: state.name === "websocket" ? "websocket" : "polling" };
    this.#host.heartbeat.forget(this);
    this.#host.ended(this);
    if (state.name === "websocket") closeWebSocket(state.connection, reason, cause);
    else {
      state.transport.end(reason === "transport close" ? PacketType.NOOP : PacketType.CLOSE);
      if (state.name === "closing") this.#host.closings.delete(this);
      if (state.name !== "polling") state.probe?.abandon();
    }
    this.#host.handlers.close?.(this, reason, cause);
    this.events?.emit("close", reason, cause);
  }
}
