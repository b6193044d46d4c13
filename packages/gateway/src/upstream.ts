import { Code } from "@sluice/protocol";
import {
  createDirectory,
  createSchemaRoutes,
  createStatus,
  RpcError,
  SharedBackend,
  type Backend,
  type BackendState,
  type Directory,
  type Http2Backend,
  type JsonOptions,
  type Schema,
  type SchemaRoutes,
  type SharedCounts,
  type ShareRules,
  type Status,
} from "@sluice/rpc";
import { boundDeadlines, type DeadlineOptions } from "./deadlines.ts";
import type { Logger } from "./log.ts";

/** The longest pause between two attempts to get the schema, in milliseconds. */
const longestPause = 5_000;

/** What an upstream serves once its schema is known. */
export interface UpstreamServices {
  readonly schema: Schema;
  readonly routes: SchemaRoutes;
  readonly directory: Directory;
}

type State =
  | { readonly kind: "loading"; readonly status: Status; retry?: NodeJS.Timeout }
  | { readonly kind: "ready"; readonly services: UpstreamServices }
  | { readonly kind: "closed" };

/** A backend, and how its schema is had. */
export interface UpstreamOptions {
  /** For people: `localhost:50051`, or `users`. */
  readonly name: string;
  /** One that tells its state is shown by the gateway's health as it is; any other counts as healthy. */
  readonly backend: Backend & Partial<Pick<Http2Backend, "state" | "onState">>;
  /** Rejects with RpcError `reflection_unavailable` where trying again may help. */
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
  /** Whether it is a service of the gateway itself, which says nothing of whether there is a backend. Default: false. */
  readonly isOwn?: boolean;
  /** How long its calls may take. Default: as long as those of the gateway. */
  readonly deadlines?: DeadlineOptions;
  /** Which of its methods are shared. Default: those that the gateway says. */
  readonly share?: ShareRules;
}

/** What all upstreams of a gateway have in common. */
export interface UpstreamSurroundings {
  readonly json: JsonOptions;
  readonly deadlines: DeadlineOptions;
  readonly share: ShareRules;
  readonly log: Logger;
  /** Told of each change of what it serves and of how it is. */
  readonly changed: () => void;
}

const closed: Status = createStatus(Code.UNAVAILABLE, "the gateway is shutting down");

/**
 * A backend together with its schema. While the backend cannot be asked for its schema, the upstream keeps
 * trying, and says why.
 */
export class Upstream {
  readonly name: string;
  readonly #options: UpstreamOptions;
  readonly #surroundings: UpstreamSurroundings;
  /** What the dialects call: the backend of the options, with what is around it. */
  readonly #backend: Backend;
  readonly #shared: SharedBackend | undefined;
  #state: State;
  #watch: { close(): void } | undefined;
  #attempts = 0;
  /** Whether the log says that no server can be reached. */
  #isAway = false;

  constructor(options: UpstreamOptions, surroundings: UpstreamSurroundings) {
    this.name = options.name;
    this.#options = options;
    this.#surroundings = surroundings;
    const { share = surroundings.share, deadlines = surroundings.deadlines } = options;
    this.#shared = share.size === 0 ? undefined : new SharedBackend(options.backend, share);
    this.#backend = boundDeadlines(this.#shared ?? options.backend, deadlines);
    const status = createStatus(Code.UNAVAILABLE, `the schema of ${options.name} is being loaded`);
    this.#state = { kind: "loading", status };
    options.backend.onState?.((state) => this.#stateChanged(state));
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

  /** Whether it is a service of the gateway itself. */
  get isOwn(): boolean {
    return this.#options.isOwn ?? false;
  }

  /** What it serves, or why that is not known. */
  get services(): UpstreamServices | Status {
    if (this.#state.kind === "ready") return this.#state.services;
    return this.#state.kind === "loading" ? this.#state.status : closed;
  }

  /** What of its streams is shared at this moment. */
  get sharedCounts(): SharedCounts {
    return this.#shared?.counts ?? { streams: 0, clients: 0 };
  }

  /** Whether calls have a chance: false while no server of the backend can be reached. */
  get isServing(): boolean {
    return this.#state.kind === "ready" && this.#options.backend.state?.().kind !== "backoff";
  }

  /** Ends the attempts and the backend's connections; running calls may take `graceMs` milliseconds. */
  async close(graceMs: number): Promise<void> {
    if (this.#state.kind === "loading") clearTimeout(this.#state.retry);
    this.#watch?.close();
    this.#state = { kind: "closed" };
    this.#surroundings.changed();
    await this.#options.backend.close(graceMs);
  }

  /** While the schema is not known, the attempts to get it say what there is to say. */
  #stateChanged(state: BackendState): void {
    const { log, changed } = this.#surroundings;
    if (state.kind === "backoff" && !this.#isAway && this.#state.kind === "ready") {
      this.#isAway = true;
      log.warn(`${this.name} cannot be reached (${state.error}); trying again`);
    } else if (state.kind === "ready" && this.#isAway) {
      this.#isAway = false;
      log.info(`${this.name} can be reached again`);
    }
    changed();
  }

  async #retry(): Promise<void> {
    try {
      this.#begin(await this.#options.loadSchema());
    } catch (error) {
      this.#failed(error);
    }
  }

  #begin(schema: Schema): void {
    // Closed meanwhile.
    if (this.#state.kind !== "loading") return;
    const { follow, name } = this.#options;
    this.#ready(schema);
    this.#watch = follow?.(
      schema,
      (next) => this.#ready(next),
      (error) => this.#surroundings.log.warn(`${name}: the schema may be old (${reasonOf(error)})`),
    );
  }

  #ready(whole: Schema): void {
    const schema = withoutSessionHandler(whole);
    const { name } = this.#options;
    const { json, log } = this.#surroundings;
    const routes = createSchemaRoutes(schema, this.#backend, json);
    for (const problem of routes.problems) log.warn(`an HTTP rule is left out: ${problem.message}`);
    const directory = createDirectory(schema, this.#backend, json);
    this.#state = { kind: "ready", services: { schema, routes, directory } };
    if (whole.methods.size === 0) log.warn(`${name}: the schema has no methods, so nothing can be called`);
    else log.info(`${name}: ${schema.methods.size} methods`);
    this.#surroundings.changed();
  }

  #failed(error: unknown): void {
    if (this.#state.kind !== "loading") return;
    const { name } = this.#options;
    const reason = reasonOf(error);
    // The first failure and then every tenth: the reason stays the same for long.
    if (this.#attempts % 10 === 0)
      this.#surroundings.log.warn(`${name} gives no schema (${reason}); trying again`);
    const pause = Math.min(longestPause, 250 * 2 ** Math.min(this.#attempts, 10));
    this.#attempts++;
    const retry = setTimeout(() => void this.#retry(), pause);
    const before = this.#state.status;
    const status = before.message === reason ? before : createStatus(Code.UNAVAILABLE, reason);
    this.#state = { kind: "loading", status, retry };
    if (status !== before) this.#surroundings.changed();
  }
}

/** What a backend implements for sessions: whoever could call it could say anything in anybody's name. */
const sessionHandler = "sluice.session.v1.SessionHandler";

/** The schema without what is for the gateway alone. */
function withoutSessionHandler(schema: Schema): Schema {
  if (!schema.services.some(({ typeName }) => typeName === sessionHandler)) return schema;
  const services = schema.services.filter(({ typeName }) => typeName !== sessionHandler);
  const methods = new Map([...schema.methods].filter(([, { service }]) => service !== sessionHandler));
  return { ...schema, services, methods };
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
