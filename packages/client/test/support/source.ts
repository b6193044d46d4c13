/** Requests that a test gives one by one, and what became of them. */
export class Source implements AsyncIterableIterator<string, undefined> {
  /** How often the next one was asked for. */
  asked = 0;
  /** How often it was told that no more is wanted. */
  returned = 0;
  #given: ({ readonly value: string } | { readonly error: Error } | "end")[] = [];
  #waiting: (() => void)[] = [];

  [Symbol.asyncIterator](): this {
    return this;
  }

  give(what: string | Error | undefined): void {
    if (what === undefined) this.#given.push("end");
    else this.#given.push(what instanceof Error ? { error: what } : { value: what });
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async next(): Promise<IteratorResult<string, undefined>> {
    this.asked++;
    for (;;) {
      const [next] = this.#given;
      if (next === undefined) {
        if (this.returned > 0) return { done: true, value: undefined };
        await new Promise<void>((resolve) => this.#waiting.push(resolve));
        continue;
      }
      if (next === "end") return { done: true, value: undefined };
      this.#given.shift();
      if ("error" in next) {
        this.#given.unshift("end");
        throw next.error;
      }
      return { done: false, value: next.value };
    }
  }

  return(): Promise<IteratorReturnResult<undefined>> {
    this.returned++;
    for (const wake of this.#waiting.splice(0)) wake();
    return Promise.resolve({ done: true, value: undefined });
  }
}
