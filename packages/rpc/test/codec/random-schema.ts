import {
  anyPack,
  DurationSchema,
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
} from "@bufbuild/protobuf/wkt";
import {
  AnySchema,
  DescriptorProtoSchema,
  Edition,
  EnumDescriptorProtoSchema,
  FieldDescriptorProtoSchema,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  file_google_protobuf_any,
  file_google_protobuf_duration,
  file_google_protobuf_empty,
  file_google_protobuf_field_mask,
  file_google_protobuf_struct,
  file_google_protobuf_timestamp,
  file_google_protobuf_wrappers,
  type DescriptorProto,
  type Duration,
  type EnumDescriptorProto,
  type FieldDescriptorProto,
  type FileDescriptorProto,
  type Timestamp,
} from "@bufbuild/protobuf/wkt";
import {
  create,
  createFileRegistry,
  fromJson,
  ScalarType,
  type DescEnum,
  type DescField,
  type DescMessage,
  type FileRegistry,
  type JsonValue,
  type Message,
} from "@bufbuild/protobuf";
import { reflect, type ReflectMessage } from "@bufbuild/protobuf/reflect";
import * as fc from "fast-check";

/** Asks fast-check for a value. */
export type Generate = <T>(arbitrary: fc.Arbitrary<T>) => T;

/** What a function makes of the values that it asks for. It is not shrunk: a failure prints its seed. */
export class Made<T> extends fc.Arbitrary<T> {
  readonly #make: (g: Generate) => T;

  constructor(make: (g: Generate) => T) {
    super();
    this.#make = make;
  }

  override generate(random: fc.Random): fc.Value<T> {
    return new fc.Value(
      this.#make((arbitrary) => arbitrary.generate(random, undefined).value),
      undefined,
    );
  }

  override canShrinkWithoutContext(_: unknown): _ is T {
    return false;
  }

  override shrink(): fc.Stream<fc.Value<T>> {
    return fc.Stream.nil();
  }
}

const wellKnownFiles = [
  file_google_protobuf_any,
  file_google_protobuf_duration,
  file_google_protobuf_empty,
  file_google_protobuf_field_mask,
  file_google_protobuf_struct,
  file_google_protobuf_timestamp,
  file_google_protobuf_wrappers,
].map((file) => file.proto);

const wrapped = ["Double", "Float", "Int64", "UInt64", "Int32", "UInt32", "Bool", "String", "Bytes"];
const wellKnownTypes = "Any Duration Empty FieldMask Struct Value ListValue Timestamp"
  .split(" ")
  .concat(wrapped.map((name) => `${name}Value`))
  .map((name) => `.google.protobuf.${name}`);

const { DOUBLE, FLOAT, BYTES, ENUM, GROUP, MESSAGE } = FieldDescriptorProto_Type;
const scalarTypes = Object.values(FieldDescriptorProto_Type).filter(
  (type) => typeof type === "number" && type !== ENUM && type !== GROUP && type !== MESSAGE,
) as FieldDescriptorProto_Type[];
const keyTypes = scalarTypes.filter((type) => type !== DOUBLE && type !== FLOAT && type !== BYTES);

/** Names that break what is careless with names. */
export const hostileNames =
  "__proto__ constructor toString valueOf hasOwnProperty __defineGetter__ length then"
    .split(" ")
    .concat([
      "",
      '"',
      "\\",
      "'",
      "`",
      "${x}",
      "*/",
      "//",
      "\n",
      "\r",
      "\u2028",
      "\u2029",
      "\0",
      "]",
      "}",
      "é",
      "💥",
    ])
    .concat([
      '"];throw 1//',
      "`;process.exit(1)",
      "eval",
      "arguments",
      "o",
      "w",
      "r",
      "$0",
      "@type",
      "value",
    ]);

/** A registry of one random file and the well-known types; the messages are `test.M0` and so on. */
export function randomSchema(g: Generate): FileRegistry {
  return createFileRegistry(create(FileDescriptorSetSchema, { file: [...wellKnownFiles, randomFile(g)] }));
}

function randomFile(g: Generate): FileDescriptorProto {
  const syntax = g(fc.constantFrom("proto2", "proto3", "editions"));
  const messages = g(fc.integer({ min: 1, max: 4 }));
  const enums = ["E0", "E1"];
  const file = create(FileDescriptorProtoSchema, {
    name: "test.proto",
    package: "test",
    syntax,
    dependency: wellKnownFiles.map((each) => each.name),
    enumType: enums.map((name) => randomEnum(name, g)),
    messageType: Array.from({ length: messages }, (_, index) =>
      randomMessageType(`M${index}`, messages, syntax, g),
    ),
  });
  if (syntax === "editions") file.edition = Edition.EDITION_2023;
  return file;
}

function randomEnum(name: string, g: Generate): EnumDescriptorProto {
  const numbers = g(
    fc.uniqueArray(fc.oneof(fc.integer({ min: -3, max: 9 }), fc.integer()), { maxLength: 5 }),
  );
  return create(EnumDescriptorProtoSchema, {
    name,
    value: [0, ...numbers.filter((number) => number !== 0)].map((number, index) => ({
      name: `${name}_V${index}`,
      number,
    })),
  });
}

