import type { Delivery } from "./delivery.ts";

/** The least that a ring has places for. */
const LEAST_PLACES = 8;

/** Where deliveries of each room are, as it was at one moment and with all that came since. */
class RoomIndex {
  /** The number that comes after those of its moment. */
  readonly since: number;
  readonly #rooms = new Map<string, { readonly numbers: number[]; next: number }>();

  constructor(since: number) {
    this.since = since;
  }

  add(room: string, number: number): void {
    const places = this.#rooms.get(room);
    if (places === undefined) this.#rooms.set(room, { numbers: [number], next: 0 });
    else places.numbers.push(number);
  }

  /** Takes the number of the oldest of a room, which may have left. */
  take(room: string): number | undefined {
    const places = this.#rooms.get(room);
    if (places === undefined || places.next === places.numbers.length) return undefined;
    return places.numbers[places.next++];
  }
}

/**
 * What waits for one client, in order: a ring that grows as it must. To drop what waits costs no more than to add it, in
 * the long run, as slow clients are those with the most waiting.
 */
export class Outbox {
  /** As many places as a power of two, or none; those that are free, or of what was dropped, are `undefined`. */
  #ring: (Delivery | undefined)[] = [];
  /** The place of the oldest. */
  #head = 0;
  /** The number of the oldest: all that are added are numbered. */
  #first = 0;
  /** Places from the oldest to the newest, those of what was dropped between them. */
  #used = 0;
  #size = 0;
  #bytes = 0;
  /** Made when something of a room is to be dropped. */
  #index: RoomIndex | undefined;

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
    if (this.#used === this.#ring.length) this.#replace(this.#all());
    const number = this.#first + this.#used;
    this.#ring[this.#placeOf(number)] = delivery;
    this.#used++;
    this.#size++;
    this.#bytes += delivery.bytes;
    if (this.#index === undefined) return;
    // Most of what an old one names has left.
    if (number - this.#index.since >= this.#ring.length) this.#index = undefined;
    else this.#index.add(delivery.room, number);
  }

  /** Puts some before all others, in their order. */
  prepend(deliveries: readonly Delivery[]): void {
    this.#replace([...deliveries, ...this.#all()]);
  }

  /** Takes the oldest. */
  shift(): Delivery | undefined {
    while (this.#used > 0) {
      const delivery = this.#remove(this.#first);
      this.#head = (this.#head + 1) & (this.#ring.length - 1);
      this.#first++;
      this.#used--;
      if (delivery !== undefined) return delivery;
    }
    return undefined;
  }

  /** How many came after the one that is this; undefined where none is, or several are. */
  countAfter(isThis: (delivery: Delivery) => boolean): number | undefined {
    let found: number | undefined;
    let after = this.#size;
    for (let number = this.#first; number < this.#first + this.#used; number++) {
      const delivery = this.#ring[this.#placeOf(number)];
      if (delivery === undefined) continue;
      after--;
      if (!isThis(delivery)) continue;
      if (found !== undefined) return undefined;
      found = after;
    }
    return found;
  }

  /** Drops the oldest of a room; answers whether there was one. */
  dropOldest(room: string): boolean {
    this.#index ??= this.#createIndex();
    for (let next = this.#index.take(room); next !== undefined; next = this.#index.take(room)) {
      if (next >= this.#first && this.#remove(next) !== undefined) return true;
    }
    return false;
  }

  /** Drops all of a room; answers how many there were. */
  dropAll(room: string): number {
    let count = 0;
    while (this.dropOldest(room)) count++;
    return count;
  }

  #placeOf(number: number): number {
    return (this.#head + number - this.#first) & (this.#ring.length - 1);
  }

  #remove(number: number): Delivery | undefined {
    const place = this.#placeOf(number);
    const delivery = this.#ring[place];
    if (delivery === undefined) return undefined;
    this.#ring[place] = undefined;
    this.#size--;
    this.#bytes -= delivery.bytes;
    return delivery;
  }

  #createIndex(): RoomIndex {
    const end = this.#first + this.#used;
    const index = new RoomIndex(end);
    for (let number = this.#first; number < end; number++) {
      const delivery = this.#ring[this.#placeOf(number)];
      if (delivery !== undefined) index.add(delivery.room, number);
    }
    return index;
  }

  #all(): Delivery[] {
    const all: Delivery[] = [];
    for (let number = this.#first; number < this.#first + this.#used; number++) {
      const delivery = this.#ring[this.#placeOf(number)];
      if (delivery !== undefined) all.push(delivery);
    }
    return all;
  }

  /** Holds these instead, with places for half as many more, so that this is not soon done again. */
  #replace(deliveries: readonly Delivery[]): void {
    let places = LEAST_PLACES;
    while (places <= deliveries.length * 1.5) places *= 2;
    this.#ring = Array.from({ length: places }, (_, index) => deliveries[index]);
    this.#index = undefined;
    this.#head = 0;
    this.#first = 0;
    this.#used = deliveries.length;
    this.#size = deliveries.length;
    this.#bytes = deliveries.reduce((bytes, delivery) => bytes + delivery.bytes, 0);
  }
}
