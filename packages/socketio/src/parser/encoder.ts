import { deconstruct, hasBinary } from "./binary.ts";
import { type Packet, PacketType } from "./packet.ts";

/** A packet as Engine.IO messages: a text, and behind it one binary message for each attachment. */
export type EncodedPacket = readonly [text: string, ...attachments: Uint8Array[]];

/** Turns packets into Engine.IO messages, as the package socket.io-parser does. */
export class Encoder {
  /**
   * The messages of a packet: `<type>[<attachments>-][<namespace>,][<id>][JSON]`. Bytes anywhere in the data of an
   * EVENT or ACK become attachments. Throws what JSON.stringify throws, such as for a cycle.
   */
  encode(packet: Packet): EncodedPacket {
    const { type, data } = packet;
    const mayBeBinary = type === PacketType.EVENT || type === PacketType.ACK;
    if (!mayBeBinary || !hasBinary(data)) return [encodeText(packet)];
    const attachments: Uint8Array[] = [];
    const binary: Packet = {
      ...packet,
      type: type === PacketType.EVENT ? PacketType.BINARY_EVENT : PacketType.BINARY_ACK,
      data: deconstruct(data, attachments),
    };
    return [encodeText(binary, `${attachments.length}-`), ...attachments];
  }
}

function encodeText({ type, nsp, id, data }: Packet, attachments = ""): string {
  const namespace = nsp === "/" ? "" : `${nsp},`;
  const json = data === undefined || data === null ? "" : JSON.stringify(data);
  return `${type}${attachments}${namespace}${id ?? ""}${json}`;
}
