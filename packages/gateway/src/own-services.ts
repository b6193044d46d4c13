import {
  createDirectory,
  createHealthService,
  createReflectionService,
  createRpcHandler,
  createSchema,
  ownSchema,
  ServiceBackend,
  ServingStatus,
  type HttpRequest,
  type HttpResponse,
  type RpcHandlerOptions,
  type Schema,
} from "@sluice/rpc";

/** What the gateway's own services tell of. */
export interface OwnServicesOptions {
  /** The schema of the backend; undefined while it is not known. */
  readonly schema: () => Schema | undefined;
  /** Calls `listener` after each change of the schema or of `isClosing`; the function that it returns ends that. */
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
  readonly #handler: (request: HttpRequest, response: HttpResponse) => boolean;

  constructor(options: OwnServicesOptions) {
    const health = createHealthService({
      status: (service) => statusOf(service, options),
      onChange: options.onChange,
    });
    const reflection = options.reflection ? createReflectionService(withOwnServices(options.schema)) : [];
    this.#backend = new ServiceBackend(new Map([...health, ...reflection]));
    const directory = createDirectory(ownSchema(), this.#backend);
    this.#handler = createRpcHandler({ methods: () => directory, report: options.report });
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

// What reflection tells: the backend's services, and those of the gateway that the backend does not have too.
function withOwnServices(schema: () => Schema | undefined): () => Schema | undefined {
  let made: { readonly from: Schema; readonly schema: Schema } | undefined;
  return () => {
    const known = schema();
    if (known === undefined) return undefined;
    if (made?.from !== known) {
      const sources = ownSchema().sources.map((source) => ({
        ...source,
        files: source.files.filter((file) => known.registry.getFile(file.name) === undefined),
      }));
      made = { from: known, schema: createSchema(...known.sources, ...sources) };
    }
    return made.schema;
  };
}

function statusOf(service: string, { schema, isClosing }: OwnServicesOptions): ServingStatus | undefined {
  const known = schema();
  if (service === "")
    return known === undefined || isClosing() ? ServingStatus.NOT_SERVING : ServingStatus.SERVING;
  if (known?.services.some(({ typeName }) => typeName === service) !== true) return undefined;
  return isClosing() ? ServingStatus.NOT_SERVING : ServingStatus.SERVING;
}
