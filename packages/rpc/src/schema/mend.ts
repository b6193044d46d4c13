import { clone, isFieldSet } from "@bufbuild/protobuf";
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProtoSchema,
  FileDescriptorProtoSchema,
  type DescriptorProto,
  type FileDescriptorProto,
} from "@bufbuild/protobuf/wkt";
import {
  declaredTypes,
  fieldsOf,
  messagesOf,
  typeReferences,
  type TypeReference,
} from "./descriptor-walk.ts";
import { addMissingImports, removeImports, splitCircles } from "./imports.ts";
import { wellKnownTypes } from "./well-known-files.ts";

/**
 * Mends descriptors as protobuf.js writes them, which is how every server with @grpc/reflection answers
 * (grpc/grpc-node#3034): type names without their scope, no imports, one invented file for each package (a
 * mangled google.protobuf among them), map entries, extensions and `optional` fields in a form of their own. The JSON names
 * that C++ and Java servers leave out are put in as well. What nobody can know stays lost: options, and with
 * them the HTTP rules.
 *
 * Answers copies; descriptors that protoc made come out as they went in.
 */
export function mendDescriptors(files: readonly FileDescriptorProto[]): FileDescriptorProto[] {
  const mended = files
    .filter((file) => !repeatsWellKnown(file))
    .map((file) => clone(FileDescriptorProtoSchema, file));
  for (const file of mended) {
    for (const message of messagesOf(file)) {
      restoreExtensions(message);
      renameMapEntries(message);
      if (file.syntax === "proto3") markOptionalFields(message);
    }
    for (const field of fieldsOf(file)) {
      if (!isFieldSet(field, FieldDescriptorProtoSchema.field.jsonName))
        field.jsonName = jsonNameOf(field.name);
    }
    removeImports(file, new Set(files.filter(repeatsWellKnown).map(({ name }) => name)));
  }
  qualifyTypes(mended);
  addMissingImports(mended);
  return splitCircles(mended);
}

/** Whether a file declares again, under a name of its own, what google/protobuf declares. */
function repeatsWellKnown(file: FileDescriptorProto): boolean {
  return (
    file.package === "google.protobuf" &&
    !file.name.startsWith("google/protobuf/") &&
    [...file.messageType, ...file.enumType].every(({ name }) => wellKnownTypes.has(`google.protobuf.${name}`))
  );
}

/**
 * Takes out the field that protobuf.js adds to a message for each extension of it, and puts the extensions that
 * are declared within the message back among its extensions.
 */
function restoreExtensions(message: DescriptorProto): void {
  message.extension.push(...message.field.filter(({ extendee }) => extendee !== ""));
  message.field = message.field.filter(({ name, extendee }) => extendee === "" && !name.startsWith("."));
}

/** Gives map entries the names that protoc gives them; protobuf.js names the entry of `some_map` `Some_map`. */
function renameMapEntries(message: DescriptorProto): void {
  for (const field of message.field) {
    const written = field.name.charAt(0).toUpperCase() + field.name.slice(1);
    if (field.label !== FieldDescriptorProto_Label.REPEATED || field.typeName !== written) continue;
    const entry = message.nestedType.find(
      ({ name, options }) => name === written && options?.mapEntry === true,
    );
    if (entry === undefined) continue;
    const json = jsonNameOf(field.name);
    entry.name = `${json.charAt(0).toUpperCase()}${json.slice(1)}Entry`;
    field.typeName = entry.name;
  }
}

/** Marks `optional` fields of proto3, of which protobuf.js leaves only the oneof that protoc makes for each. */
function markOptionalFields(message: DescriptorProto): void {
  const marked = new Set<number>();
  for (const [index, oneof] of message.oneofDecl.entries()) {
    const members = message.field.filter((field) => hasOneof(field) && field.oneofIndex === index);
    const [field] = members;
    if (field === undefined || members.length > 1 || field.proto3Optional) continue;
    if (oneof.name !== `_${field.name}`) continue;
    field.proto3Optional = true;
    marked.add(index);
  }
  if (marked.size > 0) moveToEnd(message, marked);
}

function hasOneof(field: DescriptorProto["field"][number]): boolean {
  return isFieldSet(field, FieldDescriptorProtoSchema.field.oneofIndex);
}

/** Puts some oneofs of a message behind the others, where descriptor.proto wants those of `optional` fields. */
function moveToEnd(message: DescriptorProto, indexes: ReadonlySet<number>): void {
  const order = [...message.oneofDecl.keys()].toSorted(
    (one, other) => Number(indexes.has(one)) - Number(indexes.has(other)),
  );
  message.oneofDecl = order.flatMap((index) => message.oneofDecl[index] ?? []);
  for (const field of message.field) {
    if (hasOneof(field)) field.oneofIndex = order.indexOf(field.oneofIndex);
  }
}

/** The JSON name of a field that declares none: lowerCamelCase, as protoc makes it. */
function jsonNameOf(name: string): string {
  return name.replace(/_+([^_]?)/g, (_match, letter: string) => letter.toUpperCase());
}

/** Gives every type its full name with a leading dot, found from the inside outwards as in a `.proto` file. */
function qualifyTypes(files: readonly FileDescriptorProto[]): void {
  const types = new Set(wellKnownTypes.keys());
  for (const file of files) for (const { name } of declaredTypes(file)) types.add(name);
  for (const file of files) {
    for (const reference of typeReferences(file)) {
      if (reference.name.startsWith(".")) continue;
      const name = resolve(reference, types);
      if (name !== undefined) reference.rename(`.${name}`);
    }
  }
}

function resolve({ scope, name }: TypeReference, types: ReadonlySet<string>): string | undefined {
  for (let around = scope; around !== ""; around = around.slice(0, Math.max(0, around.lastIndexOf(".")))) {
    if (types.has(`${around}.${name}`)) return `${around}.${name}`;
  }
  return types.has(name) ? name : undefined;
}