function randomMessageType(name: string, messages: number, syntax: string, g: Generate): DescriptorProto {
  const type = create(DescriptorProtoSchema, { name });
  const numbers = g(
    fc.uniqueArray(fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 536_870_911 })), {
      maxLength: 12,
    }),
  ).filter((number) => number < 19_000 || number > 19_999);
  const oneofs = g(fc.integer({ min: 0, max: 2 }));
  type.oneofDecl = Array.from({ length: oneofs }, (_, index) => ({
    $typeName: "google.protobuf.OneofDescriptorProto",
    name: `oneof_${index}`,
  }));
  for (const [index, number] of numbers.entries()) {
    const field = create(FieldDescriptorProtoSchema, { name: `field_${index}`, number });
    field.jsonName = g(
      fc.constantFrom(`field${index}`, `field_${index}`, `${g(fc.constantFrom(...hostileNames))}${index}`),
    );
    randomFieldType(field, type, messages, syntax, oneofs, g);
    type.field.push(field);
  }
  // A oneof without fields is no oneof.
  const used = [
    ...new Set(
      type.field.filter((field) => field.oneofIndex >= 0 && hasOneof(field)).map((field) => field.oneofIndex),
    ),
  ];
  type.oneofDecl = used.map((index) => type.oneofDecl[index]).filter((each) => each !== undefined);
  for (const field of type.field) if (hasOneof(field)) field.oneofIndex = used.indexOf(field.oneofIndex);
  return type;
}

function hasOneof(field: FieldDescriptorProto): boolean {
  return Object.hasOwn(field, "oneofIndex");
}

function randomFieldType(
  field: FieldDescriptorProto,
  type: DescriptorProto,
  messages: number,
  syntax: string,
  oneofs: number,
  g: Generate,
): void {
  const shape = g(fc.constantFrom("singular", "singular", "optional", "repeated", "map", "oneof"));
  field.label = FieldDescriptorProto_Label.OPTIONAL;
  if (shape === "map") {
    const entry = create(DescriptorProtoSchema, {
      name: `Field${field.name.slice(6)}Entry`,
      options: { mapEntry: true },
      field: [
        {
          name: "key",
          jsonName: "key",
          number: 1,
          label: field.label,
          type: g(fc.constantFrom(...keyTypes)),
        },
        { name: "value", jsonName: "value", number: 2, label: field.label },
      ],
    });
    randomType(entry.field[1] as FieldDescriptorProto, messages, syntax, false, g);
    type.nestedType.push(entry);
    field.label = FieldDescriptorProto_Label.REPEATED;
    field.type = MESSAGE;
    field.typeName = `.test.${type.name}.${entry.name}`;
    return;
  }
  randomType(field, messages, syntax, true, g);
  if (shape === "repeated") {
    field.label = FieldDescriptorProto_Label.REPEATED;
    const numeric = ![9, 10, 11, 12].includes(field.type);
    if (numeric && syntax !== "editions" && g(fc.boolean())) setOptions(field, { packed: g(fc.boolean()) });
  } else if (shape === "oneof" && oneofs > 0) {
    field.oneofIndex = g(fc.integer({ min: 0, max: oneofs - 1 }));
  } else if (syntax === "editions" && field.type !== MESSAGE && field.type !== ENUM) {
    setOptions(field, { features: { fieldPresence: g(fc.constantFrom(1, 2)) } });
  }
}

function setOptions(field: FieldDescriptorProto, options: object): void {
  field.options = create(FieldDescriptorProtoSchema, { options }).options as NonNullable<
    typeof field.options
  >;
}

function randomType(
  field: FieldDescriptorProto,
  messages: number,
  syntax: string,
  groups: boolean,
  g: Generate,
): void {
  const kind = g(fc.constantFrom("scalar", "scalar", "scalar", "enum", "message", "well-known"));
  switch (kind) {
    case "scalar":
      field.type = g(fc.constantFrom(...scalarTypes));
      break;
    case "enum":
      field.type = ENUM;
      field.typeName = g(fc.constantFrom(".test.E0", ".test.E1", ".google.protobuf.NullValue"));
      break;
    case "message":
      field.type = MESSAGE;
      if (groups && syntax === "proto2" && g(fc.boolean())) field.type = GROUP;
      if (groups && syntax === "editions" && g(fc.boolean()))
        setOptions(field, { features: { messageEncoding: 2 } });
      field.typeName = `.test.M${g(fc.integer({ min: 0, max: messages - 1 }))}`;
      break;
    case "well-known":
      field.type = MESSAGE;
      field.typeName = g(fc.constantFrom(...wellKnownTypes));
  }
}

/** A random message of the type, nested at most `depth` deep. */
export function randomMessage(desc: DescMessage, registry: FileRegistry, g: Generate, depth = 4): Message {
  const special = randomWellKnown(desc, registry, g, depth);
  if (special !== undefined) return special;
  const message = reflect(desc);
  for (const field of desc.fields) {
    if (g(fc.integer({ min: 0, max: 3 })) > 0) randomField(message, field, registry, g, depth);
  }
  return message.message;
}

