import type { Clock, Timer } from "./clock.ts";

/** How a side finds out that the network is gone, which a WebSocket alone may not tell for a quarter of an hour. */
export interface KeepaliveOptions {
  readonly clock: Clock;
  /**
   * Milliseconds without anything from the peer, after which a PING is sent. Default 20,000. Looked at in such steps, so at
   * the latest after twice as long.
   */
  readonly intervalMs?: number;
  /** Milliseconds after the PING in which something must come. Default 10,000. Over it: close code 4408. */
  readonly timeoutMs?: number;
}

/** Watches whether a peer lives, with one timer, which receiving does not touch. */
export class Keepalive {
  readonly #options: Required<KeepaliveOptions>;
  readonly #ping: () => void;
  readonly #dead: () => void;
  #timer: Timer | undefined;
  #isHeard = false;

  constructor(options: KeepaliveOptions, ping: () => void, dead: () => void) {
    this.#options = {
      ...options,
      intervalMs: options.intervalMs ?? 20_000,
      timeoutMs: options.timeoutMs ?? 10_000,
    };
    this.#ping = ping;
    this.#dead = dead;
    this.#wait();
  }

  /** Something came from the peer. */
  heard(): void {
    this.#isHeard = true;
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #wait(): void {
    const { clock, intervalMs, timeoutMs } = this.#options;
    this.#isHeard = false;
    this.#timer = clock.after(intervalMs, () => {
      if (this.#isHeard) return this.#wait();
      this.#ping();
      this.#timer = clock.after(timeoutMs, () => (this.#isHeard ? this.#wait() : this.#dead()));
    });
  }
}
