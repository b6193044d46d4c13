import type { Delivery } from "./delivery.ts";

/** The least that a ring has places for. */
const LEAST_PLACES = 8;

/** What waits for one client, in order: a ring that grows as it must. */
export class Outbox {
  /** As many places as a power of two, or none; those that are free are `undefined`. */
  #ring: (Delivery | undefined)[] = [];
  /** The place of the oldest. */
  #head = 0;
  #size = 0;
  #bytes = 0;

  /** How many deliveries wait. */
  get size(): number {
    return this.#size;
  }

  /** What they count for, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds the newest. */
  push(delivery: Delivery): void {
    if (this.#size === this.#ring.length) this.#replace(this.#all());
    this.#ring[this.#placeOf(this.#size++)] = delivery;
    this.#bytes += delivery.bytes;
  }

  /** Puts some before all others, in their order. */
  prepend(deliveries: readonly Delivery[]): void {
    this.#replace([...deliveries, ...this.#all()]);
  }

  /** Takes the oldest. */
  shift(): Delivery | undefined {
    const delivery = this.#ring[this.#head];
    if (delivery === undefined) return undefined;
    this.#ring[this.#head] = undefined;
    this.#head = this.#placeOf(1);
    this.#size--;
    this.#bytes -= delivery.bytes;
    return delivery;
  }

  /** Drops the oldest of a room; answers whether there was one. */
  dropOldest(room: string): boolean {
    for (let index = 0; index < this.#size; index++) {
      const delivery = this.#ring[this.#placeOf(index)];
      if (delivery?.room !== room) continue;
      // Those before it move up, over it.
      for (let before = index; before > 0; before--) {
        this.#ring[this.#placeOf(before)] = this.#ring[this.#placeOf(before - 1)];
      }
      this.#ring[this.#head] = delivery;
      this.shift();
      return true;
    }
    return false;
  }

  /** Drops all of a room; answers how many there were. */
  dropAll(room: string): number {
    const before = this.#size;
    this.#replace(this.#all().filter((delivery) => delivery.room !== room));
    return before - this.#size;
  }

  #placeOf(index: number): number {
    return (this.#head + index) & (this.#ring.length - 1);
  }

  #all(): Delivery[] {
    const all: Delivery[] = [];
    for (let index = 0; index < this.#size; index++) {
      const delivery = this.#ring[this.#placeOf(index)];
      if (delivery !== undefined) all.push(delivery);
    }
    return all;
  }

  /** Holds these instead, with at least one place more. */
  #replace(deliveries: readonly Delivery[]): void {
    let places = LEAST_PLACES;
    while (places <= deliveries.length) places *= 2;
    this.#ring = Array.from({ length: places }, (_, index) => deliveries[index]);
    this.#head = 0;
    this.#size = deliveries.length;
    this.#bytes = deliveries.reduce((bytes, delivery) => bytes + delivery.bytes, 0);
  }
}
