import type { Memory } from "./memory.ts";

/** Messages of one call that wait to leave, the first of them perhaps in part. */
export class MessageQueue {
  readonly #memory: Memory;
  #messages: Uint8Array[] = [];
  #head = 0;
  #offset = 0;
  /** Bytes that wait. */
  bytes = 0;

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  /** The message whose turn it is. */
  get first(): Uint8Array | undefined {
    return this.#messages[this.#head];
  }

  /** Bytes of the first message that have left. */
  get offset(): number {
    return this.#offset;
  }

  /** The messages that wait, the first of them whole. */
  [Symbol.iterator](): IterableIterator<Uint8Array> {
    return this.#messages.values();
  }

  push(message: Uint8Array): void {
    this.#messages.push(message);
    this.#count(message.length);
  }

  /** Counts bytes of the first message as gone, up to `offset`. */
  advance(message: Uint8Array, offset: number): void {
    this.#count(this.#offset - offset);
    this.#offset = offset;
    if (offset < message.length) return;
    this.#offset = 0;
    this.#head++;
    if (this.#head === this.#messages.length) this.clear();
    else if (this.#head >= 64 && this.#head * 2 >= this.#messages.length) {
      this.#messages.splice(0, this.#head);
      this.#head = 0;
    }
  }

  clear(): void {
    this.#messages.length = 0;
    this.#head = 0;
    this.#offset = 0;
    this.#count(-this.bytes);
  }

  #count(bytes: number): void {
    this.bytes += bytes;
    this.#memory.waiting += bytes;
  }
}
