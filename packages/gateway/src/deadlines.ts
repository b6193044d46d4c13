import type { Backend, Call, CallListener, CallStart, Method } from "@sluice/rpc";

/** How long calls to backends may take, beyond what their clients say. */
export interface DeadlineOptions {
  /**
   * Milliseconds that a unary call may take whose client gives no deadline. Streams, which are often meant to last,
   * have none then. Default: none.
   */
  readonly defaultTimeoutMs?: number;
  /** Milliseconds that any call may take at most, whatever its client says. Default: as many as it says. */
  readonly maxTimeoutMs?: number;
  /** What the two are called where they are set; an error names the one that it comes from. Default: the flags. */
  readonly names?: { readonly defaultTimeout: string; readonly maxTimeout: string };
}

const flagNames = { defaultTimeout: "--timeout", maxTimeout: "--max-timeout" };

/** A backend whose calls have these deadlines; the same one, where there are none. */
export function boundDeadlines(backend: Backend, options: DeadlineOptions): Backend {
  if (options.defaultTimeoutMs === undefined && options.maxTimeoutMs === undefined) return backend;
  return new DeadlineBackend(backend, options);
}

class DeadlineBackend implements Backend {
  readonly #backend: Backend;
  readonly #options: DeadlineOptions;

  constructor(backend: Backend, options: DeadlineOptions) {
    this.#backend = backend;
    this.#options = options;
  }

  get acceptEncodings(): ReadonlySet<string> {
    return this.#backend.acceptEncodings ?? new Set();
  }

  shares(method: Method): boolean {
    return this.#backend.shares?.(method) ?? false;
  }

  open(start: CallStart, listener: CallListener): Call {
    const { defaultTimeoutMs, maxTimeoutMs, names = flagNames } = this.#options;
    const isDefault =
      start.timeout === undefined && start.method.kind === "unary" && defaultTimeoutMs !== undefined;
    const timeout = isDefault ? defaultTimeoutMs : start.timeout;
    if (maxTimeoutMs !== undefined && (timeout === undefined || timeout > maxTimeoutMs)) {
      return this.#backend.open(
        { ...start, timeout: maxTimeoutMs, timeoutOrigin: names.maxTimeout },
        listener,
      );
    }
    if (!isDefault) return this.#backend.open(start, listener);
    return this.#backend.open(
      { ...start, timeout: defaultTimeoutMs, timeoutOrigin: names.defaultTimeout },
      listener,
    );
  }

  close(graceMs: number): Promise<void> {
    return this.#backend.close(graceMs);
  }
}
