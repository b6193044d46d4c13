import { Code } from "@sluice/protocol";
import type { Clock, Timer } from "@sluice/hub";
import { createStatus, type Status } from "@sluice/rpc";
import { CircuitBreaker, type CircuitBreakerOptions } from "./circuit-breaker.ts";
import type { Caller, HookEvent, HookName, Outcome } from "./hook.ts";

/** An event that is to be answered. */
export interface Job {
  readonly hook: HookName;
  /** The event, made anew for each attempt. */
  readonly event: () => HookEvent;
  /** Milliseconds from now on in which an attempt may begin; after that it fails with what the last one came to. */
  readonly waitMs: number;
  /** Called exactly once, and never before `run` has returned. */
  readonly settle: (outcome: Outcome) => void;
}

/** What a dispatcher needs. */
export interface DispatcherOptions {
  readonly caller: Caller;
  readonly clock: Clock;
  /** Numbers from 0 to 1, for the jitter of pauses. */
  readonly random: () => number;
  /** Milliseconds that one attempt may take. */
  readonly deadlineMs: number;
  /** Events under way at the same time. */
  readonly concurrency: number;
  readonly breaker: CircuitBreakerOptions;
  /** Told when the backend is taken for being away, and when it is back. */
  readonly breakerChanged: (isAway: boolean) => void;
  /** Called before a call is let through to see whether the backend is back. */
  readonly wake: () => void;
}

/** A job between two attempts, or before its first. */
interface Waiting {
  readonly job: Job;
  readonly expiresAt: number;
  attempts: number;
  failure: Status | undefined;
  /** Whether no attempt so far can have been looked at. */
  isUnprocessed: boolean;
  /** Ends the wait: with another attempt where it rests, or with its failure. */
  timer: Timer | undefined;
}

/** Milliseconds before the second attempt, and the most before any. */
const firstPauseMs = 100;
const longestPauseMs = 5_000;

const closing = createStatus(Code.UNAVAILABLE, "the gateway is shutting down");

