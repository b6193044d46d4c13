import { Code, nameOfCode } from "@sluice/protocol";
import {
  createDirectory,
  createStatus,
  RestRoutes,
  RpcError,
  type Backend,
  type Directory,
  type RestOptions,
  type Schema,
  type Status,
} from "@sluice/rpc";
import type { Logger } from "./log.ts";

/** The longest pause between two attempts to get the schema, in milliseconds. */
const longestPause = 5_000;

type State =
  | { readonly kind: "loading"; readonly status: Status; retry?: NodeJS.Timeout }
  | {
      readonly kind: "ready";
      readonly schema: Schema;
      readonly routes: RestRoutes;
      readonly directory: Directory;
    }
  | { readonly kind: "closed" };

/** What an upstream is made of. */
export interface UpstreamOptions {
  /** For people: `localhost:50051`. */
  readonly name: string;
  readonly backend: Backend;
  readonly loadSchema: () => Promise<Schema>;
  /**
   * Follows the schema from the one that is known: tells another one, and why it could not be had. What it answers
   * ends that. Default: the schema stays as it is.
   */
  readonly follow?:
    | ((
        schema: Schema,
        onSchema: (schema: Schema) => void,
        onFailure: (error: unknown) => void,
      ) => { close(): void })
    | undefined;
  readonly rest: RestOptions;
  readonly log: Logger;
}

/**
 * A backend together with its schema. While the backend cannot be asked for its schema, the upstream keeps
 * trying, and its routes are the status that says why.
 */
export class Upstream {
  readonly #options: UpstreamOptions;
  #state: State;
  readonly #listeners = new Set<() => void>();
  #watch: { close(): void } | undefined;
  #attempts = 0;

  constructor(options: UpstreamOptions) {
    this.#options = options;
    const status = createStatus(Code.UNAVAILABLE, `the schema of ${options.name} is being loaded`);
    this.#state = { kind: "loading", status };
  }

  /**
   * Loads the schema. Resolves after the first attempt, also when the backend could not be reached, because
   * that may mend itself. Rejects with what will not: a file that is wrong, a server without reflection.
   */
  async start(): Promise<void> {
    try {
      this.#begin(await this.#options.loadSchema());
    } catch (error) {
      if (!(error instanceof RpcError) || error.code !== "reflection_unavailable") throw error;
      this.#failed(error);
    }
  }

  /** The routes, or why there are none yet. */
  routes(): RestRoutes | Status {
    return this.#state.kind === "ready" ? this.#state.routes : this.#reason(this.#state);
  }

  /** The schema, once it is known. */
  schema(): Schema | undefined {
    return this.#state.kind === "ready" ? this.#state.schema : undefined;
  }

  /** Calls `listener` after each change of the schema; the function that it returns ends that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The methods by their path, or why there are none yet. */
  methods(): Directory | Status {
    return this.#state.kind === "ready" ? this.#state.directory : this.#reason(this.#state);
  }

  /** Ends the attempts and the backend's connections; running calls may take `graceMs` milliseconds. */
  async close(graceMs: number): Promise<void> {
    if (this.#state.kind === "loading") clearTimeout(this.#state.retry);
    this.#watch?.close();
    this.#state = { kind: "closed" };
    for (const listener of this.#listeners) listener();
    await this.#options.backend.close(graceMs);
  }

  #reason(state: Exclude<State, { kind: "ready" }>): Status {
    if (state.kind === "loading") return state.status;
    return createStatus(Code.UNAVAILABLE, "the gateway is shutting down");
  }

  async #retry(): Promise<void> {
    try {
      const schema = await this.#options.loadSchema();
      if (this.#state.kind === "loading") this.#begin(schema);
    } catch (error) {
      if (this.#state.kind === "loading") this.#failed(error);
    }
  }

  #begin(schema: Schema): void {
    const { follow, log, name } = this.#options;
    this.#ready(schema);
    this.#watch = follow?.(
      schema,
      (next) => this.#ready(next),
      (error) =>
        log.warn(
          `${name}: the schema may be old (${error instanceof Error ? error.message : String(error)})`,
        ),
    );
  }

  #ready(schema: Schema): void {
    const { name, backend, rest, log } = this.#options;
    const routes = new RestRoutes(schema, backend, rest);
    for (const problem of routes.problems) log.warn(`an HTTP rule is left out: ${problem.message}`);
    this.#state = { kind: "ready", schema, routes, directory: createDirectory(schema, backend, rest) };
    for (const listener of this.#listeners) listener();
    if (schema.methods.size === 0) log.warn(`${name}: the schema has no methods, so nothing can be called`);
    else log.info(`${name}: ${schema.methods.size} methods`);
  }

  #failed(error: unknown): void {
    const { name, log } = this.#options;
    const reason = error instanceof Error ? error.message : String(error);
    // The first failure and then every tenth: the reason stays the same for long.
    if (this.#attempts % 10 === 0) log.warn(`${name} gives no schema (${reason}); trying again`);
    const pause = Math.min(longestPause, 250 * 2 ** Math.min(this.#attempts, 10));
    this.#attempts++;
    const retry = setTimeout(() => void this.#retry(), pause);
    this.#state = { kind: "loading", status: createStatus(Code.UNAVAILABLE, reason), retry };
  }
}

/** The level at which a call's end is logged: failures of the system loud, those of the client quiet. */
export function levelOfStatus(code: number): "debug" | "info" | "warn" {
  switch (nameOfCode(code)) {
    case "OK":
      return "debug";
    case "UNKNOWN":
    case "INTERNAL":
    case "UNAVAILABLE":
    case "DATA_LOSS":
    case "DEADLINE_EXCEEDED":
      return "warn";
    default:
      return "info";
  }
}
