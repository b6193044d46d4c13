/** How many there are of each address. */
export class AddressCounts {
  readonly #counts = new Map<string, number>();

  /** How many there are of one. */
  of(address: string): number {
    return this.#counts.get(address) ?? 0;
  }

  /** There is one more. */
  add(address: string): void {
    this.#counts.set(address, this.of(address) + 1);
  }

  /** There is one less. */
  remove(address: string): void {
    const count = this.of(address) - 1;
    if (count > 0) this.#counts.set(address, count);
    else this.#counts.delete(address);
  }
}
