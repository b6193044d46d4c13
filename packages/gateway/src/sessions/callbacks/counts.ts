import { hookNames, type HookName } from "./hook.ts";

/** What callbacks have done so far, which only grows, and what they have to do at this moment. */
export interface CallbackCounts {
  /** Events for the backend, by hook; each once, however often it was tried. */
  readonly called: Readonly<Record<HookName, number>>;
  /** Those that were not answered, or with something that cannot be carried out. */
  readonly failed: Readonly<Record<HookName, number>>;
  /** Clients that the backend did not let in. */
  readonly denied: number;
  /** Disconnects that the backend was never told. */
  readonly disconnectsGivenUp: number;
  /** Effects that could not be carried out. */
  readonly effectsFailed: number;
  /** How often the backend was taken for being away. */
  readonly outages: number;
  /** Bytes of messages that wait for backends or are with them, those of packets that are calls among them. */
  readonly queuedBytes: number;
  /** Events that the backend has at this moment. */
  readonly inFlight: number;
  /** Events that wait for it, Disconnects that keep their pace aside. */
  readonly waiting: number;
  /** Disconnects that have not been answered. */
  readonly disconnectsWaiting: number;
  /** Whether calls are made: `open` says that the backend is taken for being away. */
  readonly breaker: "closed" | "open" | "half-open";
}

/** Counts what happens. */
export class CallbackCounters {
  readonly #called = zeros();
  readonly #failed = zeros();
  #denied = 0;
  #givenUp = 0;
  #effects = 0;

  get counts(): Pick<
    CallbackCounts,
    "called" | "failed" | "denied" | "disconnectsGivenUp" | "effectsFailed"
  > {
    return {
      called: { ...this.#called },
      failed: { ...this.#failed },
      denied: this.#denied,
      disconnectsGivenUp: this.#givenUp,
      effectsFailed: this.#effects,
    };
  }

  called(hook: HookName): void {
    this.#called[hook]++;
  }

  failed(hook: HookName): void {
    this.#failed[hook]++;
  }

  denied(): void {
    this.#denied++;
  }

  gaveUp(): void {
    this.#givenUp++;
  }

  effectFailed(): void {
    this.#effects++;
  }
}

function zeros(): Record<HookName, number> {
  return Object.fromEntries(hookNames.map((hook) => [hook, 0])) as Record<HookName, number>;
}
