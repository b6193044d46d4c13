import { SocketIoError } from "../../error.ts";
import { decodeBase64, encodeBase64 } from "./base64.ts";
import { type Packet, PacketType, type ReceivedPacket, type Revision } from "./packet.ts";

/** A packet as text: the digit of its type and its data. Binary data, of a message, becomes base64 behind a `b`. */
export function encodePacketAsText({ type, data }: Packet, revision: Revision): string {
  if (typeof data === "string") return `${type}${data}`;
  return `${revision === 4 ? "b" : "b4"}${encodeBase64(data)}`;
}

/** A binary message as bytes: as it is, or in revision 3 behind the byte of its type. */
export function encodeBinaryMessage(data: Uint8Array, revision: Revision): Uint8Array {
  if (revision === 4) return data;
  const bytes = Buffer.allocUnsafe(data.length + 1);
  bytes[0] = PacketType.MESSAGE;
  bytes.set(data, 1);
  return bytes;
}

/** Reads a packet that came as text. Throws `packet_invalid`. */
export function decodeTextPacket(text: string, revision: Revision): ReceivedPacket {
  const first = text.charCodeAt(0);
  if (first >= 0x30 && first <= 0x36) return { type: (first - 0x30) as PacketType, data: text.slice(1) };
  if (first === 0x62) return { type: PacketType.MESSAGE, data: decodeBase64(base64Of(text, revision)) };
  throw unknownType(first);
}

/** The same for a text that is there as its UTF-8. */
export function decodeTextPacketBytes(text: Buffer, revision: Revision): ReceivedPacket {
  const first = text[0] ?? Number.NaN;
  if (first >= 0x30 && first <= 0x36) {
    return { type: (first - 0x30) as PacketType, data: text.toString("utf8", 1) };
  }
  return decodeTextPacket(text.toString(), revision);
}

/** Reads a packet that came as bytes. The data is a view of them. Throws `packet_invalid`. */
export function decodeBinaryPacket(bytes: Buffer, revision: Revision): ReceivedPacket {
  if (revision === 4) return { type: PacketType.MESSAGE, data: bytes };
  if (bytes[0] !== PacketType.MESSAGE) {
    throw new SocketIoError("packet_invalid", "a binary packet of revision 3 must begin with the byte 4");
  }
  return { type: PacketType.MESSAGE, data: bytes.subarray(1) };
}

function base64Of(text: string, revision: Revision): string {
  if (revision === 4) return text.slice(1);
  if (text[1] === "4") return text.slice(2);
  throw new SocketIoError("packet_invalid", "a binary packet of revision 3 must be a message: b4 and base64");
}

function unknownType(first: number): SocketIoError {
  const found = Number.isNaN(first) ? "nothing" : JSON.stringify(String.fromCharCode(first));
  return new SocketIoError("packet_invalid", `a packet must begin with its type, 0 to 6 or b, not ${found}`);
}
