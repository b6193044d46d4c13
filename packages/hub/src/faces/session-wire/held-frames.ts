import type { Drop } from "../../drop.ts";
import { SessionFrame } from "./session-frame.ts";

/**
 * Keeps what a client is told in order while it waits for the answer to a `join`: the first delivery of that room waits
 * for the answer, and everything behind it too, because clients count their deliveries.
 */
export class HeldFrames {
  /** Bytes of the frames that wait. */
  bytes = 0;
  readonly #joining = new Set<string>();
  #waiting: (SessionFrame | Drop)[] = [];

  /** Whether nothing waits. */
  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** Whether nothing waits, and no `join` is to be answered. */
  get isIdle(): boolean {
    return this.isEmpty && this.#joining.size === 0;
  }

  /** A `join` is to be answered. */
  joining(room: string): void {
    this.#joining.add(room);
  }

  /** Whether something has to wait; then it does. */
  holds(each: SessionFrame | Drop): boolean {
    if (this.#waiting.length === 0 && !this.#joining.has(each.room)) return false;
    this.#waiting.push(each);
    if (each instanceof SessionFrame) this.bytes += each.bytes;
    return true;
  }

  /** The `join` is answered: gives what need not wait any more to `release`, in its order. */
  answered(room: string, release: (each: SessionFrame | Drop) => void): void {
    this.#joining.delete(room);
    const stop = this.#waiting.findIndex((each) => this.#joining.has(each.room));
    this.#release(stop < 0 ? this.#waiting.length : stop, release);
  }

  /** Nothing waits any more, whatever is answered. */
  releaseAll(release: (each: SessionFrame | Drop) => void): void {
    this.#joining.clear();
    this.#release(this.#waiting.length, release);
  }

  #release(count: number, release: (each: SessionFrame | Drop) => void): void {
    const waiting = this.#waiting;
    this.#waiting = waiting.slice(count);
    for (const each of waiting.slice(0, count)) {
      if (each instanceof SessionFrame) this.bytes -= each.bytes;
      release(each);
    }
  }
}
