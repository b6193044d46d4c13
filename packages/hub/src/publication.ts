import { Delivery } from "./delivery.ts";
import type { Face } from "./face.ts";
import { Message, type MessageInit } from "./message.ts";

/** A place in a room's history. */
export interface Position {
  /** Which history: another epoch is another history, whose offsets say nothing about this one's. */
  readonly epoch: string;
  /** The number of the newest publication that is known; 0 before the first. */
  readonly offset: number;
}

/** What a publication is made of. */
export interface PublicationInit {
  readonly room: string;
  readonly message: Message | MessageInit;
  /** Default: empty, as the room keeps no history. */
  readonly epoch?: string;
  /** Default: 0, as the room keeps no history. */
  readonly offset?: number;
  /** Milliseconds since 1970. */
  readonly publishedAt: number;
  /** The id of the session that shall not be given it. Default: nobody. */
  readonly except?: string;
}

/** A message with its place in a room. Immutable. */
export class Publication extends Delivery implements Position {
  override readonly room: string;
  override readonly message: Message;
  /** The history that it is in; empty where the room keeps none. */
  readonly epoch: string;
  /** Its number in that history, from 1 on and without a gap; 0 where the room keeps none. */
  readonly offset: number;
  /** Milliseconds since 1970. */
  readonly publishedAt: number;
  /** The id of the session that is not given it, live or recovered; empty for nobody. */
  readonly except: string;

  constructor({ room, message, epoch = "", offset = 0, publishedAt, except = "" }: PublicationInit) {
    super();
    this.room = room;
    this.message = Message.from(message);
    this.epoch = epoch;
    this.offset = offset;
    this.publishedAt = publishedAt;
    this.except = except;
  }

  protected override encode(face: Face): unknown {
    return face.publication(this);
  }
}