function randomField(
  message: ReflectMessage,
  field: DescField,
  registry: FileRegistry,
  g: Generate,
  depth: number,
): void {
  const value = (): unknown => {
    if (field.scalar !== undefined) return randomScalar(field.scalar, g);
    if (field.enum !== undefined) return randomEnumValue(field.enum, g);
    return reflect(field.message, randomMessage(field.message, registry, g, depth - 1));
  };
  if (field.message !== undefined && depth <= 0) return;
  const size = (): number => g(fc.integer({ min: 0, max: 3 }));
  if (field.fieldKind === "list") {
    const list = message.get(field);
    for (let left = size(); left > 0; left--) list.add(value());
  } else if (field.fieldKind === "map") {
    const map = message.get(field);
    for (let left = size(); left > 0; left--) map.set(randomScalar(field.mapKey, g), value());
  } else {
    message.set(field, value());
  }
}

const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: "binary-ascii", maxLength: 60 }),
  fc.string({ unit: "grapheme", minLength: 20, maxLength: 200 }),
  fc.constantFrom(...hostileNames),
);
const float = fc.oneof(
  fc.float(),
  fc.integer({ min: -100, max: 100 }),
  fc.constantFrom(NaN, Infinity, -Infinity),
);
const double = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(NaN, Infinity, -Infinity, 1e21, 5e-324));

export function randomScalar(scalar: ScalarType, g: Generate): unknown {
  switch (scalar) {
    case ScalarType.STRING:
      return g(text);
    case ScalarType.BYTES:
      return g(fc.uint8Array({ maxLength: 40 }));
    case ScalarType.BOOL:
      return g(fc.boolean());
    // protobuf-es writes -0 as 0, and so loses its sign.
    case ScalarType.FLOAT:
      return g(float) + 0;
    case ScalarType.DOUBLE:
      return g(double) + 0;
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return g(fc.oneof(fc.nat(200), fc.nat(0xffffffff)));
    case ScalarType.INT32:
    case ScalarType.SINT32:
    case ScalarType.SFIXED32:
      return g(fc.oneof(fc.integer({ min: -100, max: 200 }), fc.integer()));
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return g(fc.oneof(fc.bigInt(0n, 300n), fc.bigInt(0n, 2n ** 64n - 1n)));
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return g(fc.oneof(fc.bigInt(-200n, 300n), fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n)));
  }
}

function randomEnumValue(desc: DescEnum, g: Generate): number {
  const known = g(fc.constantFrom(...desc.values.map((value) => value.number)));
  // NullValue is always written as null, so only its one value comes back.
  return desc.open && desc.typeName !== "google.protobuf.NullValue"
    ? g(fc.oneof(fc.constant(known), fc.integer()))
    : known;
}

function randomWellKnown(
  desc: DescMessage,
  registry: FileRegistry,
  g: Generate,
  depth: number,
): Message | undefined {
  const nanos = fc.oneof(
    fc.constantFrom(0, 1, 120_000_000, 123_456_000),
    fc.integer({ min: 0, max: 999_999_999 }),
  );
  switch (desc.typeName) {
    case "google.protobuf.Any": {
      if (g(fc.boolean())) return create(AnySchema);
      if (depth <= 0) return anyPack(DurationSchema, create(DurationSchema));
      const inner = g(fc.constantFrom(...[...registry].filter((type) => type.kind === "message")));
      return anyPack(inner, randomMessage(inner, registry, g, depth - 1));
    }
    case "google.protobuf.Timestamp": {
      const time = create(desc) as Timestamp;
      time.seconds = g(
        fc.oneof(fc.bigInt(-62_135_596_800n, 253_402_300_799n), fc.bigInt(0n, 2_000_000_000n)),
      );
      time.nanos = g(nanos);
      return time;
    }
    case "google.protobuf.Duration": {
      const duration = create(desc) as Duration;
      duration.seconds = g(fc.oneof(fc.bigInt(0n, 3n), fc.bigInt(0n, 315_576_000_000n)));
      duration.nanos = g(nanos);
      if (g(fc.boolean())) {
        duration.seconds = -duration.seconds;
        duration.nanos = 0 - duration.nanos;
      }
      return duration;
    }
    case "google.protobuf.FieldMask":
      return create(desc, { paths: g(fc.array(fc.constantFrom("a", "a_b", "foo_bar.baz", "a1.b_c"))) });
    case "google.protobuf.Value":
      return fromJson(desc, g(fc.jsonValue({ maxDepth: 3 })) as JsonValue);
    case "google.protobuf.Struct":
      return fromJson(desc, g(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 }))) as JsonValue);
    case "google.protobuf.ListValue":
      return fromJson(desc, g(fc.array(fc.jsonValue({ maxDepth: 2 }))) as JsonValue);
    default:
      return undefined;
  }
}
