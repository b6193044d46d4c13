import { Code } from "@sluice/protocol";
import type { Clock, Timer } from "@sluice/hub";
import { createStatus } from "@sluice/rpc";
import type { Dispatcher } from "./dispatcher.ts";
import type { HookEvent, Outcome } from "./hook.ts";
import type { DisconnectOptions } from "./options.ts";

interface Waiting {
  readonly event: () => HookEvent;
  readonly giveUpAt: number;
  readonly settle: (outcome: Outcome) => void;
}

/** Disconnects that the dispatcher has at the same time: they must not take the place of all messages. */
const usualAtOnce = 32;

/**
 * Tells Disconnects at a pace that a backend which has just come back can bear, and keeps those that wait, up to a bound.
 */
export class DisconnectQueue {
  readonly #dispatcher: Dispatcher;
  readonly #options: Required<DisconnectOptions>;
  readonly #clock: Clock;
  #waiting: Waiting[] = [];
  #running = 0;
  #mostAtOnce = usualAtOnce;
  #perSecond: number;
  #tokens: number;
  #refilledAt: number;
  #timer: Timer | undefined;

  constructor(dispatcher: Dispatcher, options: Required<DisconnectOptions>, clock: Clock) {
    this.#dispatcher = dispatcher;
    this.#options = options;
    this.#clock = clock;
    this.#perSecond = options.perSecond;
    this.#tokens = Math.max(1, options.perSecond);
    this.#refilledAt = clock.now();
  }

  /** Disconnects that have not been answered. */
  get size(): number {
    return this.#waiting.length + this.#running;
  }

  /** Tells a Disconnect when its turn comes; `settle` is called exactly once, and not before `add` has returned. */
  add(event: () => HookEvent, settle: (outcome: Outcome) => void): void {
    const { maxWaiting, giveUpMs } = this.#options;
    if (this.#waiting.length >= maxWaiting) {
      const full = `${maxWaiting} Disconnects wait already, which is the maximum`;
      process.nextTick(settle, { failure: createStatus(Code.RESOURCE_EXHAUSTED, full) });
      return;
    }
    this.#waiting.push({ event, giveUpAt: this.#clock.now() + giveUpMs, settle });
    this.#pump();
  }

  /** Leaves all pace to the dispatcher from now on: no message is in the way, and there is little time. */
  hurry(): void {
    this.#mostAtOnce = Number.POSITIVE_INFINITY;
    this.#perSecond = Number.POSITIVE_INFINITY;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#pump();
  }

  /** Ends its timer, and lets the dispatcher have what waits, which is to be closed next. */
  close(): void {
    this.#timer?.cancel();
    for (const waiting of this.#waiting.splice(0)) this.#run(waiting);
  }

  #pump(): void {
    this.#refill();
    let taken = 0;
    while (this.#running < this.#mostAtOnce && this.#tokens >= 1) {
      const waiting = this.#waiting[taken];
      if (waiting === undefined) break;
      taken++;
      this.#tokens--;
      this.#run(waiting);
    }
    this.#waiting.splice(0, taken);
    if (this.#waiting.length > 0 && this.#tokens < 1) this.#wait();
  }

  #run({ event, giveUpAt, settle }: Waiting): void {
    this.#running++;
    const waitMs = Math.max(0, giveUpAt - this.#clock.now());
    this.#dispatcher.run({
      hook: "disconnect",
      event,
      waitMs,
      settle: (outcome) => {
        this.#running--;
        settle(outcome);
        this.#pump();
      },
    });
  }

  #refill(): void {
    const now = this.#clock.now();
    const most = Math.max(1, this.#perSecond);
    const more = ((now - this.#refilledAt) / 1000) * this.#perSecond;
    this.#tokens = most === Number.POSITIVE_INFINITY ? most : Math.min(most, this.#tokens + more);
    this.#refilledAt = now;
  }

  #wait(): void {
    if (this.#timer !== undefined) return;
    const ms = Math.ceil(((1 - this.#tokens) / this.#perSecond) * 1000);
    this.#timer = this.#clock.after(ms, () => {
      this.#timer = undefined;
      this.#pump();
    });
  }
}
