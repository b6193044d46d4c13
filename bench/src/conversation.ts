/** One connection's side of an echo: what to send next, and when the reply to it is complete. */
export interface Conversation {
  /** Messages in each request. */
  readonly messages: number;
  /** The bytes of the next request; asked for only when the one before is answered. */
  nextRequest(): Buffer;
  /** Takes bytes of the reply. True when it is complete. Throws an `Error` on bytes that must not come. */
  receive(bytes: Buffer): boolean;
}

/** Repeats one request, and wants the same reply each time, to the byte. */
export class ExactConversation implements Conversation {
  readonly messages: number;
  readonly #request: Buffer;
  readonly #reply: Buffer;
  #received = 0;

  constructor(request: Buffer, reply: Buffer, messages: number) {
    this.#request = request;
    this.#reply = reply;
    this.messages = messages;
  }

  nextRequest(): Buffer {
    return this.#request;
  }

  receive(bytes: Buffer): boolean {
    const from = this.#received;
    const to = from + bytes.length;
    if (to > this.#reply.length || bytes.compare(this.#reply, from, to) !== 0) {
      throw new Error(`other bytes came back than were sent, between ${from} and ${to}`);
    }
    this.#received = to === this.#reply.length ? 0 : to;
    return this.#received === 0;
  }
}
