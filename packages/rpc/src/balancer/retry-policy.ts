import { Code } from "@sluice/protocol";
import { backoffDelay } from "../backend/backoff.ts";
import type { Metadata } from "../call/metadata.ts";
import type { Status } from "../call/status.ts";
import type { Method } from "../schema/method.ts";
import { RetryBudget } from "./retry-budget.ts";

/**
 * Which calls are tried again on another address, and how often. A call is, when it ended with UNAVAILABLE
 * before anything of an answer was heard, and its request is still there to be sent again. The one reply of a
 * unary or client-streaming method is heard when its status is there, all at once.
 *
 * A connection that is lost does not tell how far the server had got. So a method may run twice; leave those
 * out with `when` that must not. What a server says not to have looked at is always sent again, without this.
 * Source: https://github.com/grpc/proposal/blob/master/A6-client-retries.md
 */
export interface RetryOptions {
  /** How often a call is tried, the first time among it. Default: 3. */
  readonly maxAttempts?: number;
  /** Whether calls of a method may be tried again. Default: those of all methods. */
  readonly when?: (method: Method) => boolean;
  /** The most bytes of request messages that a call keeps to send them again. Default: 64 KiB. */
  readonly bufferBytes?: number;
  /** Milliseconds before the second attempt. Default: 25. */
  readonly initialMs?: number;
  /** By what the pause grows with each attempt. Default: 2. */
  readonly factor?: number;
  /** The longest pause in milliseconds, before jitter. Default: 1 000. */
  readonly maxMs?: number;
  /** The part of the pause that is random, in both directions, from 0 to 1. Default: 0.5. */
  readonly jitter?: number;
  /**
   * The longest pause in milliseconds that a server may ask for with `grpc-retry-pushback-ms`; when it asks for
   * more, the call is not tried again. Default: 10 000.
   */
  readonly maxPushbackMs?: number;
  /**
   * How large the budget is that all calls share: half of it may be spent at once. Default: 1 000, so that a
   * lost connection with 500 calls on it costs none of them.
   */
  readonly budgetTokens?: number;
  /** What a call that goes well puts back into the budget, where each UNAVAILABLE takes 1. Default: 0.1. */
  readonly budgetRatio?: number;
}

/** Decides whether a failed attempt is followed by another. */
export class RetryPolicy {
  readonly bufferBytes: number;
  readonly #options: RetryOptions | undefined;
  readonly #random: () => number;
  readonly #budget: RetryBudget;
  #retries = 0;
  #refused = 0;

  /** Without options, nothing is ever tried again. */
  constructor(options: RetryOptions | undefined, random: () => number) {
    this.#options = options;
    this.#random = random;
    this.bufferBytes = options?.bufferBytes ?? 64 * 1024;
    this.#budget = new RetryBudget(options?.budgetTokens ?? 1_000, options?.budgetRatio ?? 0.1);
  }

  /** Attempts beyond the first of a call. */
  get retries(): number {
    return this.#retries;
  }

  /** Calls that were not tried again only because the budget was spent. */
  get refused(): number {
    return this.#refused;
  }

  /** Whether a call of this method may ever be tried again, so that its request has to be kept. */
  covers(method: Method): boolean {
    const options = this.#options;
    if (options === undefined || (options.maxAttempts ?? 3) < 2) return false;
    return options.when?.(method) ?? true;
  }

  /** Counts the end of an attempt towards the budget. */
  account({ code }: Status): void {
    if (code === Code.OK) this.#budget.succeeded();
    else if (code === Code.UNAVAILABLE) this.#budget.failed();
  }

  /**
   * Milliseconds until the next attempt, or undefined when there is none. `attempts` is how many there were,
   * `timeLeft` how many milliseconds the call has.
   */
  delay(attempts: number, { code }: Status, trailers: Metadata, timeLeft: number): number | undefined {
    const options = this.#options;
    if (options === undefined || code !== Code.UNAVAILABLE) return undefined;
    if (attempts >= (options.maxAttempts ?? 3)) return undefined;
    const delay = this.#pause(options, attempts, trailers);
    if (delay === undefined || delay >= timeLeft) return undefined;
    if (!this.#budget.allowsRetry) {
      this.#refused++;
      return undefined;
    }
    this.#retries++;
    return delay;
  }

  #pause(options: RetryOptions, attempts: number, trailers: Metadata): number | undefined {
    const pushback = trailers[pushbackName];
    if (pushback !== undefined) return pushbackMs(pushback, options.maxPushbackMs ?? 10_000);
    const { initialMs = 25, factor = 2, maxMs = 1_000, jitter = 0.5 } = options;
    return backoffDelay(attempts, this.#random, { initialMs, factor, maxMs, jitter });
  }
}

/** The trailer in which a server says when to try again. */
const pushbackName = "grpc-retry-pushback-ms";

/** The metadata in which a server reads how many attempts there were before. */
export const previousAttemptsName = "grpc-previous-rpc-attempts";

/** Milliseconds that a server asks for; undefined: it does not want another attempt, or says nothing sensible. */
function pushbackMs(value: string | readonly string[], maxMs: number): number | undefined {
  if (typeof value !== "string" || !/^\d{1,9}$/.test(value)) return undefined;
  const ms = Number(value);
  return ms <= maxMs ? ms : undefined;
}

/** The metadata of an attempt after `attempts` others; what the client itself has counted is added. */
export function withPreviousAttempts(metadata: Metadata, attempts: number): Metadata {
  const given = metadata[previousAttemptsName];
  const before = typeof given === "string" && /^\d{1,9}$/.test(given) ? Number(given) : 0;
  return { ...metadata, [previousAttemptsName]: String(before + attempts) };
}
