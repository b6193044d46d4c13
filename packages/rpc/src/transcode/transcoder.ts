import type { DescField } from "@bufbuild/protobuf";
import { parseJson } from "../codec/json-text.ts";
import type { JsonObject, JsonValue, MessageCodec } from "../codec/message-codec.ts";
import { RpcError } from "../error.ts";
import type { Binding } from "./binding.ts";
import { maskFieldOf, maskOfJson } from "./field-mask.ts";
import { assignText, createJsonObject, isObject, setField } from "./field-path.ts";
import {
  appendField,
  bytesFromHttpBody,
  bytesOfField,
  httpBodyFromBytes,
  isHttpBody,
  type HttpBody,
} from "./http-body.ts";
import { assignParameters } from "./query.ts";

/** What a URL says of a request message. */
export interface UrlFields {
  /** The values of the template's variables, in its order. */
  readonly values: readonly string[];
  readonly query: URLSearchParams;
}

/** What a body says of a request message: JSON text, the parameters of a form, or a body that is no JSON. */
export type RequestBody = string | URLSearchParams | HttpBody;

/** What a transcoder is made of. */
export interface TranscoderOptions {
  readonly input: MessageCodec;
  /** The JSON text of a response, or of the field of it that the rule names. */
  readonly readResponse: (bytes: Uint8Array) => string;
  /** Whether a query parameter that fills no field is refused; otherwise it is ignored. */
  readonly strict: boolean;
}

/**
 * Turns the bodies and URLs of one binding into request messages, and response messages into JSON or bodies.
 * Made once per binding; holds no state of a call.
 */
export class Transcoder {
  readonly binding: Binding;
  /** Whether a body is taken as it stands, because it goes into a `google.api.HttpBody`. */
  readonly takesHttpBody: boolean;
  /** Whether a response is a body as it stands. */
  readonly givesHttpBody: boolean;
  readonly #input: MessageCodec;
  readonly #readResponse: (bytes: Uint8Array) => string;
  readonly #strict: boolean;

  constructor(binding: Binding, options: TranscoderOptions) {
    const { body, method, responseField } = binding;
    this.binding = binding;
    this.takesHttpBody =
      body === "whole" ? isHttpBody(method.input) : body !== "none" && isHttpBody(body.message);
    this.givesHttpBody = isHttpBody(responseField === undefined ? method.output : responseField.message);
    this.#input = options.input;
    this.#readResponse = options.readResponse;
    this.#strict = options.strict;
  }

  /**
   * One request message from a body (undefined: there is none) and the fields of the URL. Query parameters fill
   * what neither path nor body covers; the path wins over a body that names its fields. With `streamed`, a rule
   * without a body takes JSON as the whole message, because a stream of messages has nowhere else to be.
   * Throws RpcError `json_invalid`, naming the field.
   */
  requestFrom(body: RequestBody | undefined, url: UrlFields, streamed: boolean): Uint8Array {
    if (typeof body === "object" && !(body instanceof URLSearchParams))
      return this.#requestFromHttpBody(body, url);
    const value = typeof body !== "string" || body.trim() === "" ? undefined : parseJson(body);
    const { binding } = this;
    if (binding.body === "whole" && binding.variables.length === 0 && !(body instanceof URLSearchParams)) {
      return this.#input.bytesFromJson(value ?? {});
    }
    const message = this.#messageOf(value, streamed);
    const scope = { message: binding.method.input, strict: this.#strict, covered: undefined };
    if (body instanceof URLSearchParams) assignParameters(message, body, scope);
    const mask = this.#maskOf(value);
    this.#assignUrl(message, url);
    if (mask !== undefined) setMissing(message, mask);
    return this.#input.bytesFromJson(message);
  }

  /** The JSON text of a response message. Throws RpcError `protobuf_invalid`. */
  jsonFromResponse(bytes: Uint8Array): string {
    return this.#readResponse(bytes);
  }

  /** The body that a response is; only where `givesHttpBody`. Throws RpcError `protobuf_invalid`. */
  httpBodyFromResponse(bytes: Uint8Array): HttpBody {
    const { responseField } = this.binding;
    return httpBodyFromBytes(responseField === undefined ? bytes : bytesOfField(bytes, responseField.number));
  }

  #messageOf(value: JsonValue | undefined, streamed: boolean): JsonObject {
    const { body } = this.binding;
    const message = createJsonObject();
    if (value === undefined) return message;
    if (body === "whole" || (body === "none" && streamed)) {
      if (!isObject(value)) throw new RpcError("json_invalid", "the body is not a JSON object");
      return value;
    }
    if (body !== "none") setField(message, body, value);
    return message;
  }

  #assignUrl(message: JsonObject, { values, query }: UrlFields): void {
    const { body, method, variables } = this.binding;
    if (body !== "whole") {
      const covered = body === "none" ? undefined : body;
      assignParameters(message, query, { message: method.input, covered, strict: this.#strict });
    }
    for (const [index, path] of variables.entries()) assignText(message, path, [values[index] ?? ""]);
  }

  // A PATCH of one field's message that says no mask means the fields that its body has.
  #maskOf(value: JsonValue | undefined): { readonly field: DescField; readonly json: string } | undefined {
    const { body, method, rule } = this.binding;
    if (rule.method !== "PATCH" || typeof body === "string" || body.message === undefined) return undefined;
    const field = isObject(value) ? maskFieldOf(method.input) : undefined;
    return field === undefined || !isObject(value)
      ? undefined
      : { field, json: maskOfJson(value, body.message) };
  }

  #requestFromHttpBody(body: HttpBody, url: UrlFields): Uint8Array {
    const bytes = bytesFromHttpBody(body);
    if (typeof this.binding.body === "string") return bytes;
    const message = createJsonObject();
    this.#assignUrl(message, url);
    return appendField(this.#input.bytesFromJson(message), this.binding.body.number, bytes);
  }
}

function setMissing(
  message: JsonObject,
  { field, json }: { readonly field: DescField; readonly json: string },
): void {
  if (!Object.hasOwn(message, field.jsonName) && !Object.hasOwn(message, field.name))
    setField(message, field, json);
}
