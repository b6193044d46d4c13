import type { DescField, DescMessage } from "@bufbuild/protobuf";
import type { JsonObject, JsonValue } from "../codec/message-codec.ts";
import { invalidField, jsonFromText } from "./field-text.ts";

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
  const object = objectAt(target, path);
  takeField(object, leaf);
  const name = nameOf(path);
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
  if (more.length > 0) throw invalidField(name, `is given ${texts.length} times, but holds one value`);
  setField(object, leaf, jsonFromText(leaf, name, text));
}

/**
 * Puts the text of a URL parameter into an entry of a map field; `texts` must be one.
 * Throws RpcError `json_invalid` where the text cannot be a value of the map.
 */
export function assignMapEntry(
  target: JsonObject,
  path: FieldPath,
  key: string,
  texts: readonly string[],
): void {
  const leaf = path[path.length - 1] ?? path[0];
  const object = objectAt(target, path);
  const name = `${nameOf(path)}[${key}]`;
  const held = takeField(object, leaf);
  const entries = isObject(held) ? held : createJsonObject();
  const [text, ...more] = texts;
  if (text === undefined || more.length > 0)
    throw invalidField(name, `is given ${texts.length} times, but holds one value`);
  setMember(entries, key, jsonFromText(leaf, name, text));
  setField(object, leaf, entries);
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
  setMember(object, field.jsonName, value);
}

function setMember(object: JsonObject, name: string, value: JsonValue): void {
  Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
}

// The object that holds the last field of a path; the objects on the way are made where they are missing.
function objectAt(target: JsonObject, path: FieldPath): JsonObject {
  let object = target;
  for (const field of path.slice(0, -1)) {
    const held = takeField(object, field);
    const next = isObject(held) ? held : createJsonObject();
    setField(object, field, next);
    object = next;
  }
  return object;
}

function nameOf(path: FieldPath): string {
  return path.map((field) => field.name).join(".");
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
