import { decodeTextPacket, encodePacketAsText } from "./packet-codec.ts";
import type { Packet, ReceivedPacket } from "./packet.ts";
import type { PayloadReader } from "./payload.ts";

/** The record separator between packets. */
const SEPARATOR = "\x1e";

/** The packets of one poll or POST as revision 4 has them: texts between separators, binary messages as base64. */
export function encodePayloadV4(packets: readonly Packet[]): string {
  return packets.map((packet) => encodePacketAsText(packet, 4)).join(SEPARATOR);
}

/** Reads the payload of a POST of revision 4. */
export class PayloadReaderV4 implements PayloadReader {
  readonly #payload: string;
  #at = 0;

  constructor(payload: string) {
    this.#payload = payload;
  }

  next(): ReceivedPacket | undefined {
    const from = this.#at;
    // A payload has one packet at least, so an empty one is an empty packet.
    if (from > this.#payload.length) return undefined;
    const separator = this.#payload.indexOf(SEPARATOR, from);
    const to = separator < 0 ? this.#payload.length : separator;
    this.#at = to + 1;
    return decodeTextPacket(this.#payload.slice(from, to), 4);
  }
}
