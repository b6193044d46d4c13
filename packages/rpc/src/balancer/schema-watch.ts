import { backoffDelay } from "../backend/backoff.ts";
import { systemClock, type Clock, type Timer } from "../backend/clock.ts";
import type { Backend } from "../call/call.ts";
import type { Schema } from "../schema/schema.ts";

/** How a schema is followed. */
export interface SchemaWatchOptions {
  /** What is asked when nothing has happened. */
  readonly backend: Backend;
  /** Asks a backend for its schema, as `reflectSchema` does. */
  readonly load: (backend: Backend) => Promise<Schema>;
  /** The schema that is known already. Default: none, so that the first one is told too. */
  readonly schema?: Schema;
  /**
   * Calls its listener when a server is connected, which may be another program than before; as
   * `BalancedBackend.onConnected` does. The function that it returns ends that.
   */
  readonly onConnected?: (listener: (server: Backend) => void) => () => void;
  /** Told of a schema that is another than the one before. */
  readonly onSchema: (schema: Schema, before: Schema | undefined) => void;
  /** Told when the schema could not be had; the one before holds, and it is tried again. */
  readonly onFailure: (error: unknown) => void;
  /** Milliseconds after which the schema is asked for in any case, ±20 %. 0: never. Default: 300 000. */
  readonly intervalMs?: number;
  /**
   * Milliseconds from a connection until the question; all servers that connect meanwhile are one question, to
   * the last of them. Default: 250.
   */
  readonly settleMs?: number;
  /** Time, for tests. Default: that of the machine. */
  readonly clock?: Clock;
  /** Numbers from 0 to 1 for the jitter, for tests. Default: `Math.random`. */
  readonly random?: () => number;
}

/** A schema that is followed. */
export interface SchemaWatch {
  /** The last schema that was had. */
  readonly schema: Schema | undefined;
  /** Asks now. */
  check(): void;
  /** Asks no more; what is under way is not told. */
  close(): void;
}

type State =
  | { readonly kind: "resting"; readonly timer: Timer | undefined }
  /** `next` is who has connected since the question; undefined: nobody. */
  | { readonly kind: "loading"; next: Backend | undefined }
  | { readonly kind: "closed" };

class Watch implements SchemaWatch {
  readonly #options: SchemaWatchOptions;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #unsubscribe: (() => void) | undefined;
  #schema: Schema | undefined;
  #state: State;
  #failures = 0;

  constructor(options: SchemaWatchOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#schema = options.schema;
    this.#state = { kind: "resting", timer: this.#pause() };
    this.#unsubscribe = options.onConnected?.((server) => this.#connected(server));
  }

  get schema(): Schema | undefined {
    return this.#schema;
  }

  check(): void {
    this.#ask(this.#options.backend, 0);
  }

  close(): void {
    if (this.#state.kind === "resting") this.#state.timer?.cancel();
    this.#state = { kind: "closed" };
    this.#unsubscribe?.();
  }

  #connected(server: Backend): void {
    this.#ask(server, this.#options.settleMs ?? 250);
  }

  #ask(backend: Backend, ms: number): void {
    if (this.#state.kind === "closed") return;
    if (this.#state.kind === "loading") {
      this.#state.next = backend;
      return;
    }
    this.#state.timer?.cancel();
    if (ms <= 0) void this.#load(backend);
    else this.#state = { kind: "resting", timer: this.#clock.after(ms, () => void this.#load(backend)) };
  }

  async #load(backend: Backend): Promise<void> {
    const state: State = { kind: "loading", next: undefined };
    this.#state = state;
    let result: { readonly schema: Schema } | { readonly error: unknown };
    try {
      result = { schema: await this.#options.load(backend) };
    } catch (error) {
      result = { error };
    }
    // Closed meanwhile.
    if (this.#state !== state) return;
    this.#failures = "error" in result ? this.#failures + 1 : 0;
    this.#state = { kind: "resting", timer: this.#pause() };
    if (state.next !== undefined) this.#connected(state.next);
    if ("error" in result) this.#options.onFailure(result.error);
    else this.#loaded(result.schema);
  }

  #loaded(schema: Schema): void {
    const before = this.#schema;
    if (before?.fingerprint === schema.fingerprint) return;
    this.#schema = schema;
    this.#options.onSchema(schema, before);
  }

  /** Waits for the next question. */
  #pause(): Timer | undefined {
    const { intervalMs = 300_000, backend } = this.#options;
    const ms =
      this.#failures > 0
        ? backoffDelay(this.#failures, this.#random, { initialMs: 1_000, maxMs: 60_000 })
        : intervalMs * (1 + 0.2 * (2 * this.#random() - 1));
    return ms > 0 ? this.#clock.after(ms, () => void this.#load(backend)) : undefined;
  }
}

/**
 * Follows the schema of a backend, so that a new version of its server is noticed: asks when a server has
 * connected and from time to time, and tells only what differs, by `Schema.fingerprint`. While old and new servers
 * stand side by side, the schema is that of the one that was asked last.
 */
export function watchSchema(options: SchemaWatchOptions): SchemaWatch {
  return new Watch(options);
}
