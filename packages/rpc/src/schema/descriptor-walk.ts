import type {
  DescriptorProto,
  EnumDescriptorProto,
  FieldDescriptorProto,
  FileDescriptorProto,
} from "@bufbuild/protobuf/wkt";

/** A message or an enum of a file, at any depth, with its full name (no leading dot). */
export interface DeclaredType {
  readonly name: string;
  readonly proto: DescriptorProto | EnumDescriptorProto;
}

/** A place in a file where a message or enum is named. */
export interface TypeReference {
  /** For an error: `the field pkg.Message.name`. */
  readonly where: string;
  /** The full name of the message or package around it, from which a name without a leading dot is resolved. */
  readonly scope: string;
  /** The name as it is now; never empty. */
  readonly name: string;
  /** The field that has the type, where it is one. */
  readonly field?: FieldDescriptorProto;
  /** Puts another name in its place. */
  rename(name: string): void;
}

function join(scope: string, name: string): string {
  return scope === "" ? name : `${scope}.${name}`;
}

function* typesOf(
  scope: string,
  messages: readonly DescriptorProto[],
  enums: readonly EnumDescriptorProto[],
): Generator<DeclaredType> {
  for (const proto of messages) {
    const name = join(scope, proto.name);
    yield { name, proto };
    yield* typesOf(name, proto.nestedType, proto.enumType);
  }
  for (const proto of enums) yield { name: join(scope, proto.name), proto };
}

/** The messages and enums of a file, at any depth, each before those within it. */
export function declaredTypes(file: FileDescriptorProto): Generator<DeclaredType> {
  return typesOf(file.package, file.messageType, file.enumType);
}

/** The full names of everything that a file declares at its top and of its nested types. */
export function* declaredNames(file: FileDescriptorProto): Generator<string> {
  for (const { name } of declaredTypes(file)) yield name;
  for (const { name } of file.service) yield join(file.package, name);
  for (const { name } of file.extension) yield join(file.package, name);
}

/** Every message of a file, at any depth. */
export function* messagesOf(file: FileDescriptorProto): Generator<DescriptorProto> {
  for (const { proto } of declaredTypes(file)) {
    if (proto.$typeName === "google.protobuf.DescriptorProto") yield proto;
  }
}

/** Every field of a file, extensions included. */
export function* fieldsOf(file: FileDescriptorProto): Generator<FieldDescriptorProto> {
  yield* file.extension;
  for (const message of messagesOf(file)) {
    yield* message.field;
    yield* message.extension;
  }
}

function* fieldReferences(
  kind: string,
  scope: string,
  fields: readonly FieldDescriptorProto[],
): Generator<TypeReference> {
  for (const field of fields) {
    const where = `${kind} ${join(scope, field.name)}`;
    if (field.typeName !== "") {
      yield { where, scope, name: field.typeName, field, rename: (name) => void (field.typeName = name) };
    }
    if (field.extendee !== "") {
      yield { where, scope, name: field.extendee, rename: (name) => void (field.extendee = name) };
    }
  }
}

/** Every place in a file where a message or enum is named. */
export function* typeReferences(file: FileDescriptorProto): Generator<TypeReference> {
  for (const { name, proto } of declaredTypes(file)) {
    if (proto.$typeName !== "google.protobuf.DescriptorProto") continue;
    yield* fieldReferences("the field", name, proto.field);
    yield* fieldReferences("the extension", name, proto.extension);
  }
  yield* fieldReferences("the extension", file.package, file.extension);
  for (const service of file.service) {
    const scope = join(file.package, service.name);
    for (const method of service.method) {
      const where = `the method ${scope}.${method.name}`;
      yield { where, scope, name: method.inputType, rename: (name) => void (method.inputType = name) };
      yield { where, scope, name: method.outputType, rename: (name) => void (method.outputType = name) };
    }
  }
}
