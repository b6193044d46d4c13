import { AnySchema } from "@bufbuild/protobuf/wkt";
import type { Backend } from "../call/call.ts";
import { createFieldReader } from "../codec/field-reader.ts";
import { createCodec } from "../codec/create-codec.ts";
import type { JsonOptions, MessageCodec } from "../codec/message-codec.ts";
import type { Status } from "../call/status.ts";
import type { RpcError } from "../error.ts";
import type { Schema } from "../schema/schema.ts";
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

/** The methods of one backend, as URLs. Made anew when the schema changes. */
export class RestRoutes {
  readonly backend: Backend;
  /** HTTP rules that do not fit their methods; the others are served. */
  readonly problems: readonly RpcError[];
  /** The codec of the details of errors. */
  readonly any: MessageCodec;
  readonly #router: PathRouter<Transcoder>;

  constructor(schema: Schema, backend: Backend, options: RestOptions = {}) {
    const { pathUnescaping = "spec", ...jsonOptions } = options;
    const { bindings, problems } = createBindings(schema);
    const codecOptions = { ...jsonOptions, registry: schema.registry };
    this.#router = new PathRouter(pathUnescaping);
    const codecs = new Map<unknown, MessageCodec>();
    const codecOf = (desc: Parameters<typeof createCodec>[0]): MessageCodec => {
      let codec = codecs.get(desc);
      if (codec === undefined) codecs.set(desc, (codec = createCodec(desc, codecOptions)));
      return codec;
    };
    for (const binding of bindings) {
      const { input, output } = binding.method;
      const transcoder = new Transcoder(binding, {
        input: codecOf(input),
        readResponse:
          binding.responseField === undefined
            ? readerOf(codecOf(output))
            : createFieldReader(binding.responseField, codecOptions),
        strict: options.strict ?? false,
      });
      this.#router.add(binding.rule.method, binding.template, transcoder);
    }
    this.backend = backend;
    this.problems = problems;
    this.any = createCodec(AnySchema, codecOptions);
  }

  /** Finds the method of an HTTP method and a path (percent-encoded, without query). */
  match(method: string, path: string): RouteResult<Transcoder> {
    return this.#router.match(method, path);
  }
}

function readerOf(codec: MessageCodec): (bytes: Uint8Array) => string {
  return (bytes) => codec.jsonFromBytes(bytes);
}
