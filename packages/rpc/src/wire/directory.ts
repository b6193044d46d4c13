import { AnySchema } from "@bufbuild/protobuf/wkt";
import { Code } from "@sluice/protocol";
import type { Backend } from "../call/call.ts";
import { createStatus, type Status } from "../call/status.ts";
import { createCodec } from "../codec/create-codec.ts";
import type { CodecOptions, MessageCodec } from "../codec/message-codec.ts";
import type { Method } from "../schema/method.ts";
import type { Schema } from "../schema/schema.ts";
import { rememberLast } from "../shared-streams/remember-last.ts";

/** A method that can be called, and who answers. */
export interface DirectoryEntry {
  readonly method: Method;
  readonly backend: Backend;
  /** JSON of request messages; made when it is first asked for. */
  readonly input: MessageCodec;
  /** JSON of response messages; made when it is first asked for. */
  readonly output: MessageCodec;
  /** JSON of `google.protobuf.Any`, such as the details of a status; made when it is first asked for. */
  readonly any: MessageCodec;
}

/** Finds methods by their path, `/package.Service/Method`. */
export interface Directory {
  /** The method, or the status with which a call to it is refused: UNIMPLEMENTED where there is none. */
  find(path: string): DirectoryEntry | Status;
}

/** The methods at this moment. */
export type DirectorySource = () => Directory;

class Entry implements DirectoryEntry {
  readonly method: Method;
  readonly backend: Backend;
  readonly #options: CodecOptions;
  #input: MessageCodec | undefined;
  #output: MessageCodec | undefined;
  #any: MessageCodec | undefined;

  constructor(method: Method, backend: Backend, options: CodecOptions) {
    this.method = method;
    this.backend = backend;
    this.#options = options;
  }

  get input(): MessageCodec {
    return (this.#input ??= createCodec(this.method.input, this.#options));
  }

  get output(): MessageCodec {
    return (this.#output ??= this.#createOutput());
  }

  get any(): MessageCodec {
    return (this.#any ??= createCodec(AnySchema, this.#options));
  }

  #createOutput(): MessageCodec {
    const codec = createCodec(this.method.output, this.#options);
    if (this.backend.shares?.(this.method) !== true) return codec;
    return {
      bytesFromJson: (json) => codec.bytesFromJson(json),
      jsonFromBytes: rememberLast((bytes) => codec.jsonFromBytes(bytes)),
    };
  }
}

/** The directory of one backend's schema. `options` says how JSON is read and written. */
export function createDirectory(
  schema: Schema,
  backend: Backend,
  options: Omit<CodecOptions, "registry"> = {},
): Directory {
  const codecOptions = { ...options, registry: schema.registry };
  const entries = new Map<string, DirectoryEntry>();
  for (const [path, method] of schema.methods) entries.set(path, new Entry(method, backend, codecOptions));
  return { find: (path) => entries.get(path) ?? unknownMethod(path) };
}

/** The status of a call to a method that does not exist. */
export function unknownMethod(path: string): Status {
  return createStatus(Code.UNIMPLEMENTED, `there is no method ${path}`);
}
