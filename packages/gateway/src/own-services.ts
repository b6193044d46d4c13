import {
  createDirectory,
  createHealthService,
  createReflectionService,
  createRpcHandler,
  joinSchemas,
  ownSchema,
  ServiceBackend,
  ServingStatus,
  type Directory,
  type DirectoryEntry,
  type HttpRequest,
  type HttpResponse,
  type RpcHandlerOptions,
  type Schema,
} from "@sluice/rpc";

/** What the gateway's own services tell of. */
export interface OwnServicesOptions {
  /** What is known of the schemas of the backends; undefined while nothing is. */
  readonly schema: () => Schema | undefined;
  /** Whether there is something to call. */
  readonly isReady: () => boolean;
  /** Whether calls to a service have a chance; undefined for a service that no known schema has. */
  readonly isServing: (service: string) => boolean | undefined;
  /** Calls `listener` after each change of `schema`, `isReady`, `isServing` and `isClosing`; the function that it returns ends that. */
  readonly onChange: (listener: () => void) => () => void;
  /** Whether calls are no longer taken. */
  readonly isClosing: () => boolean;
  /** Whether clients may ask for the schema. */
  readonly reflection: boolean;
  readonly report: NonNullable<RpcHandlerOptions["report"]>;
}

const ownPaths = /^\/grpc\.(?:health\.v1\.Health|reflection\.v1(?:alpha)?\.ServerReflection)\//;

/**
 * The services that the gateway has itself: grpc.health.v1, and server reflection if it is asked for.
 * The handler answers false for requests to anything else.
 */
export class OwnServices {
  readonly #backend: ServiceBackend;
  readonly #directory: Directory;
  readonly #handler: (request: HttpRequest, response: HttpResponse) => boolean;

  constructor(options: OwnServicesOptions) {
    const health = createHealthService({
      status: (service) => statusOf(service, options),
      onChange: options.onChange,
    });
    const reflection = options.reflection ? createReflectionService(withOwnServices(options.schema)) : [];
    this.#backend = new ServiceBackend(new Map([...health, ...reflection]));
    this.#directory = createDirectory(ownSchema(), this.#backend);
    this.#handler = createRpcHandler({ methods: () => this.#directory, report: options.report });
  }

  /** One of their methods by its path; undefined for any other. */
  find(path: string): DirectoryEntry | undefined {
    const found = ownPaths.test(path) ? this.#directory.find(path) : undefined;
    return found === undefined || "code" in found ? undefined : found;
  }

  /** Answers a request to one of the services; false, and nothing done, for any other. */
  handle(request: HttpRequest, response: HttpResponse): boolean {
    return ownPaths.test(request.url ?? "") && this.#handler(request, response);
  }

  /** Ends the calls that are open. */
  close(): Promise<void> {
    return this.#backend.close();
  }
}

// What reflection tells: the services of the backends, and those of the gateway that they do not have too.
function withOwnServices(schema: () => Schema | undefined): () => Schema | undefined {
  let made: { readonly from: Schema; readonly schema: Schema } | undefined;
  return () => {
    const known = schema();
    if (known === undefined) return undefined;
    if (made?.from !== known) made = { from: known, schema: joinSchemas([known, ownSchema()]) };
    return made.schema;
  };
}

/** The gateway serves as long as there is something to call: that one backend is away must not take out the others. */
function statusOf(
  service: string,
  { isReady, isServing, isClosing }: OwnServicesOptions,
): ServingStatus | undefined {
  const serves = service === "" ? isReady() : isServing(service);
  if (serves === undefined) return undefined;
  return serves && !isClosing() ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
}
