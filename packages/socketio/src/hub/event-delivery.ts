import { Delivery, type Face, Message } from "@sluice/hub";
import { messageFromEvent } from "./event-content.ts";
import type { EventFrame } from "./event-frame.ts";
import type { NamespaceFace } from "./namespace-face.ts";

/** Bytes of the objects that hold one. */
const OVERHEAD = 64;

/** An event of the application to sockets of a namespace, with whatever bytes are in it; on other faces what a message can have. */
export class EventDelivery extends Delivery {
  override readonly room = "";
  readonly #face: NamespaceFace;
  readonly #frame: EventFrame;
  #message: Message | undefined;

  constructor(face: NamespaceFace, frame: EventFrame) {
    super();
    this.#face = face;
    this.#frame = frame;
  }

  override get message(): Message {
    this.#message ??= new Message(messageFromEvent(this.#frame.data));
    return this.#message;
  }

  override get bytes(): number {
    return this.#frame.bytes + OVERHEAD;
  }

  protected override encode(face: Face): unknown {
    return face === this.#face ? this.#frame : face.message(this.message);
  }
}
