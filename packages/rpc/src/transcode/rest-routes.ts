import { AnySchema } from "@bufbuild/protobuf/wkt";
import type { Backend } from "../call/call.ts";
import { createFieldReader } from "../codec/field-reader.ts";
import { createCodec } from "../codec/create-codec.ts";
import type { JsonOptions, MessageCodec } from "../codec/message-codec.ts";
import type { Status } from "../call/status.ts";
import { RpcError } from "../error.ts";
import type { Schema } from "../schema/schema.ts";
import { rememberLast } from "../shared-streams/remember-last.ts";
import { createBindings } from "./binding.ts";
import { PathRouter, type RouteResult } from "./path-router.ts";
import type { PathUnescaping } from "./path-unescaping.ts";
import { Transcoder } from "./transcoder.ts";

/** How JSON is read and written. */
export interface RestOptions extends JsonOptions {
  /** How percent-encoded characters of path variables are decoded; default: as http.proto says. */
  readonly pathUnescaping?: PathUnescaping;
}

/** The routes at this moment, or the status with which every call is refused while there are none. */
export type RoutesSource = () => RestRoutes | Status;

/** One binding of a method as a URL, and who answers it. */
export interface RestRoute {
  readonly transcoder: Transcoder;
  readonly backend: Backend;
  /** The codec of the details of errors. */
  readonly any: MessageCodec;
}

/** The bindings of one schema. */
export interface SchemaRoutes {
  /** In the schema's order. */
  readonly routes: readonly RestRoute[];
  /** HTTP rules that do not fit their methods; they have no route. */
  readonly problems: readonly RpcError[];
}

/** Makes the routes of one schema, whose calls `backend` answers. */
export function createSchemaRoutes(
  schema: Schema,
  backend: Backend,
  options: JsonOptions = {},
): SchemaRoutes {
  const { bindings, problems } = createBindings(schema);
  const codecOptions = { ...options, registry: schema.registry };
  const codecs = new Map<unknown, MessageCodec>();
  const codecOf = (desc: Parameters<typeof createCodec>[0]): MessageCodec => {
    let codec = codecs.get(desc);
    if (codec === undefined) codecs.set(desc, (codec = createCodec(desc, codecOptions)));
    return codec;
  };
  const any = createCodec(AnySchema, codecOptions);
  const routes = bindings.map((binding) => {
    const { input, output } = binding.method;
    const read =
      binding.responseField === undefined
        ? readerOf(codecOf(output))
        : createFieldReader(binding.responseField, codecOptions);
    const transcoder = new Transcoder(binding, {
      input: codecOf(input),
      readResponse: backend.shares?.(binding.method) === true ? rememberLast(read) : read,
      strict: options.strict ?? false,
    });
    return { transcoder, backend, any };
  });
  return { routes, problems };
}

/** What joins routes to one table. */
export interface RestRoutesOptions {
  readonly pathUnescaping?: PathUnescaping | undefined;
  /** Why some routes are not known at this moment; default: all are, and what leads nowhere is NOT_FOUND. */
  readonly missing?: Status | undefined;
}

/** Methods of one backend or of several, as URLs. Made anew when a schema changes. */
export class RestRoutes {
  /** Rules that another one hides, because both have the same HTTP method and template. */
  readonly problems: readonly RpcError[];
  readonly missing: Status | undefined;
  readonly #router: PathRouter<RestRoute>;

  /** Of routes with the same HTTP method and template the last counts. */
  constructor(routes: Iterable<RestRoute>, options: RestRoutesOptions = {}) {
    const problems: RpcError[] = [];
    this.#router = new PathRouter(options.pathUnescaping ?? "spec");
    for (const route of routes) {
      const { rule, template } = route.transcoder.binding;
      const hidden = this.#router.add(rule.method, template, route);
      if (hidden !== undefined) problems.push(hiddenRule(hidden, route));
    }
    this.problems = problems;
    this.missing = options.missing;
  }

  /** Finds the method of an HTTP method and a path (percent-encoded, without query). */
  match(method: string, path: string): RouteResult<RestRoute> {
    return this.#router.match(method, path);
  }
}

function hiddenRule(hidden: RestRoute, by: RestRoute): RpcError {
  const { method, rule } = hidden.transcoder.binding;
  const where = `${method.path}: ${rule.method} ${rule.template}`;
  return new RpcError(
    "http_rule_invalid",
    `${where}: ${by.transcoder.binding.method.path} has the same rule, and the later one counts`,
  );
}

function readerOf(codec: MessageCodec): (bytes: Uint8Array) => string {
  return (bytes) => codec.jsonFromBytes(bytes);
}
