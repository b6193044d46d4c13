import type { Registry } from "@bufbuild/protobuf";

/** A value that `JSON.parse` can return. */
export type JsonValue = null | boolean | number | string | JsonValue[] | JsonObject;

/** A JSON object, as `JSON.parse` makes it: `__proto__` is a name like any other. */
export interface JsonObject {
  [name: string]: JsonValue;
}

/**
 * How messages look in JSON, and how strictly JSON is read. What is not said is ProtoJSON's default, but for
 * unknown fields: a gateway meets clients that are newer than its schema, so it ignores them unless told not to.
 */
export interface JsonOptions {
  /** Refuse unknown fields and unknown enum names. Default: false, they are ignored. */
  readonly strict?: boolean;
  /** Write fields without presence also when they are zero or empty. Default: false. */
  readonly emitDefaults?: boolean;
  /** Write enum values as numbers. Default: false, as names. Both are always read. */
  readonly enumsAsNumbers?: boolean;
  /** Write fields under the names of the `.proto` file. Default: false, lowerCamelCase. Both are always read. */
  readonly protoFieldNames?: boolean;
}

/** What a codec is made with, beside its descriptor. */
export interface CodecOptions extends JsonOptions {
  /** Where the types inside `google.protobuf.Any` and the extensions are found. Default: none are known. */
  readonly registry?: Registry;
}

/**
 * Messages may be nested this deep, in JSON and in protobuf: the limit of every protobuf runtime, beyond which
 * a codec throws `json_invalid` or `protobuf_invalid`.
 */
export const maximumDepth = 100;

/**
 * Transcodes the messages of one type between protobuf bytes and ProtoJSON.
 * Source: https://protobuf.dev/programming-guides/json
 */
export interface MessageCodec {
  /**
   * The protobuf bytes of a parsed JSON value, which is not kept or changed; `undefined` is an empty message.
   * Of integers over 2^53, `JSON.parse` keeps all digits only where they are strings, as ProtoJSON writes them.
   * The bytes belong to the caller; they may be a view of a larger buffer.
   * Throws an RpcError `json_invalid` that names the field.
   */
  bytesFromJson(json: JsonValue | undefined): Uint8Array;
  /**
   * The JSON text of protobuf bytes, in one line without spaces. Unknown fields are left out; an Any whose
   * type is not in the registry is shown as it is: `{"@type": url, "value": base64}`.
   * Throws an RpcError `protobuf_invalid` for what is not a message of this type, or has no JSON form.
   */
  jsonFromBytes(bytes: Uint8Array): string;
}
