import type { DescField } from "@bufbuild/protobuf";
import { parseJson } from "../codec/json-text.ts";
import type { JsonObject, MessageCodec } from "../codec/message-codec.ts";
import { RpcError } from "../error.ts";
import type { Binding } from "./binding.ts";
import {
  assignText,
  createJsonObject,
  isObject,
  resolveFieldPath,
  setField,
  takesText,
} from "./field-path.ts";

/** What a URL says of a request message. */
export interface UrlFields {
  /** The values of the template's variables, in its order. */
  readonly values: readonly string[];
  readonly query: URLSearchParams;
}

/** What a transcoder is made of. */
export interface TranscoderOptions {
  readonly input: MessageCodec;
  /** The JSON text of a response, or of the field of it that the rule names. */
  readonly readResponse: (bytes: Uint8Array) => string;
  /** Whether a query parameter that fills no field is refused; otherwise it is ignored. */
  readonly strict: boolean;
}

/**
 * Turns the JSON of one binding into request messages, and response messages into JSON.
 * Made once per binding; holds no state of a call.
 */
export class Transcoder {
  readonly binding: Binding;
  readonly #input: MessageCodec;
  readonly #readResponse: (bytes: Uint8Array) => string;
  readonly #strict: boolean;

  constructor(binding: Binding, options: TranscoderOptions) {
    this.binding = binding;
    this.#input = options.input;
    this.#readResponse = options.readResponse;
    this.#strict = options.strict;
  }

  /**
   * One request message from the JSON text of a body (undefined: there is none) and the fields of the URL.
   * Query parameters fill what neither path nor body covers; the path wins over a body that names its fields.
   * With `streamed`, a rule without a body takes the text as the whole message, because a stream of messages
   * has nowhere else to be. Throws RpcError `json_invalid`, naming the field.
   */
  requestFromJson(text: string | undefined, url: UrlFields, streamed: boolean): Uint8Array {
    const { body, variables } = this.binding;
    const whole = body === "whole" || (body === "none" && streamed);
    const value = text === undefined || text.trim() === "" ? undefined : parseJson(text);
    if (body === "whole" && variables.length === 0) return this.#input.bytesFromJson(value ?? {});

    let message: JsonObject = createJsonObject();
    if (whole && value !== undefined) {
      if (!isObject(value)) throw new RpcError("json_invalid", "the body is not a JSON object");
      message = value;
    } else if (typeof body !== "string" && value !== undefined) {
      setField(message, body, value);
    }
    if (body !== "whole") this.#assignQuery(message, url.query);
    for (const [index, path] of variables.entries()) {
      assignText(message, path, [url.values[index] ?? ""]);
    }
    return this.#input.bytesFromJson(message);
  }

  /** The JSON text of a response message. Throws RpcError `protobuf_invalid`. */
  jsonFromResponse(bytes: Uint8Array): string {
    return this.#readResponse(bytes);
  }

  #assignQuery(message: JsonObject, query: URLSearchParams): void {
    for (const name of new Set(query.keys())) {
      const path = resolveFieldPath(this.binding.method.input, name.split("."));
      if (path === undefined || path[0] === this.binding.body || !takesText(lastOf(path))) {
        if (!this.#strict) continue;
        throw new RpcError("json_invalid", `query parameter ${name} is no field that a URL can fill`);
      }
      assignText(message, path, query.getAll(name));
    }
  }
}

function lastOf(path: readonly [DescField, ...DescField[]]): DescField {
  return path[path.length - 1] ?? path[0];
}
