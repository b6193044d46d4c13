import { SocketIoError } from "../../error.ts";
import { decodeBinaryPacket, decodeTextPacket, encodePacketAsText } from "./packet-codec.ts";
import { type Packet, PacketType, type ReceivedPacket } from "./packet.ts";
import type { PayloadReader } from "./payload.ts";

const TEXT = 0;
const BINARY = 1;
const END_OF_LENGTH = 0xff;
/** No payload is so long that its length would have more digits. */
const MAX_DIGITS = 15;

/**
 * The packets of one poll as revision 3 has them: as texts, each behind its length in UTF-16 units and a colon; or as
 * bytes, where one of them is binary and the client can read that.
 */
export function encodePayloadV3(packets: readonly Packet[], supportsBinary: boolean): string | Buffer {
  if (supportsBinary && packets.some(({ data }) => typeof data !== "string")) return encodeAsBytes(packets);
  return packets.map((packet) => withLength(encodePacketAsText(packet, 3))).join("");
}

/** Reads the payload of a POST of revision 3 that came as text. */
export class TextPayloadReaderV3 implements PayloadReader {
  readonly #payload: string;
  #at = 0;

  constructor(payload: string) {
    this.#payload = payload;
  }

  next(): ReceivedPacket | undefined {
    if (this.#at === this.#payload.length && this.#at > 0) return undefined;
    const colon = this.#payload.slice(this.#at, this.#at + MAX_DIGITS + 1).indexOf(":");
    const digits = this.#payload.slice(this.#at, this.#at + Math.max(colon, 0));
    if (!/^\d+$/.test(digits)) throw invalid("a packet must follow its length in UTF-16 units and a colon");
    const from = this.#at + colon + 1;
    const to = from + Number(digits);
    if (to > this.#payload.length) throw invalid("a packet is shorter than its length says");
    this.#at = to;
    return decodeTextPacket(this.#payload.slice(from, to), 3);
  }
}

/** Reads the payload of a POST of revision 3 that came as bytes. */
export class BinaryPayloadReaderV3 implements PayloadReader {
  readonly #payload: Buffer;
  #at = 0;

  constructor(payload: Buffer) {
    this.#payload = payload;
  }

  next(): ReceivedPacket | undefined {
    if (this.#at === this.#payload.length && this.#at > 0) return undefined;
    const kind = this.#payload[this.#at];
    if (kind !== TEXT && kind !== BINARY) throw invalid("a packet must begin with the byte 0 or 1");
    const from = this.#readLength();
    const to = this.#at;
    if (kind === BINARY) return decodeBinaryPacket(this.#payload.subarray(from, to), 3);
    return decodeTextPacket(this.#payload.toString("utf8", from, to), 3);
  }

  /** Moves behind the packet, and answers where it begins. */
  #readLength(): number {
    let length = 0;
    for (let digits = 0; digits <= MAX_DIGITS; digits++) {
      const at = this.#at + 1 + digits;
      const digit = this.#payload[at];
      if (digit === END_OF_LENGTH && digits > 0) {
        if (at + 1 + length > this.#payload.length) throw invalid("a packet is shorter than its length says");
        this.#at = at + 1 + length;
        return at + 1;
      }
      if (digit === undefined || digit > 9) break;
      length = length * 10 + digit;
    }
    throw invalid("the length of a packet must be decimal digits as bytes 0 to 9, and end with ff");
  }
}

function withLength(packet: string): string {
  return `${packet.length}:${packet}`;
}

function encodeAsBytes(packets: readonly Packet[]): Buffer {
  const parts: Uint8Array[] = [];
  for (const packet of packets) {
    const { data } = packet;
    if (typeof data === "string") {
      const text = Buffer.from(encodePacketAsText(packet, 3));
      parts.push(header(TEXT, text.length), text);
    } else {
      parts.push(header(BINARY, data.length + 1), Buffer.of(PacketType.MESSAGE), data);
    }
  }
  return Buffer.concat(parts);
}

function header(kind: number, length: number): Buffer {
  return Buffer.from([kind, ...Array.from(String(length), Number), END_OF_LENGTH]);
}

function invalid(message: string): SocketIoError {
  return new SocketIoError("packet_invalid", message);
}
