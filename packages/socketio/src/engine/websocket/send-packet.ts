import type { WebSocketConnection } from "@sluice/websocket";
import { encodeBinaryMessage, encodePacketAsText } from "../codec/packet-codec.ts";
import type { Packet, Revision } from "../codec/packet.ts";
import type { EngineMessage } from "../engine-message.ts";

/** A WebSocket with how packets are written on it. */
export interface PacketWire {
  readonly connection: WebSocketConnection;
  readonly revision: Revision;
  /** Whether the client asked for text only (`b64` in the query). */
  readonly base64: boolean;
}

/** Sends one packet in one WebSocket message, and answers whether to go on. */
export function sendPacket(wire: PacketWire, packet: Packet, compress: boolean): boolean {
  const { connection, revision, base64 } = wire;
  const { data } = packet;
  const isText = typeof data === "string" || base64;
  const encoded = isText ? encodePacketAsText(packet, revision) : encodeBinaryMessage(data, revision);
  return compress ? connection.send(encoded) : sendUncompressed(connection, encoded);
}

/** Sends a message that may have been encoded for another connection already. */
export function sendMessage(wire: PacketWire, message: EngineMessage): boolean {
  return wire.connection.send(message.prepared(wire.revision, wire.base64));
}

function sendUncompressed(connection: WebSocketConnection, encoded: string | Uint8Array): boolean {
  if (connection.state !== "open") return false;
  const writer = connection.startMessage(typeof encoded !== "string");
  // A message of one frame could still be compressed.
  writer.write(encoded);
  return writer.end();
}
