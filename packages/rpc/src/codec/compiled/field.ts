import {
  ScalarType,
  type DescEnum,
  type DescExtension,
  type DescField,
  type DescMessage,
} from "@bufbuild/protobuf";
import { FeatureSet_FieldPresence } from "@bufbuild/protobuf/wkt";

/** A field of a message, or an extension of it. */
export type Field = DescField | DescExtension;

/** What one value of a field is: of a singular field, of an item of a list, or of the value of a map entry. */
export type Kind =
  | { readonly kind: "scalar"; readonly scalar: ScalarType }
  | { readonly kind: "enum"; readonly enum: DescEnum }
  | { readonly kind: "message"; readonly message: DescMessage; readonly group: boolean };

/** The kind of a field's values. */
export function kindOf(field: Field): Kind {
  if (field.message !== undefined) {
    return { kind: "message", message: field.message, group: field.delimitedEncoding };
  }
  if (field.enum !== undefined) return { kind: "enum", enum: field.enum };
  return { kind: "scalar", scalar: field.scalar };
}

const wireTypes = new Map([
  [ScalarType.STRING, 2],
  [ScalarType.BYTES, 2],
  [ScalarType.DOUBLE, 1],
  [ScalarType.FIXED64, 1],
  [ScalarType.SFIXED64, 1],
  [ScalarType.FLOAT, 5],
  [ScalarType.FIXED32, 5],
  [ScalarType.SFIXED32, 5],
]);

/** The wire type of a kind. */
export function wireTypeOf(kind: Kind): number {
  if (kind.kind === "message") return kind.group ? 3 : 2;
  return kind.kind === "enum" ? 0 : (wireTypes.get(kind.scalar) ?? 0);
}

/** A field number with a wire type, as on the wire. */
export function tagOf(field: { readonly number: number }, wireType: number): number {
  return ((field.number << 3) | wireType) >>> 0;
}

/** Whether a singular field is not written where it is zero. */
export function isImplicit(field: Field): boolean {
  return field.oneof === undefined && field.presence === FeatureSet_FieldPresence.IMPLICIT;
}

export function isRequired(field: Field): boolean {
  return field.presence === FeatureSet_FieldPresence.LEGACY_REQUIRED;
}

/** Whether JSON null is a value of the field, rather than its absence. */
export function takesNull(kind: Kind): boolean {
  if (kind.kind === "message") return kind.message.typeName === "google.protobuf.Value";
  return kind.kind === "enum" && kind.enum.typeName === "google.protobuf.NullValue";
}

/** JavaScript source of a string: whatever it contains, it stays a string. */
export function literal(text: string): string {
  return JSON.stringify(text).replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029");
}

/** The name of a field in JSON, and the other name under which it is read too. */
export function namesOf(field: Field): { name: string; other: string | undefined } {
  if (field.kind === "extension") return { name: `[${field.typeName}]`, other: undefined };
  return { name: field.jsonName, other: field.name === field.jsonName ? undefined : field.name };
}
