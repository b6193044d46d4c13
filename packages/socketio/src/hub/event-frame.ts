import type { EngineMessage } from "../engine/engine-message.ts";

/** An event as all sockets of a namespace are sent it. */
export class EventFrame {
  /** The messages of its packet. */
  readonly messages: readonly EngineMessage[];
  /** What a client that has it names as the last that it had; empty where it cannot name it. */
  readonly offset: string;
  /** Who alone may send it, as it asks for an answer that nobody else waits for; undefined for everybody. */
  readonly only: object | undefined;
  readonly #event: () => readonly unknown[];

  /** `event` is asked for the name and the arguments only where somebody wants them. */
  constructor(
    messages: readonly EngineMessage[],
    offset: string,
    event: () => readonly unknown[],
    only?: object,
  ) {
    this.messages = messages;
    this.offset = offset;
    this.#event = event;
    this.only = only;
  }

  /** The event's name and its arguments. */
  get data(): readonly unknown[] {
    return this.#event();
  }

  /** Bytes of it, about. */
  get bytes(): number {
    return this.messages.reduce((bytes, { data }) => bytes + data.length, 0);
  }

  /** The same, for one sender alone. */
  onlyFor(only: object): EventFrame {
    return new EventFrame(this.messages, this.offset, this.#event, only);
  }
}
