import { addressBlock } from "./address-block.ts";

/** One connection's place among those that the limits allow, from its opening request to its end. */
export interface Seat {
  /** Where it is counted by address. */
  readonly block: string | undefined;
  taken: boolean;
}

/** Why there is no place. */
export type NoSeat = "too_many_connections" | "too_many_from_address";

/** Counts connections, all of them and by address. */
export class Seating {
  readonly #max: number;
  readonly #maxPerAddress: number;
  readonly #blocks = new Map<string, number>();
  #taken = 0;

  constructor(max: number, maxPerAddress: number) {
    this.#max = max;
    this.#maxPerAddress = maxPerAddress;
  }

  /** How many places are taken. */
  get taken(): number {
    return this.#taken;
  }

  /** Takes a place. Without an address only the total counts. */
  take(address: string | undefined): Seat | NoSeat {
    if (this.#taken >= this.#max) return "too_many_connections";
    const block =
      address === undefined || this.#maxPerAddress === Infinity ? undefined : addressBlock(address);
    if (block !== undefined) {
      const count = this.#blocks.get(block) ?? 0;
      if (count >= this.#maxPerAddress) return "too_many_from_address";
      this.#blocks.set(block, count + 1);
    }
    this.#taken++;
    return { block, taken: true };
  }

  /** Frees a place; harmless the second time. */
  leave(seat: Seat): void {
    if (!seat.taken) return;
    seat.taken = false;
    this.#taken--;
    if (seat.block === undefined) return;
    const count = this.#blocks.get(seat.block)! - 1;
    if (count === 0) this.#blocks.delete(seat.block);
    else this.#blocks.set(seat.block, count);
  }
}
