import { randomUUID } from "node:crypto";
import {
  create,
  fromBinary,
  getExtension,
  setExtension,
  toBinary,
  type DescField,
  type DescMessage,
  type Message,
  type Registry,
} from "@bufbuild/protobuf";
import { reflect, type ReflectMessage } from "@bufbuild/protobuf/reflect";
import { AnySchema, BytesValueSchema, type Any } from "@bufbuild/protobuf/wkt";

// Nobody can guess it, so no message can hold a type URL that is taken for one of ours.
const prefix = `unknown-${randomUUID()}-`;

/**
 * protobuf-es refuses to write an Any whose type is not in the registry. This packs the value of each such Any
 * inside `message` into a BytesValue, which has the JSON form `{"@type": url, "value": base64}`, under a type
 * URL of its own. Returns the right URL for each of those.
 */
export function hideUnknownAnys(
  desc: DescMessage,
  message: Message,
  registry: Registry,
): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  visit(reflect(desc, message), registry, names);
  return names;
}

function visit(message: ReflectMessage, registry: Registry, names: Map<string, string>): void {
  if (message.desc.typeName === AnySchema.typeName) {
    visitAny(message.message as Any, registry, names);
    return;
  }
  for (const field of message.fields) visitField(message, field, registry, names);
  visitExtensions(message.message, message.desc, registry, names);
}

function visitField(
  message: ReflectMessage,
  field: DescField,
  registry: Registry,
  names: Map<string, string>,
): void {
  if (field.fieldKind === "message") {
    if (!message.isSet(field)) return;
    const child = message.get(field);
    visit(child, registry, names);
    message.set(field, child);
  } else if (field.fieldKind === "list" && field.listKind === "message") {
    for (const item of message.get(field)) visit(item as ReflectMessage, registry, names);
  } else if (field.fieldKind === "map" && field.mapKind === "message") {
    for (const item of message.get(field).values()) visit(item as ReflectMessage, registry, names);
  }
}

function visitExtensions(
  message: Message,
  desc: DescMessage,
  registry: Registry,
  names: Map<string, string>,
): void {
  for (const number of new Set(message.$unknown?.map((unknown) => unknown.no))) {
    const extension = registry.getExtensionFor(desc, number);
    if (extension?.message === undefined) continue;
    const before = names.size;
    const value = getExtension(message, extension) as Message | Message[];
    for (const each of Array.isArray(value) ? value : [value]) {
      visit(reflect(extension.message, each), registry, names);
    }
    if (names.size > before) setExtension(message, extension, value);
  }
}

function visitAny(any: Any, registry: Registry, names: Map<string, string>): void {
  if (any.typeUrl === "") return;
  const desc = registry.getMessage(any.typeUrl.slice(any.typeUrl.lastIndexOf("/") + 1));
  if (desc !== undefined) {
    const before = names.size;
    const inner = fromBinary(desc, any.value);
    visit(reflect(desc, inner), registry, names);
    if (names.size > before) any.value = toBinary(desc, inner);
    return;
  }
  const hidden = `${prefix}${names.size}/${BytesValueSchema.typeName}`;
  names.set(hidden, any.typeUrl);
  any.typeUrl = hidden;
  any.value = toBinary(BytesValueSchema, create(BytesValueSchema, { value: any.value }));
}
