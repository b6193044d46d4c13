import { PreparedMessage } from "@sluice/websocket";
import { encodeBinaryMessage, encodePacketAsText } from "./codec/packet-codec.ts";
import { type MessageData, type Packet, PacketType, type Revision } from "./codec/packet.ts";

/** A message that is sent to many sessions, and encoded once for all that have it on the same wire. */
export class EngineMessage {
  /** What it says. Bytes are not copied: leave them unchanged. */
  readonly data: MessageData;
  /** As frames: of revision 4, of revision 3, and of both as text. A text is the same on each. */
  #v4: PreparedMessage | undefined;
  #v3: PreparedMessage | undefined;
  #base64: PreparedMessage | undefined;

  constructor(data: MessageData) {
    this.data = data;
  }

  /** The message as a WebSocket message; `base64` where the client asked for text only. */
  prepared(revision: Revision, base64: boolean): PreparedMessage {
    const { data } = this;
    if (typeof data === "string") return (this.#v4 ??= asText(data, revision));
    if (base64 && revision === 4) return (this.#base64 ??= asText(data, revision));
    if (base64) return asText(data, revision);
    if (revision === 4) return (this.#v4 ??= new PreparedMessage(data));
    return (this.#v3 ??= new PreparedMessage(encodeBinaryMessage(data, 3)));
  }
}

function asText(data: MessageData, revision: Revision): PreparedMessage {
  const packet: Packet = { type: PacketType.MESSAGE, data };
  return new PreparedMessage(encodePacketAsText(packet, revision));
}
