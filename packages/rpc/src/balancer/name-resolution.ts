import { lookup } from "node:dns/promises";
import { backoffDelay } from "../backend/backoff.ts";
import type { Clock, Timer } from "../backend/clock.ts";

/** Answers the IP addresses of a host name, in any order; rejects when it cannot. */
export type Resolver = (host: string) => Promise<readonly string[]>;

/** How a name is kept up to date. */
export interface ResolutionOptions {
  /** Default: `systemResolver`. */
  readonly resolver?: Resolver;
  /** Milliseconds until the name is asked for again, ±20 %. Default: 30 000. */
  readonly intervalMs?: number;
  /** The least milliseconds between two questions, however many connections are lost. Default: 5 000. */
  readonly minPauseMs?: number;
}

/**
 * The resolver of the operating system, with all IPv4 and IPv6 addresses: it knows /etc/hosts and the search
 * domains of a cluster, which a question to a DNS server alone would not.
 */
export const systemResolver: Resolver = async (host) =>
  (await lookup(host, { all: true })).map(({ address }) => address);

/** What a resolution tells. */
export interface ResolutionListener {
  /** At least one address, each once. */
  resolved(addresses: readonly string[]): void;
  /** The name could not be resolved; what was known before holds. */
  failed(reason: string): void;
}

type State =
  | { readonly kind: "at rest" | "stopped" }
  | { readonly kind: "resolving"; isAskedAgain: boolean }
  | { readonly kind: "waiting"; readonly timer: Timer; readonly at: number };

const jitter = 0.2;

/** Keeps asking for the addresses of one name. */
export class NameResolution {
  readonly #host: string;
  readonly #options: ResolutionOptions;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #listener: ResolutionListener;
  #state: State = { kind: "at rest" };
  #failures = 0;
  #askedAt = Number.NEGATIVE_INFINITY;

  constructor(
    host: string,
    options: ResolutionOptions,
    clock: Clock,
    random: () => number,
    listener: ResolutionListener,
  ) {
    this.#host = host;
    this.#options = options;
    this.#clock = clock;
    this.#random = random;
    this.#listener = listener;
  }

  /** Asks now for the first time; does nothing afterwards. */
  start(): void {
    if (this.#state.kind === "at rest") void this.#resolve();
  }

  /** There is a reason to think that the addresses are others: asks as soon as the pause allows. */
  refresh(): void {
    const state = this.#state;
    if (state.kind === "resolving") state.isAskedAgain = true;
    else if (state.kind === "waiting") {
      const earliest = this.#earliest();
      if (earliest >= state.at) return;
      state.timer.cancel();
      this.#wait(Math.max(0, earliest - this.#clock.now()));
    }
  }

  stop(): void {
    if (this.#state.kind === "waiting") this.#state.timer.cancel();
    this.#state = { kind: "stopped" };
  }

  async #resolve(): Promise<void> {
    const state: State = { kind: "resolving", isAskedAgain: false };
    this.#state = state;
    this.#askedAt = this.#clock.now();
    let answer: ReadonlySet<string> | string;
    try {
      answer = new Set(await (this.#options.resolver ?? systemResolver)(this.#host));
      if (answer.size === 0) answer = "it has no address";
    } catch (error) {
      answer = error instanceof Error ? error.message : String(error);
    }
    if (this.#state !== state) return;
    const isFailed = typeof answer === "string";
    this.#failures = isFailed ? this.#failures + 1 : 0;
    const now = this.#clock.now();
    const pause = state.isAskedAgain ? this.#earliest() - now : this.#pause();
    this.#wait(Math.max(this.#earliest() - now, pause));
    if (typeof answer === "string")
      this.#listener.failed(`the name ${this.#host} is not resolved: ${answer}`);
    else this.#listener.resolved([...answer]);
  }

  #wait(ms: number): void {
    const at = this.#clock.now() + ms;
    this.#state = { kind: "waiting", timer: this.#clock.after(ms, () => void this.#resolve()), at };
  }

  #pause(): number {
    const { intervalMs = 30_000 } = this.#options;
    if (this.#failures === 0) return intervalMs * (1 + jitter * (2 * this.#random() - 1));
    return backoffDelay(this.#failures, this.#random, { initialMs: 1_000, maxMs: intervalMs, jitter });
  }

  #earliest(): number {
    return this.#askedAt + (this.#options.minPauseMs ?? 5_000);
  }
}