/**
 * Gives events to the backend: not more than `concurrency` at a time, none while the circuit breaker is open, and again
 * where that is safe. The others wait in turn, each no longer than it may.
 */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #breaker: CircuitBreaker;
  /** In the order in which they came. */
  readonly #waiting = new Set<Waiting>();
  /** Pausing before the next attempt. */
  readonly #resting = new Set<Waiting>();
  #inFlight = 0;
  #isAway = false;
  #isClosed = false;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#breaker = new CircuitBreaker(options.breaker, options.clock, () => this.#breakerChanged());
  }

  /** Events that the backend has been given and has not answered. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Events that wait to be given to the backend. */
  get waiting(): number {
    return this.#waiting.size + this.#resting.size;
  }

  get breaker(): Pick<CircuitBreaker, "state" | "opened" | "probe"> {
    return this.#breaker;
  }

  /** Gives an event to the backend, now or when its turn comes. */
  run(job: Job): void {
    const expiresAt = this.#options.clock.now() + job.waitMs;
    const waiting: Waiting = {
      job,
      expiresAt,
      attempts: 0,
      failure: undefined,
      isUnprocessed: true,
      timer: undefined,
    };
    if (this.#isClosed) process.nextTick(() => job.settle({ failure: closing }));
    else if (this.#waiting.size === 0 && this.#hasRoom) this.#attempt(waiting);
    else this.#wait(waiting);
  }

  /** Ends everything with UNAVAILABLE. */
  close(): void {
    this.#isClosed = true;
    this.#breaker.stop();
    for (const waiting of [...this.#waiting, ...this.#resting]) this.#fail(waiting, closing);
    this.#options.caller.close();
  }

  get #hasRoom(): boolean {
    return this.#inFlight < this.#options.concurrency && this.#breaker.allows;
  }

  #pump(): void {
    for (const waiting of this.#waiting) {
      if (!this.#hasRoom) return;
      this.#forget(waiting);
      this.#attempt(waiting);
    }
  }

  #attempt(waiting: Waiting): void {
    const { caller, deadlineMs } = this.#options;
    waiting.attempts++;
    this.#inFlight++;
    const learn = this.#breaker.begin();
    const over = (outcome: Outcome): void => {
      this.#inFlight--;
      learn(!isAway(outcome.failure));
      this.#attempted(waiting, outcome);
      this.#pump();
    };
    try {
      caller.call(waiting.job.event(), deadlineMs, over);
    } catch (cause) {
      const message = "the event cannot be told to the backend";
      const failure: Status = { code: Code.INTERNAL, message, cause, isUnprocessed: true };
      process.nextTick(over, { failure });
    }
  }

  #attempted(waiting: Waiting, outcome: Outcome): void {
    const { failure } = outcome;
    if (failure === undefined) return waiting.job.settle(outcome);
    waiting.failure = failure;
    waiting.isUnprocessed &&= failure.isUnprocessed === true;
    if (this.#isClosed || !mayRepeat(waiting.job.hook, failure)) this.#fail(waiting, failure);
    else this.#rest(waiting);
  }

  /** Waits for its turn. */
  #wait(waiting: Waiting): void {
    const { clock } = this.#options;
    const left = waiting.expiresAt - clock.now();
    if (left <= 0 && waiting.attempts > 0) return this.#fail(waiting, waiting.failure ?? outOfTime);
    this.#waiting.add(waiting);
    waiting.timer = clock.after(Math.max(0, left), () => this.#fail(waiting, waiting.failure ?? outOfTime));
  }

  /** Pauses before it waits for its turn again, so that a backend that has just failed is not asked in a row. */
  #rest(waiting: Waiting): void {
    const { clock, random } = this.#options;
    const left = waiting.expiresAt - clock.now();
    if (left <= 0) return this.#fail(waiting, waiting.failure ?? outOfTime);
    const pause =
      Math.min(longestPauseMs, firstPauseMs * 2 ** (waiting.attempts - 1)) * (0.8 + 0.4 * random());
    this.#resting.add(waiting);
    waiting.timer = clock.after(Math.min(pause, left), () => {
      this.#forget(waiting);
      this.#wait(waiting);
      this.#pump();
    });
  }

  #forget(waiting: Waiting): void {
    waiting.timer?.cancel();
    waiting.timer = undefined;
    this.#waiting.delete(waiting);
    this.#resting.delete(waiting);
  }

  #fail(waiting: Waiting, failure: Status): void {
    this.#forget(waiting);
    const { isUnprocessed: _ofLastAttempt, ...rest } = failure;
    waiting.job.settle({ failure: waiting.isUnprocessed ? { ...rest, isUnprocessed: true } : rest });
  }

  #breakerChanged(): void {
    const isAwayNow = this.#breaker.state !== "closed";
    if (isAwayNow !== this.#isAway) {
      this.#isAway = isAwayNow;
      this.#options.breakerChanged(isAwayNow);
    }
    if (this.#breaker.state === "half-open") this.#options.wake();
    this.#pump();
  }
}

const outOfTime = createStatus(Code.UNAVAILABLE, "the backend of sessions has too much to do, or is away");

/** Whether an outcome says that the backend is away, and not what it thinks of one event. */
function isAway(failure: Status | undefined): boolean {
  return failure?.code === Code.UNAVAILABLE || failure?.code === Code.DEADLINE_EXCEEDED;
}

/** What of a Disconnect may mend itself: it has all the time. */
const passing: ReadonlySet<number> = new Set([
  Code.UNAVAILABLE,
  Code.DEADLINE_EXCEEDED,
  Code.RESOURCE_EXHAUSTED,
  Code.ABORTED,
]);

/** Whether another attempt is safe, and may help. */
function mayRepeat(hook: HookName, failure: Status): boolean {
  if (hook === "disconnect") return passing.has(failure.code);
  if (failure.code !== Code.UNAVAILABLE) return false;
  return hook !== "message" || failure.isUnprocessed === true;
}
