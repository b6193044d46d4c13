import type { WebSocketConnection } from "@sluice/websocket";
import { decodeBinaryPacket, decodeTextPacketBytes } from "../codec/packet-codec.ts";
import { PacketType, type ReceivedPacket, type Revision } from "../codec/packet.ts";
import { type ConnectionOwner, own } from "./connection-owner.ts";
import type { PacketWire } from "./send-packet.ts";

/** The session that a probe is for. */
export interface Upgradable {
  /** The client knows that the WebSocket works, and polls no more once its poll is answered. */
  probed(probe: UpgradeProbe): void;
  /** The client has nothing under way by polling, and goes on with the WebSocket. */
  upgrade(probe: UpgradeProbe): void;
  /** The WebSocket is none of the session's any more. */
  probeEnded(probe: UpgradeProbe): void;
}

/** A WebSocket of a session that polls, until the client has tried it and moves over: `2probe`, `3probe`, `5`. */
export class UpgradeProbe implements ConnectionOwner, PacketWire {
  readonly connection: WebSocketConnection;
  readonly revision: Revision;
  readonly base64: boolean;
  readonly #session: Upgradable;

  constructor(session: Upgradable, wire: PacketWire) {
    this.connection = wire.connection;
    this.revision = wire.revision;
    this.base64 = wire.base64;
    this.#session = session;
    own(this.connection, this);
  }

  message(data: Buffer, isBinary: boolean): void {
    const packet = this.#decode(data, isBinary);
    if (packet?.type === PacketType.PING && packet.data === "probe") {
      this.connection.send(`${PacketType.PONG}probe`);
      this.#session.probed(this);
    } else if (packet?.type === PacketType.UPGRADE) {
      this.#session.upgrade(this);
    } else {
      this.abandon();
    }
  }

  drained(): void {}

  closed(): void {
    this.#session.probeEnded(this);
  }

  /** Closes the WebSocket; the session goes on without it. */
  abandon(): void {
    own(this.connection, undefined);
    this.connection.close();
    this.#session.probeEnded(this);
  }

  #decode(data: Buffer, isBinary: boolean): ReceivedPacket | undefined {
    try {
      if (isBinary) return decodeBinaryPacket(data, this.revision);
      return decodeTextPacketBytes(data, this.revision);
    } catch {
      return undefined;
    }
  }
}
