import { addressBlock } from "@sluice/websocket";

/** Counts the connections of each client's address. */
export class AddressCounts {
  readonly #max: number;
  readonly #counts = new Map<string, number>();

  constructor(max: number) {
    this.#max = max;
  }

  /** Counts one more; false, and it is not counted, where that is too many. */
  take(address: string): boolean {
    if (this.#max === Infinity) return true;
    const block = addressBlock(address);
    const count = this.#counts.get(block) ?? 0;
    if (count >= this.#max) return false;
    this.#counts.set(block, count + 1);
    return true;
  }

  /** One that was counted is gone. */
  leave(address: string): void {
    if (this.#max === Infinity) return;
    const block = addressBlock(address);
    const count = (this.#counts.get(block) ?? 0) - 1;
    if (count > 0) this.#counts.set(block, count);
    else this.#counts.delete(block);
  }
}
