import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { createCodec } from "./create-codec.ts";
import type { CodecOptions } from "./message-codec.ts";

/**
 * Reads one field of a message: what `response_body` of a `google.api.HttpRule` asks for.
 *
 * The function made gives the JSON text of the field's value alone. A field without presence that is not there
 * is its zero value (`0`, `""`, `[]`, `{}`), any other is `null`. Throws an RpcError `protobuf_invalid`.
 */
export function createFieldReader(
  field: DescField,
  options: CodecOptions = {},
): (bytes: Uint8Array) => string {
  // The same message with that field alone; what shares a oneof with it stays, because it unsets it.
  const fields = field.oneof === undefined ? [field] : field.oneof.fields;
  const desc: DescMessage = {
    ...field.parent,
    typeName: `${field.parent.typeName}.${field.name}`,
    fields,
    members: field.oneof === undefined ? [field] : [field.oneof],
    oneofs: field.oneof === undefined ? [] : [field.oneof],
  };
  const name = options.protoFieldNames === true ? field.name : field.jsonName;
  const prefix = `{${JSON.stringify(name)}:`;
  const valueIn = (text: string): string | undefined =>
    text.startsWith(prefix) ? text.slice(prefix.length, -1) : undefined;

  const codec = createCodec(desc, options);
  const unset = createCodec(desc, { ...options, emitDefaults: true }).jsonFromBytes(new Uint8Array(0));
  const unsetValue = valueIn(unset) ?? "null";
  return (bytes) => valueIn(codec.jsonFromBytes(bytes)) ?? unsetValue;
}
