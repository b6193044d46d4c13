import type { DescField, DescMessage } from "@bufbuild/protobuf";
import type { JsonObject, JsonValue } from "../codec/message-codec.ts";
import { isObject } from "./field-path.ts";

const fieldMask = "google.protobuf.FieldMask";

/** The one field of a message that is a FieldMask; undefined where there is none, or more than one. */
export function maskFieldOf(message: DescMessage): DescField | undefined {
  const masks = message.fields.filter(
    (field) => field.fieldKind === "message" && field.message.typeName === fieldMask,
  );
  return masks.length === 1 ? masks[0] : undefined;
}

/**
 * The FieldMask, as JSON writes it, of the fields that a JSON object has: what a PATCH without a mask means.
 * It goes into messages, but not into lists, maps and the messages that JSON writes in their own way.
 * Source: https://google.aip.dev/134, "Update"
 */
export function maskOfJson(json: JsonObject, message: DescMessage): string {
  return pathsOf(json, message).join(",");
}

function pathsOf(json: JsonObject, message: DescMessage): string[] {
  return message.fields.flatMap((field) => {
    const value = valueOf(json, field);
    if (value === undefined) return [];
    const name = camelCase(field.name);
    const inner = field.fieldKind === "message" ? field.message : undefined;
    if (inner === undefined || inner.typeName.startsWith("google.protobuf.") || !isObject(value))
      return [name];
    const paths = pathsOf(value, inner);
    return paths.length === 0 ? [name] : paths.map((path) => `${name}.${path}`);
  });
}

function valueOf(json: JsonObject, field: DescField): JsonValue | undefined {
  if (Object.hasOwn(json, field.jsonName)) return json[field.jsonName];
  return Object.hasOwn(json, field.name) ? json[field.name] : undefined;
}

// A mask's JSON is the names in lowerCamelCase, whatever the JSON names of the fields are.
function camelCase(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
