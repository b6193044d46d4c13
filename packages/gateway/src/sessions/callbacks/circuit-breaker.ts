import type { Clock, Timer } from "@sluice/hub";

/** When a backend is taken for being away, and for how long it is left alone then. */
export interface CircuitBreakerOptions {
  /** Failures one after another until it opens. Default: 5. */
  readonly failures?: number;
  /** Milliseconds until one call is let through again, to see. Default: 1,000. */
  readonly openMs?: number;
}

/**
 * - `closed`: calls are made
 * - `open`: none is made
 * - `half-open`: one is made, or has yet to be; what becomes of it decides
 */
type State =
  | { readonly kind: "closed"; failures: number }
  | { readonly kind: "open"; readonly timer: Timer }
  | { readonly kind: "half-open"; isProbing: boolean };

/** Keeps calls away from a backend that does not answer any, and finds out when it does again. */
export class CircuitBreaker {
  readonly #failures: number;
  readonly #openMs: number;
  readonly #clock: Clock;
  readonly #changed: () => void;
  #state: State = { kind: "closed", failures: 0 };
  #opened = 0;

  /** `changed` is called when calls may be made that could not be made before, and when it opens. */
  constructor(options: CircuitBreakerOptions, clock: Clock, changed: () => void) {
    this.#failures = options.failures ?? 5;
    this.#openMs = options.openMs ?? 1_000;
    this.#clock = clock;
    this.#changed = changed;
  }

  get state(): State["kind"] {
    return this.#state.kind;
  }

  /** How often it has opened, except for probes that failed. */
  get opened(): number {
    return this.#opened;
  }

  /** Whether a call may be made now. */
  get allows(): boolean {
    return this.#state.kind === "closed" || (this.#state.kind === "half-open" && !this.#state.isProbing);
  }

  /** A call is made. Answers what its outcome is to be told with; of the calls before it opened, nothing is learned. */
  begin(): (succeeded: boolean) => void {
    const state = this.#state;
    if (state.kind === "half-open") state.isProbing = true;
    return (succeeded) => {
      if (this.#state !== state) return;
      if (state.kind === "closed") this.#learn(state, succeeded);
      else if (succeeded) this.#close();
      else this.#open();
    };
  }

  /** The backend can be reached again, as something else has found out: what waits need not wait longer to see. */
  probe(): void {
    if (this.#state.kind !== "open") return;
    this.#state.timer.cancel();
    this.#halfOpen();
  }

  /** Ends its timer; it stays as it is. */
  stop(): void {
    if (this.#state.kind === "open") this.#state.timer.cancel();
  }

  #learn(state: { failures: number }, succeeded: boolean): void {
    state.failures = succeeded ? 0 : state.failures + 1;
    if (state.failures < this.#failures) return;
    this.#opened++;
    this.#open();
  }

  #open(): void {
    const timer = this.#clock.after(this.#openMs, () => this.#halfOpen());
    this.#state = { kind: "open", timer };
    this.#changed();
  }

  #halfOpen(): void {
    this.#state = { kind: "half-open", isProbing: false };
    this.#changed();
  }

  #close(): void {
    this.#state = { kind: "closed", failures: 0 };
    this.#changed();
  }
}
