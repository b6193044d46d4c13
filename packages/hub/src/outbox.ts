import type { Delivery } from "./delivery.ts";

/** From how many places of what has left on the queue is moved up. */
const COMPACT_AT = 64;

/** What waits for one client, in order. */
export class Outbox {
  #queue: Delivery[] = [];
  #head = 0;
  #bytes = 0;

  /** How many deliveries wait. */
  get size(): number {
    return this.#queue.length - this.#head;
  }

  /** What they count for, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds the newest. */
  push(delivery: Delivery): void {
    this.#queue.push(delivery);
    this.#bytes += delivery.bytes;
  }

  /** Puts some before all others, in their order. */
  prepend(deliveries: readonly Delivery[]): void {
    this.#queue = [...deliveries, ...this.#queue.slice(this.#head)];
    this.#head = 0;
    for (const delivery of deliveries) this.#bytes += delivery.bytes;
  }

  /** Takes the oldest. */
  shift(): Delivery | undefined {
    const delivery = this.#queue[this.#head];
    if (delivery === undefined) return undefined;
    this.#head++;
    this.#bytes -= delivery.bytes;
    if (this.#head === this.#queue.length) {
      this.#queue.length = 0;
      this.#head = 0;
    } else if (this.#head >= COMPACT_AT && this.#head * 2 >= this.#queue.length) {
      this.#queue.splice(0, this.#head);
      this.#head = 0;
    }
    return delivery;
  }

  /** Drops the oldest of a room; answers whether there was one. */
  dropOldest(room: string): boolean {
    const queue = this.#queue;
    for (let index = this.#head; index < queue.length; index++) {
      const delivery = queue[index];
      if (delivery?.room !== room) continue;
      if (index === this.#head) this.shift();
      else {
        queue.splice(index, 1);
        this.#bytes -= delivery.bytes;
      }
      return true;
    }
    return false;
  }

  /** Drops all of a room; answers how many there were. */
  dropAll(room: string): number {
    const before = this.size;
    this.#queue = this.#queue.slice(this.#head).filter((delivery) => delivery.room !== room);
    this.#head = 0;
    this.#bytes = this.#queue.reduce((bytes, delivery) => bytes + delivery.bytes, 0);
    return before - this.#queue.length;
  }
}
