import { ScalarType, type DescEnum, type DescField, type DescMessage } from "@bufbuild/protobuf";
import { FeatureSet_FieldPresence } from "@bufbuild/protobuf/wkt";
import { commentOf } from "./comments.ts";
import type { JsonSchema } from "./json-schema.ts";

const text: JsonSchema = { type: "string" };

/** How ProtoJSON writes the messages that it writes in their own way. */
const wellKnown: Readonly<Record<string, JsonSchema>> = {
  "google.protobuf.Any": {
    type: "object",
    properties: { "@type": text },
    required: ["@type"],
    additionalProperties: true,
  },
  "google.protobuf.Timestamp": { type: "string", format: "date-time" },
  "google.protobuf.Duration": { type: "string", pattern: "^-?[0-9]+(\\.[0-9]{1,9})?s$" },
  "google.protobuf.FieldMask": { type: "string" },
  "google.protobuf.Empty": { type: "object" },
  "google.protobuf.Struct": { type: "object", additionalProperties: true },
  "google.protobuf.Value": {},
  "google.protobuf.ListValue": { type: "array", items: {} },
  "google.protobuf.DoubleValue": { type: ["number", "null"], format: "double" },
  "google.protobuf.FloatValue": { type: ["number", "null"], format: "float" },
  "google.protobuf.Int64Value": { type: ["string", "null"], format: "int64" },
  "google.protobuf.UInt64Value": { type: ["string", "null"], format: "uint64" },
  "google.protobuf.Int32Value": { type: ["integer", "null"], format: "int32" },
  "google.protobuf.UInt32Value": { type: ["integer", "null"], format: "uint32" },
  "google.protobuf.BoolValue": { type: ["boolean", "null"] },
  "google.protobuf.StringValue": { type: ["string", "null"] },
  "google.protobuf.BytesValue": { type: ["string", "null"], contentEncoding: "base64" },
};

const scalars: Readonly<Record<ScalarType, JsonSchema>> = {
  [ScalarType.DOUBLE]: { type: "number", format: "double" },
  [ScalarType.FLOAT]: { type: "number", format: "float" },
  [ScalarType.INT64]: { type: "string", format: "int64" },
  [ScalarType.UINT64]: { type: "string", format: "uint64" },
  [ScalarType.INT32]: { type: "integer", format: "int32" },
  [ScalarType.FIXED64]: { type: "string", format: "uint64" },
  [ScalarType.FIXED32]: { type: "integer", format: "uint32" },
  [ScalarType.BOOL]: { type: "boolean" },
  [ScalarType.STRING]: { type: "string" },
  [ScalarType.BYTES]: { type: "string", contentEncoding: "base64" },
  [ScalarType.UINT32]: { type: "integer", format: "uint32" },
  [ScalarType.SFIXED32]: { type: "integer", format: "int32" },
  [ScalarType.SFIXED64]: { type: "string", format: "int64" },
  [ScalarType.SINT32]: { type: "integer", format: "int32" },
  [ScalarType.SINT64]: { type: "string", format: "int64" },
};

/**
 * The JSON schemas of messages and enums, as ProtoJSON writes them. Each type is one component, made when it is
 * first referred to, so that types may contain themselves.
 * Source: https://protobuf.dev/programming-guides/json
 */
export class MessageSchemas {
  readonly #components = new Map<string, JsonSchema>();

  /** What has been referred to, by full name, in the order of the names. */
  get components(): Readonly<Record<string, JsonSchema>> {
    return Object.fromEntries([...this.#components].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** The schema of a message: its own form for a well-known type, a reference for any other. */
  ofMessage(desc: DescMessage): JsonSchema {
    const own = wellKnown[desc.typeName];
    return own ?? this.#refer(desc, () => this.#messageSchema(desc));
  }

  /** The schema of the value of a field, whatever its kind, without what is said of the field itself. */
  ofField(field: DescField): JsonSchema {
    switch (field.fieldKind) {
      case "list":
        return { type: "array", items: this.#ofElement(field) };
      case "map":
        return { type: "object", additionalProperties: this.#ofElement(field) };
      case "scalar":
      case "enum":
      case "message":
        return this.#ofElement(field);
    }
  }

  #ofElement(field: DescField): JsonSchema {
    if (field.message !== undefined) return this.ofMessage(field.message);
    if (field.enum !== undefined) return this.#ofEnum(field.enum);
    return scalars[field.scalar];
  }

  #ofEnum(desc: DescEnum): JsonSchema {
    if (desc.typeName === "google.protobuf.NullValue") return { type: "null" };
    return this.#refer(desc, () => ({
      type: "string",
      enum: desc.values.map(({ name }) => name),
      ...describe(commentOf(desc), desc.deprecated),
    }));
  }

  #refer(desc: DescMessage | DescEnum, make: () => JsonSchema): JsonSchema {
    if (!this.#components.has(desc.typeName)) {
      this.#components.set(desc.typeName, {});
      this.#components.set(desc.typeName, make());
    }
    return { $ref: `#/components/schemas/${desc.typeName}` };
  }

  #messageSchema(desc: DescMessage): JsonSchema {
    const required = desc.fields.filter(
      ({ presence }) => presence === FeatureSet_FieldPresence.LEGACY_REQUIRED,
    );
    const properties = desc.fields.map((field) => {
      const exclusive = field.oneof === undefined ? "" : othersOf(field);
      const comment = [commentOf(field), exclusive].filter((each) => each !== "").join("\n\n");
      return [field.jsonName, { ...this.ofField(field), ...describe(comment, field.deprecated) }] as const;
    });
    return {
      type: "object",
      properties: Object.fromEntries(properties),
      ...(required.length > 0 ? { required: required.map(({ jsonName }) => jsonName) } : {}),
      ...describe(commentOf(desc), desc.deprecated),
    };
  }
}

/** The keywords for a comment and a deprecation, where there are any. */
export function describe(comment: string, deprecated: boolean): { description?: string; deprecated?: true } {
  return { ...(comment === "" ? {} : { description: comment }), ...(deprecated ? { deprecated: true } : {}) };
}

function othersOf(field: DescField): string {
  const others = field.oneof?.fields.filter((other) => other !== field).map(({ jsonName }) => jsonName) ?? [];
  return others.length === 0 ? "" : `At most one of this and ${others.join(", ")} may be set.`;
}
