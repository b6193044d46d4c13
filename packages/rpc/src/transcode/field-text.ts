import { ScalarType, type DescEnum, type DescField, type DescMessage } from "@bufbuild/protobuf";
import { parseJson } from "../codec/json-text.ts";
import type { JsonValue } from "../codec/message-codec.ts";
import { RpcError } from "../error.ts";

/** Whether URL parameters can hold the values of a field: scalars, enums, and the messages that JSON writes in their own way. */
export function takesText(field: DescField): boolean {
  if (field.fieldKind === "map") return false;
  if (field.message === undefined) return true;
  const { typeName } = field.message;
  return messagesOfOneText.has(typeName) || messagesOfJson.has(typeName) || isWrapper(field.message);
}

/** Messages that JSON writes as one string. */
const messagesOfOneText = new Set([
  "google.protobuf.Timestamp",
  "google.protobuf.Duration",
  "google.protobuf.FieldMask",
]);

/** Messages that JSON writes as JSON: their text is JSON too. */
const messagesOfJson = new Set([
  "google.protobuf.Struct",
  "google.protobuf.Value",
  "google.protobuf.ListValue",
]);

function isWrapper(message: DescMessage): boolean {
  return (
    message.file.name === "google/protobuf/wrappers" ||
    message.file.proto.name === "google/protobuf/wrappers.proto"
  );
}

/**
 * The JSON value that ProtoJSON wants for an element of a field, from the text of a URL parameter; `name` is for
 * the error. Throws RpcError `json_invalid` where the text cannot be a value of the field.
 */
export function jsonFromText(field: DescField, name: string, text: string): JsonValue {
  if (field.enum !== undefined) return jsonFromEnumText(field.enum, name, text);
  if (field.message !== undefined) {
    const { typeName } = field.message;
    if (messagesOfOneText.has(typeName)) return text;
    if (messagesOfJson.has(typeName)) return jsonFromJsonText(typeName, name, text);
    const value = isWrapper(field.message) ? field.message.fields[0] : undefined;
    if (value !== undefined) return jsonFromText(value, name, text);
    throw invalidField(name, `is a message; name its fields, as in ${name}.<field>`);
  }
  if (field.scalar === ScalarType.BOOL) {
    if (text === "true" || text === "1") return true;
    if (text === "false" || text === "0") return false;
    throw invalidField(name, `is a bool, so '${text}' is none of true and false`);
  }
  // ProtoJSON takes numbers as strings, with all their digits; an empty one is only a string.
  const isText = field.scalar === ScalarType.STRING || field.scalar === ScalarType.BYTES;
  if (!isText && text.trim() === "") throw invalidField(name, "is a number, but is empty");
  return text;
}

// A Value is often meant as the string that it looks like.
function jsonFromJsonText(typeName: string, name: string, text: string): JsonValue {
  try {
    return parseJson(text);
  } catch (error) {
    if (typeName === "google.protobuf.Value") return text;
    throw invalidField(name, `is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function jsonFromEnumText(type: DescEnum, name: string, text: string): JsonValue {
  if (/^-?\d+$/.test(text)) return Number(text);
  if (type.values.some((value) => value.name === text)) return text;
  const names = type.values.map((value) => value.name).slice(0, 8);
  throw invalidField(
    name,
    `'${text}' is no value of ${type.typeName} (${names.join(", ")}${type.values.length > 8 ? ", …" : ""})`,
  );
}

/** The error for a parameter that cannot be a value of its field. */
export function invalidField(name: string, problem: string): RpcError {
  return new RpcError("json_invalid", `field ${name} ${problem}`);
}
