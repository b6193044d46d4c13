import { Delivery } from "./delivery.ts";
import type { Face } from "./face.ts";

/** What a message is made of. */
export interface MessageInit {
  /** A text, or bytes. Bytes are not copied: leave them unchanged. */
  readonly data: string | Uint8Array;
  /** Whether the text is JSON, so that faces that speak JSON can embed it. Default: false. */
  readonly isJson?: boolean;
  /** Whether the text is a JSON array that lists several things that were said at once, as Socket.IO's arguments; it is JSON then. Default: false. */
  readonly isList?: boolean;
  /** Its name: SSE's `event:`, a packet's type in decimal, Socket.IO's event. Default: none. */
  readonly type?: string;
  /** The number of the session that said it. Default: 0, the backend or the server. */
  readonly from?: number;
}

/** What is said: to one session or to a room. Immutable. */
export class Message extends Delivery {
  /** Text or bytes. */
  readonly data: string | Uint8Array;
  /** Whether `data` is a text that is JSON: faces that speak JSON embed it, raw ones send it as it is. */
  readonly isJson: boolean;
  /** Whether that JSON is an array of several things that were said at once: Socket.IO has them as arguments, other faces as the array. */
  readonly isList: boolean;
  /** Its name; empty for none. */
  readonly type: string;
  /** The number of the session that said it; 0 for the backend or the server. */
  readonly from: number;
  #bytes = -1;

  constructor({ data, isJson = false, isList = false, type = "", from = 0 }: MessageInit) {
    super();
    this.data = data;
    this.isJson = isJson || isList;
    this.isList = isList;
    this.type = type;
    this.from = from;
  }

  /** A message of a text, bytes, or all that a message can have; a message is returned as it is. */
  static from(data: string | Uint8Array | MessageInit): Message {
    if (data instanceof Message) return data;
    return new Message(typeof data === "string" || data instanceof Uint8Array ? { data } : data);
  }

  /** A message to a session itself is of no room. */
  override get room(): string {
    return "";
  }

  override get message(): Message {
    return this;
  }

  /** Bytes of `data` and `type`; of texts, as UTF-8. What the limits of messages and outboxes count. */
  get contentBytes(): number {
    if (this.#bytes < 0) this.#bytes = bytesOf(this.data) + (this.type === "" ? 0 : bytesOf(this.type));
    return this.#bytes;
  }

  protected override encode(face: Face): unknown {
    return face.message(this);
  }
}

function bytesOf(data: string | Uint8Array): number {
  return typeof data === "string" ? Buffer.byteLength(data) : data.byteLength;
}
