import type { Refusal } from "../../attachment.ts";
import { CloseCode } from "../../close-code.ts";

/** The subprotocol of nested packets. */
export const packetProtocol = "sluice.packet.v1";

/** Bytes of a packet before its content: `type`, `length` and `who`, each a big-endian uint32. */
export const packetHeaderBytes = 12;

/** One packet of `sluice.packet.v1`. */
export interface Packet {
  /** What kind of packet it is, a uint32; what it means is the application's. */
  readonly type: number;
  /** To whom, on the way in (0: the server), and from whom, on the way out: the number of a session, a uint32. */
  readonly who: number;
  readonly content: Uint8Array;
}

/** The bounds of one message of packets. */
export interface PacketLimits {
  /** Packets in one WebSocket message. Default 64. Over it: close code 4429. */
  readonly maxPackets: number;
  /** Bytes of the content of one packet. Default: the hub's limit of a message. Over it: close code 1009. */
  readonly maxContentBytes: number;
}

/**
 * The packets of one binary WebSocket message, which holds one or more of them, each whole. Their contents are views
 * of the message. A message that is not so, or that is over a limit, is refused, whatever of it was right.
 */
export function decodePackets(message: Uint8Array, limits: PacketLimits): Packet[] | Refusal {
  const { length: end } = message;
  const view = new DataView(message.buffer, message.byteOffset, end);
  const packets: Packet[] = [];
  let at = 0;
  do {
    const number = packets.length + 1;
    if (number > limits.maxPackets) {
      return { code: CloseCode.TOO_MANY, reason: `more than ${limits.maxPackets} packets in one message` };
    }
    if (end - at < packetHeaderBytes) {
      const rest = `${end - at} bytes where the ${packetHeaderBytes} of a header are due`;
      return { code: CloseCode.MALFORMED, reason: `packet ${number} of the message: ${rest}` };
    }
    const length = view.getUint32(at + 4);
    if (length > limits.maxContentBytes) {
      const found = `${length} bytes of content, over the limit of ${limits.maxContentBytes}`;
      return { code: CloseCode.TOO_BIG, reason: `packet ${number} of the message: ${found}` };
    }
    const from = at + packetHeaderBytes;
    if (length > end - from) {
      const found = `its length says ${length} bytes, and ${end - from} follow`;
      return { code: CloseCode.MALFORMED, reason: `packet ${number} of the message: ${found}` };
    }
    packets.push({
      type: view.getUint32(at),
      who: view.getUint32(at + 8),
      content: message.subarray(from, from + length),
    });
    at = from + length;
  } while (at < end);
  return packets;
}

/** A packet as its bytes, which are new. `type` and `who` are uint32, anything else becomes one as `>>> 0` makes it. */
export function encodePacket({ type, who, content }: Packet): Buffer {
  const bytes = Buffer.allocUnsafe(packetHeaderBytes + content.length);
  bytes.writeUInt32BE(type >>> 0, 0);
  bytes.writeUInt32BE(content.length, 4);
  bytes.writeUInt32BE(who >>> 0, 8);
  bytes.set(content, packetHeaderBytes);
  return bytes;
}
