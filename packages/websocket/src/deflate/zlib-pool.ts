/**
 * Bounds how many large messages zlib works on at the same time, for however many connections. zlib shares Node's
 * threads with the file system and the resolver of names; more work at once only costs memory.
 */
export class ZlibPool {
  readonly #concurrency: number;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  /** `concurrency` is 4 by default, as many as Node has threads. */
  constructor(concurrency = 4) {
    if (!(concurrency >= 1)) throw new RangeError(`a pool of ${concurrency}: it must be at least 1`);
    this.#concurrency = concurrency;
  }

  /** Calls when it is a job's turn. The job calls `done()` once at its end. */
  enter(job: () => void): void {
    if (this.#running < this.#concurrency) {
      this.#running++;
      job();
    } else {
      this.#waiting.push(job);
    }
  }

  /** Ends a job that had its turn. */
  done(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#running--;
    else next();
  }
}

/** The pool of those who name none. */
export const sharedPool: ZlibPool = new ZlibPool();
