import type { Timer } from "./clock.ts";
import type { ResolvedOptions } from "./options.ts";

/** The connection, as its keepalive sees it. */
export interface KeepaliveSubject {
  /** All bytes that have ever arrived. */
  bytesRead(): number;
  /** Whether a call waits for an answer. */
  isBusy(): boolean;
  /** Sends a PING. */
  ping(answered: () => void): void;
  /** The peer did not answer. */
  lost(reason: string): void;
}

/** Sends a PING on a connection that has calls and is silent, and gives it up without an answer. */
export class Keepalive {
  readonly #subject: KeepaliveSubject;
  readonly #options: Pick<ResolvedOptions, "clock" | "keepalive">;
  #seen: number;
  #timer: Timer | undefined;

  constructor(options: Pick<ResolvedOptions, "clock" | "keepalive">, subject: KeepaliveSubject) {
    this.#options = options;
    this.#subject = subject;
    this.#seen = subject.bytesRead();
    if (options.keepalive.intervalMs > 0) this.#wait();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #wait(): void {
    this.#timer = this.#options.clock.after(this.#options.keepalive.intervalMs, () => this.#look());
  }

  #look(): void {
    const seen = this.#subject.bytesRead();
    const silent = seen === this.#seen;
    this.#seen = seen;
    if (!silent || !this.#subject.isBusy()) return this.#wait();

    const { timeoutMs } = this.#options.keepalive;
    this.#timer = this.#options.clock.after(timeoutMs, () => {
      this.#timer = undefined;
      this.#subject.lost(`the backend did not answer a keepalive ping within ${timeoutMs} ms`);
    });
    this.#subject.ping(() => {
      if (this.#timer === undefined) return;
      this.#timer.cancel();
      this.#wait();
    });
  }
}
