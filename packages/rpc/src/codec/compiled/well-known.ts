import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { JsonFault } from "./json-fault.ts";
import { maximumDepth, type JsonValue } from "../message-codec.ts";
import { createAnyReader, createAnyWriter } from "./any.ts";
import { readDuration, writeDuration } from "./duration.ts";
import { readFieldMask, writeFieldMask } from "./field-mask.ts";
import { readListValue, readStruct, readValue, writeListValue, writeStruct, writeValue } from "./struct.ts";
import { readTimestamp, writeTimestamp } from "./timestamp.ts";
import type { FindUnit, ReadMessage, WriteMessage } from "./unit.ts";

const types: Record<string, { read: ReadMessage; write: WriteMessage }> = {
  "google.protobuf.Timestamp": { read: readTimestamp, write: writeTimestamp },
  "google.protobuf.Duration": { read: readDuration, write: writeDuration },
  "google.protobuf.FieldMask": { read: readFieldMask, write: writeFieldMask },
  "google.protobuf.Struct": { read: readStruct, write: writeStruct },
  "google.protobuf.Value": { read: readValue, write: writeValue },
  "google.protobuf.ListValue": { read: readListValue, write: writeListValue },
};

/**
 * What reads and writes a well-known type that has a JSON form of its own, but for the wrappers, which are
 * generated. Undefined for every other type.
 */
export function wellKnownType(
  typeName: string,
  find: FindUnit,
): { read: ReadMessage; write: WriteMessage } | undefined {
  if (typeName === "google.protobuf.Any") {
    return { read: createAnyReader(find), write: limited(createAnyWriter(find)) };
  }
  if (!Object.hasOwn(types, typeName)) return undefined;
  const type = types[typeName];
  return type === undefined ? undefined : { read: type.read, write: limited(type.write) };
}

/** Refuses what is nested too deep, as the generated writers do. */
function limited(write: WriteMessage): WriteMessage {
  return (json: JsonValue, writer, depth, inAny) => {
    if (depth > maximumDepth) throw new JsonFault(`nested deeper than ${maximumDepth} messages`);
    write(json, writer, depth, inAny);
  };
}

const wrapperNames = new Set(
  ["Double", "Float", "Int64", "UInt64", "Int32", "UInt32", "Bool", "String", "Bytes"].map(
    (name) => `google.protobuf.${name}Value`,
  ),
);

/** The field of a type of google/protobuf/wrappers.proto, whose JSON form is that of this one field. */
export function wrappedField(desc: DescMessage): DescField | undefined {
  const [field] = desc.fields;
  return wrapperNames.has(desc.typeName) && field?.fieldKind === "scalar" ? field : undefined;
}
