import { WebSocketError } from "./error.ts";

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: WebSocketError) => void;
}

/** Those who wait for room to send. */
export class Room {
  #waiters: Waiter[] = [];

  /** Waits for `open()`; rejected at `close()`. */
  wait(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
    });
  }

  /** There is room. */
  open(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const { resolve } of waiters) resolve();
  }

  /** There will be none any more. */
  close(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const { reject } of waiters) reject(noRoom());
  }
}

/** Why there is nothing to wait for on a connection that has ended. */
export function noRoom(): WebSocketError {
  return new WebSocketError("connection_lost", "the connection is not open any more: nothing can be sent");
}
