import { PreparedMessage } from "@sluice/websocket";
import type { Message } from "../../message.ts";
import type { Publication } from "../../publication.ts";
import { encodeMessage, encodePublication } from "./server-message.ts";

/** What the session wire sends for a message or a publication: the same for all clients, but for the epoch. */
export class SessionFrame {
  /** The room that it comes from; empty for none. */
  readonly room: string;
  /** The epoch of the room's history; empty for none. */
  readonly epoch: string;
  /** For clients that know the epoch. */
  readonly plain: PreparedMessage;
  readonly #publication: Publication | undefined;
  #withEpoch: PreparedMessage | undefined;

  private constructor(plain: string, publication?: Publication) {
    this.room = publication?.room ?? "";
    this.epoch = publication?.epoch ?? "";
    this.plain = new PreparedMessage(plain);
    this.#publication = publication;
  }

  static fromMessage(message: Message): SessionFrame {
    return new SessionFrame(encodeMessage(message));
  }

  static fromPublication(publication: Publication): SessionFrame {
    return new SessionFrame(encodePublication(publication, false), publication);
  }

  /** For clients to which the epoch is new. */
  get withEpoch(): PreparedMessage {
    if (this.#publication === undefined || this.epoch === "") return this.plain;
    this.#withEpoch ??= new PreparedMessage(encodePublication(this.#publication, true));
    return this.#withEpoch;
  }

  /** Bytes of its text. */
  get bytes(): number {
    return this.plain.payload.length;
  }
}
