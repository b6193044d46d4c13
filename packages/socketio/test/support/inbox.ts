/** What happened, in order, for a test that waits for it. */
export class Inbox<Item> {
  readonly #items: Item[] = [];
  readonly #waiters: ((item: Item) => void)[] = [];

  /** How many items nobody has taken. */
  get size(): number {
    return this.#items.length;
  }

  add(item: Item): void {
    const waiter = this.#waiters.shift();
    if (waiter === undefined) this.#items.push(item);
    else waiter(item);
  }

  /** The next item, now or when it comes. */
  next(): Promise<Item> {
    if (this.#items.length > 0) return Promise.resolve(this.#items.shift()!);
    return new Promise((resolve) => {
      this.#waiters.push(resolve);
    });
  }
}
