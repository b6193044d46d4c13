import { Code } from "@sluice/protocol";
import {
  createServiceDirectory,
  createStatus,
  joinSchemas,
  ownersOfServices,
  RestRoutes,
  type Directory,
  type RestOptions,
  type RestRoute,
  type RpcError,
  type Schema,
  type SharedCounts,
  type ShareRules,
  type Status,
} from "@sluice/rpc";
import type { DeadlineOptions } from "./deadlines.ts";
import type { Logger } from "./log.ts";
import { Upstream, type UpstreamOptions, type UpstreamServices } from "./upstream.ts";

/** What the upstreams of a gateway are made of. */
export interface UpstreamsOptions {
  /** In the order in which they count where two have the same service. */
  readonly upstreams: readonly UpstreamOptions[];
  readonly rest: RestOptions;
  readonly deadlines: DeadlineOptions;
  readonly share: ShareRules;
  readonly log: Logger;
}

/** An upstream whose schema is known. */
interface Serving extends UpstreamServices {
  readonly name: string;
  readonly upstream: Upstream;
}

/** What all upstreams serve together at one moment. */
interface Joined {
  readonly owners: ReadonlyMap<string, Serving>;
  readonly routes: RestRoutes;
  readonly directory: Directory;
  /** Undefined while none is known. */
  readonly schema: Schema | undefined;
  readonly problems: readonly RpcError[];
}

/**
 * The backends of a gateway, each with its schema: each service is answered by the first that has it. While the
 * schema of one is not known, the others serve, and what leads nowhere is UNAVAILABLE with the reason.
 */
export class Upstreams {
  readonly #upstreams: readonly Upstream[];
  readonly #pathUnescaping: RestOptions["pathUnescaping"];
  /** The methods that are to be shared. */
  readonly #shared: ReadonlySet<string>;
  readonly #log: Logger;
  readonly #listeners = new Set<() => void>();
  readonly #served = new Map<Upstream, UpstreamServices | Status>();
  #joined: Joined;
  #told: ReadonlySet<string> = new Set();
  /** Before, what is wrong with all of them together may be thrown. */
  #isStarted = false;

  constructor({ upstreams, rest, deadlines, share, log }: UpstreamsOptions) {
    const { pathUnescaping, ...json } = rest;
    this.#pathUnescaping = pathUnescaping;
    this.#shared = new Set(upstreams.flatMap((each) => [...(each.share ?? share).keys()]));
    this.#log = log;
    this.#upstreams = upstreams.map(
      (each) => new Upstream(each, { json, deadlines, share, log, changed: () => this.#changed() }),
    );
    this.#joined = this.#join();
  }

  /**
   * Loads all schemas, as `Upstream.start` does. Rejects with what will not mend itself, and with `service_conflict`
   * where two upstreams have the same service; one that appears later is logged, and the service left with the first.
   */
  async start(): Promise<void> {
    await Promise.all(this.#upstreams.map((upstream) => upstream.start()));
    const conflict = this.#joined.problems.find(({ code }) => code === "service_conflict");
    if (conflict !== undefined) throw conflict;
    this.#isStarted = true;
    this.#tellProblems();
  }

  /** The routes of all. */
  routes(): RestRoutes {
    return this.#joined.routes;
  }

  /** The methods of all by their path. */
  methods(): Directory {
    return this.#joined.directory;
  }

  /** What is known of the schemas, as one. */
  schema(): Schema | undefined {
    return this.#joined.schema;
  }

  /** What of the streams of all is shared at this moment. */
  get sharedCounts(): SharedCounts {
    const sum = { streams: 0, clients: 0 };
    for (const { sharedCounts } of this.#upstreams) {
      sum.streams += sharedCounts.streams;
      sum.clients += sharedCounts.clients;
    }
    return sum;
  }

  /** Whether there is something to call: the schema of one backend is known, or there is none to wait for. */
  get isReady(): boolean {
    const backends = this.#upstreams.filter(({ isOwn }) => !isOwn);
    return backends.length === 0 || backends.some(({ services }) => !("code" in services));
  }

  /** Whether calls to a service have a chance; undefined for a service that no known schema has. */
  isServing(service: string): boolean | undefined {
    return this.#joined.owners.get(service)?.upstream.isServing;
  }

  /** Calls `listener` after each change of a schema and of the state of a backend; the function that it returns ends that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Ends the attempts and the backends' connections; running calls may take `graceMs` milliseconds. */
  async close(graceMs: number): Promise<void> {
    await Promise.all(this.#upstreams.map((upstream) => upstream.close(graceMs)));
  }

  #changed(): void {
    if (this.#upstreams.some((upstream) => this.#served.get(upstream) !== upstream.services)) {
      this.#joined = this.#join();
      if (this.#isStarted) this.#tellProblems();
    }
    for (const listener of this.#listeners) listener();
  }

  #join(): Joined {
    const serving: Serving[] = [];
    const reasons = new Set<string>();
    for (const upstream of this.#upstreams) {
      const { name, services } = upstream;
      this.#served.set(upstream, services);
      if ("code" in services) reasons.add(services.message);
      else serving.push({ name, upstream, ...services });
    }
    const missing = reasons.size === 0 ? undefined : createStatus(Code.UNAVAILABLE, [...reasons].join("; "));
    const { owners, conflicts } = ownersOfServices(serving);
    const routes = new RestRoutes(routesOf(serving, owners), {
      pathUnescaping: this.#pathUnescaping,
      missing,
    });
    return {
      owners,
      routes,
      directory: createServiceDirectory(owners, missing),
      schema: serving.length === 0 ? undefined : joinSchemas(serving.map(({ schema }) => schema)),
      problems: [...conflicts, ...routes.problems],
    };
  }

  /** Logs what is wrong now and was not before. */
  #tellProblems(): void {
    const problems = new Map<string, "warn" | "error">();
    for (const { code, message } of this.#joined.problems) {
      if (code === "service_conflict") problems.set(message, "error");
      else problems.set(`an HTTP rule is left out: ${message}`, "warn");
    }
    // A backend whose schema is not known, or not any more, may have what the others have not.
    const isWhole = this.#upstreams.every(({ services }) => !("code" in services));
    for (const path of this.#shared) {
      const method = this.#joined.schema?.methods.get(path);
      if (method === undefined) {
        if (isWhole) problems.set(`${path} is to be shared, but no backend has it`, "warn");
      } else if (method.kind !== "server_streaming")
        problems.set(`${path} is to be shared, but only methods that stream replies alone can be`, "warn");
    }
    for (const [message, level] of problems) if (!this.#told.has(message)) this.#log[level](message);
    this.#told = new Set(problems.keys());
  }
}

function* routesOf(
  serving: readonly Serving[],
  owners: ReadonlyMap<string, Serving>,
): Generator<RestRoute, void> {
  for (const each of serving) {
    for (const route of each.routes.routes) {
      if (owners.get(route.transcoder.binding.method.service) === each) yield route;
    }
  }
}
