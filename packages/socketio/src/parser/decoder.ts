import { SocketIoError } from "../error.ts";
import { reconstruct } from "./binary.ts";
import { decodeText, type TextPacket } from "./decode-text.ts";
import { type Packet, PacketType } from "./packet.ts";

/** Bounds and ways of a decoder. */
export interface DecoderOptions {
  /** Attachments of one packet. Default 10. Over it: `packet_invalid`. */
  readonly maxAttachments?: number;
}

/** A packet whose attachments are still to come. */
interface Incomplete {
  readonly packet: TextPacket;
  readonly attachments: Buffer[];
}

/** The attachments of a packet where no limit is given. */
export const defaultMaxAttachments = 10;

/** Turns the Engine.IO messages of one client into packets. */
export class Decoder {
  readonly #maxAttachments: number;
  #incomplete: Incomplete | undefined;

  constructor({ maxAttachments = defaultMaxAttachments }: DecoderOptions = {}) {
    this.#maxAttachments = maxAttachments;
  }

  /**
   * The packet that a message completes; undefined while attachments are to come. Throws `packet_invalid` where a
   * message breaks a rule; then the connection is to be closed.
   */
  add(message: string | Buffer): Packet | undefined {
    return typeof message === "string" ? this.#addText(message) : this.#addAttachment(message);
  }

  /** Forgets a packet whose attachments did not come. */
  destroy(): void {
    this.#incomplete = undefined;
  }

  #addText(text: string): Packet | undefined {
    if (this.#incomplete !== undefined) throw invalid("a text came where an attachment is to come");
    const packet = decodeText(text, this.#maxAttachments);
    if (packet.attachments === 0) return finish(packet, packet.data);
    this.#incomplete = { packet, attachments: [] };
    return undefined;
  }

  #addAttachment(bytes: Buffer): Packet | undefined {
    const incomplete = this.#incomplete;
    if (incomplete === undefined) throw invalid("an attachment came that no packet has");
    const { packet, attachments } = incomplete;
    attachments.push(bytes);
    if (attachments.length < packet.attachments) return undefined;
    this.#incomplete = undefined;
    return finish(packet, reconstruct(packet.data, attachments));
  }
}

/** The packet as the application sees it: binary or not is the codec's. */
function finish({ type, nsp, id }: TextPacket, data: unknown): Packet {
  if (type === PacketType.BINARY_EVENT) return { type: PacketType.EVENT, nsp, id, data };
  if (type === PacketType.BINARY_ACK) return { type: PacketType.ACK, nsp, id, data };
  return { type, nsp, id, data };
}

function invalid(message: string): SocketIoError {
  return new SocketIoError("packet_invalid", message);
}
