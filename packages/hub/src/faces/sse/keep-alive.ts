import type { Clock, Timer } from "../../clock.ts";

/** What is asked to say something when it has been silent. */
interface Silent {
  /** Called once in every turn. */
  keepAlive(): void;
}

/** One timer that lets any number of streams show that they live. */
export class KeepAlive {
  readonly #clock: Clock;
  readonly #turnMs: number;
  readonly #streams = new Set<Silent>();
  #timer: Timer | undefined;

  /** Each stream has its turn every `turnMs` milliseconds. */
  constructor(clock: Clock, turnMs: number) {
    this.#clock = clock;
    this.#turnMs = turnMs;
  }

  get size(): number {
    return this.#streams.size;
  }

  add(stream: Silent): void {
    this.#streams.add(stream);
    this.#timer ??= this.#wait();
  }

  delete(stream: Silent): void {
    this.#streams.delete(stream);
    if (this.#streams.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #wait(): Timer {
    return this.#clock.after(this.#turnMs, () => {
      this.#timer = this.#wait();
      for (const stream of this.#streams) stream.keepAlive();
    });
  }
}
