/** Messages that are yet to be sent, as the async iterable that clients of Connect-ES take. */
export class Outgoing<Message> implements AsyncIterable<Message> {
  readonly #messages: Message[] = [];
  #hasEnded = false;
  #wake: () => void = () => {};

  send(message: Message): void {
    this.#messages.push(message);
    this.#wake();
  }

  /** No message follows: the half-close. */
  end(): void {
    this.#hasEnded = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Message, void, undefined> {
    for (;;) {
      const message = this.#messages.shift();
      if (message !== undefined) yield message;
      else if (this.#hasEnded) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}
