import { ScalarType, type DescEnum, type DescField, type DescMessage } from "@bufbuild/protobuf";
import type { JsonObject, JsonValue } from "../codec/message-codec.ts";
import { RpcError } from "../error.ts";

/** A field inside a message: the fields on the way to it and itself, last. Never empty. */
export type FieldPath = readonly [DescField, ...DescField[]];

/**
 * Finds a field by a path of proto names or JSON names (`["book", "publishTime"]`); undefined if a name is
 * not a field, or a field on the way is not a single message.
 */
export function resolveFieldPath(message: DescMessage, names: readonly string[]): FieldPath | undefined {
  const path: DescField[] = [];
  let at: DescMessage | undefined = message;
  for (const name of names) {
    const field: DescField | undefined = at?.fields.find(
      (each) => each.name === name || each.jsonName === name,
    );
    if (field === undefined) return undefined;
    path.push(field);
    at = field.fieldKind === "message" ? field.message : undefined;
  }
  const [first, ...rest] = path;
  return first === undefined ? undefined : [first, ...rest];
}

/**
 * Puts the text of URL parameters into a field of a JSON object, as the JSON value that ProtoJSON wants there,
 * in place of what the object had. Several texts need a repeated field.
 * Throws RpcError `json_invalid` where a text cannot be a value of the field.
 */
export function assignText(target: JsonObject, path: FieldPath, texts: readonly string[]): void {
  const leaf = path[path.length - 1] ?? path[0];
  let object = target;
  for (const field of path.slice(0, -1)) {
    const held = takeField(object, field);
    const next = isObject(held) ? held : createJsonObject();
    setField(object, field, next);
    object = next;
  }
  takeField(object, leaf);
  const name = path.map((field) => field.name).join(".");
  if (leaf.fieldKind === "list") {
    setField(
      object,
      leaf,
      texts.map((text) => jsonFromText(leaf, name, text)),
    );
    return;
  }
  const [text, ...more] = texts;
  if (text === undefined) return;
  if (more.length > 0) throw invalid(name, `is given ${texts.length} times, but holds one value`);
  setField(object, leaf, jsonFromText(leaf, name, text));
}

/** Whether URL parameters can hold the values of a field: scalars, enums, and the messages that JSON writes as one. */
export function takesText(field: DescField): boolean {
  if (field.fieldKind === "map") return false;
  return (
    field.message === undefined || messagesOfOneText.has(field.message.typeName) || isWrapper(field.message)
  );
}

/** An object for JSON members, without a prototype to fall into. */
export function createJsonObject(): JsonObject {
  return Object.create(null) as JsonObject;
}

/** Whether a JSON value is an object. */
export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Sets a member by the field's JSON name, also where that is `__proto__`. */
export function setField(object: JsonObject, field: DescField, value: JsonValue): void {
  Object.defineProperty(object, field.jsonName, {
    value,
    writable: true,
    enumerable: true,
    configurable: true,
  });
}

// A client may use either name of a field; after this, neither is in the object.
function takeField(object: JsonObject, field: DescField): JsonValue | undefined {
  let held: JsonValue | undefined;
  for (const name of [field.name, field.jsonName]) {
    if (!Object.hasOwn(object, name)) continue;
    held = object[name];
    delete object[name];
  }
  return held;
}

const messagesOfOneText = new Set([
  "google.protobuf.Timestamp",
  "google.protobuf.Duration",
  "google.protobuf.FieldMask",
]);

function isWrapper(message: DescMessage): boolean {
  return (
    message.file.name === "google/protobuf/wrappers" ||
    message.file.proto.name === "google/protobuf/wrappers.proto"
  );
}

function jsonFromText(field: DescField, name: string, text: string): JsonValue {
  if (field.enum !== undefined) return jsonFromEnumText(field.enum, name, text);
  if (field.message !== undefined) {
    if (messagesOfOneText.has(field.message.typeName)) return text;
    const value = isWrapper(field.message) ? field.message.fields[0] : undefined;
    if (value !== undefined) return jsonFromText(value, name, text);
    throw invalid(name, `is a message; name its fields, as in ${name}.<field>`);
  }
  if (field.fieldKind === "map") throw invalid(name, "is a map, which cannot be given in the URL");
  if (field.scalar === ScalarType.BOOL) {
    if (text === "true" || text === "1") return true;
    if (text === "false" || text === "0") return false;
    throw invalid(name, `is a bool, so '${text}' is none of true and false`);
  }
  // ProtoJSON takes numbers as strings, with all their digits; an empty one is only a string.
  const isText = field.scalar === ScalarType.STRING || field.scalar === ScalarType.BYTES;
  if (!isText && text.trim() === "") throw invalid(name, "is a number, but is empty");
  return text;
}

function jsonFromEnumText(type: DescEnum, name: string, text: string): JsonValue {
  if (/^-?\d+$/.test(text)) return Number(text);
  if (type.values.some((value) => value.name === text)) return text;
  const names = type.values.map((value) => value.name).slice(0, 8);
  throw invalid(
    name,
    `'${text}' is no value of ${type.typeName} (${names.join(", ")}${type.values.length > 8 ? ", …" : ""})`,
  );
}

function invalid(name: string, problem: string): RpcError {
  return new RpcError("json_invalid", `field ${name} ${problem}`);
}
