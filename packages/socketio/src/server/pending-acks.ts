import type { Clock, Timer } from "@sluice/websocket";
import { SocketIoError } from "../error.ts";
import type { AnyListener } from "./typed-events.ts";

/** Who waits for an answer: `failed` is told that none will come, and is absent where nobody could be told. */
export interface AckWaiter {
  readonly answered: AnyListener;
  readonly failed: ((error: Error) => void) | undefined;
}

/** What the pending answers of all sockets share. */
export interface AckHost {
  readonly clock: Clock;
  readonly limits: { readonly pendingAcks: number };
  readonly counts: { acksTimedOut: number };
}

interface PendingAck extends AckWaiter {
  readonly timer: Timer | undefined;
  /** Whether it is a part of the answer to a broadcast. */
  readonly isPart: boolean;
}

/**
 * The answers that one client was asked for: each comes once, or fails after its time or when the client leaves. Adapters
 * use it as the map of functions that it is in the package socket.io: `set`, `get`, `has`, `delete`, `size`.
 */
export class PendingAcks {
  readonly #host: AckHost;
  readonly #pending = new Map<number, PendingAck>();

  constructor(host: AckHost) {
    this.#host = host;
  }

  /** How many answers are still to come. */
  get size(): number {
    return this.#pending.size;
  }

  /** Whether an answer is still to come. */
  has(id: number): boolean {
    return this.#pending.has(id);
  }

  /** Who is told of an answer. */
  get(id: number): AnyListener | undefined {
    return this.#pending.get(id)?.answered;
  }

  /**
   * Waits for one client's part of the answer to a broadcast. Over `limits.pendingAcks` the oldest such part is waited for no
   * more: another server that asked may have given up, and does not say so.
   */
  set(id: number, answered: AnyListener): this {
    if (this.#hasRoom()) {
      this.#pending.set(id, { answered, failed: undefined, timer: undefined, isPart: true });
    }
    return this;
  }

  /** Waits no more. Answers whether it was waited for. */
  delete(id: number): boolean {
    return this.#take(id) !== undefined;
  }

  /**
   * Waits for an answer, at most so many milliseconds where given. Answers `limit_exceeded` where `limits.pendingAcks` are
   * waited for already: then the event is not to be sent.
   */
  ask(
    id: number,
    { answered, failed }: AckWaiter,
    milliseconds: number | undefined,
  ): SocketIoError | undefined {
    if (!this.#hasRoom()) {
      const { pendingAcks } = this.#host.limits;
      const message = `the event was not sent: ${pendingAcks} acknowledgements of this client are pending (limits.pendingAcks)`;
      return new SocketIoError("limit_exceeded", message);
    }
    const timer =
      milliseconds === undefined ? undefined : this.#host.clock.after(milliseconds, () => this.#timedOut(id));
    this.#pending.set(id, { answered, failed, timer, isPart: false });
    return undefined;
  }

  /** An answer came. One that nobody waits for is ignored; it may have come too late. */
  answer(id: number, args: readonly unknown[], receiver: unknown): void {
    this.#take(id)?.answered.apply(receiver, args as unknown[]);
  }

  /** No answer comes any more. Whoever is told is told in a tick of its own. */
  failAll(error: Error): void {
    for (const id of this.#pending.keys()) {
      const failed = this.#take(id)?.failed;
      if (failed !== undefined) process.nextTick(failed, error);
    }
  }

  /** Parts of answers to broadcasts give way. */
  #hasRoom(): boolean {
    if (this.#pending.size < this.#host.limits.pendingAcks) return true;
    for (const [id, { isPart }] of this.#pending) if (isPart) return this.delete(id);
    return false;
  }

  #timedOut(id: number): void {
    this.#host.counts.acksTimedOut++;
    this.#take(id)?.failed?.(new Error("operation has timed out"));
  }

  #take(id: number): PendingAck | undefined {
    const pending = this.#pending.get(id);
    if (pending === undefined) return undefined;
    this.#pending.delete(id);
    pending.timer?.cancel();
    return pending;
  }
}
