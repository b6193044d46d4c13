import type { DescMessage } from "@bufbuild/protobuf";
import { maximumDepth, type JsonValue } from "../message-codec.ts";
import {
  isImplicit,
  isRequired,
  kindOf,
  namesOf,
  tagOf,
  takesNull,
  wireTypeOf,
  type Field,
  type Kind,
} from "./field.ts";
import { JsonFault, locateFault, unexpected } from "./json-fault.ts";
import { MemberLayouts } from "./member-layouts.ts";
import { enumWrite, keyWrite, scalarWrite, type ScalarWrite } from "./scalar-source.ts";
import type { Scope } from "./scope.ts";
import type { Unit } from "./unit.ts";

/** What the source of a message needs to know beside its descriptor. */
export interface WriteSourceOptions {
  readonly strict: boolean;
  readonly scope: Scope;
  unitOf(desc: DescMessage): Unit;
}

/**
 * The source of a WriteMessage, which writes the fields in the order of their numbers, so that the bytes do not
 * depend on the order of the JSON.
 *
 * In it, `w` is the writer, `f` the index of the field at hand, `x` its value, and `i` the index or key in it, for
 * the path of a fault; `g0` is the index of the field that is set of the first oneof.
 */
export function writeSource(fields: readonly Field[], options: WriteSourceOptions): string {
  const { scope, strict } = options;
  const names = scope.name(fields.map((field) => namesOf(field).name));
  const oneofs = [...new Set(fields.flatMap((field) => field.oneof ?? []))];
  const cases = fields.map((field, index) => {
    const oneof = field.oneof === undefined ? undefined : `g${oneofs.indexOf(field.oneof)}`;
    return caseSource(field, index, oneof, names, options);
  });
  const layouts = scope.name(new MemberLayouts(indexByName(fields), strict));
  const required = [...fields.keys()].filter((index) => isRequired(fields[index] as Field));
  return `
return function (o, w, depth, inAny) {
  if (depth > ${maximumDepth}) ${scope.name(refuseDepth)}();
  if (typeof o !== "object" || o === null || Array.isArray(o)) ${scope.name(refuseNonObject)}(o);
  let f = -1, i = -1, x, m;
  ${oneofs.map((_, index) => `let g${index} = -1;`).join(" ")}
  ${required.map((index) => `let h${index} = false;`).join(" ")}
  try {
    const values = Object.values(o);
    const { fields, positions } = ${layouts}.of(Object.keys(o), inAny);
    for (let at = 0; at < fields.length; at++) {
      f = fields[at];
      x = values[positions[at]];
      switch (f) {
        ${cases.join("\n        ")}
      }
    }
    ${required.map((index) => `if (!h${index}) { f = -1; ${scope.name(refuseMissing)}(${names}[${index}]); }`).join("\n    ")}
  } catch (error) {
    throw ${scope.name(locateFault)}(error, ${names}[f], i);
  }
};`;
}

/** The index of a field for each of its names; its name in JSON comes before the other name of another field. */
function indexByName(fields: readonly Field[]): ReadonlyMap<string, number> {
  const indexes = new Map<string, number>();
  for (const [index, field] of fields.entries())
    indexes.set(namesOf(field).other ?? namesOf(field).name, index);
  for (const [index, field] of fields.entries()) indexes.set(namesOf(field).name, index);
  return indexes;
}

/** The source of a WriteMessage of a wrapper, whose JSON is that of its field. */
export function writeWrapperSource(field: Field, options: WriteSourceOptions): string {
  const { scope } = options;
  return `
return function (x, w, depth) {
  if (depth > ${maximumDepth}) ${scope.name(refuseDepth)}();
  if (x === null) return;
  ${singularSource(field, options)}
};`;
}

/** The case of one field. */
function caseSource(
  field: Field,
  index: number,
  oneof: string | undefined,
  names: string,
  options: WriteSourceOptions,
): string {
  const singular = field.fieldKind !== "list" && field.fieldKind !== "map";
  const absent = singular && takesNull(kindOf(field)) ? "" : "if (x === null) break;";
  const exclusive =
    oneof === undefined
      ? ""
      : `if (${oneof} >= 0) ${options.scope.name(refuseOneof)}(${names}[${oneof}]); ${oneof} = f;`;
  const there = isRequired(field) ? `h${index} = true;` : "";
  return `case ${index}: { ${absent} ${exclusive} ${there} ${valueSource(field, options)} break; }`;
}

function valueSource(field: Field, options: WriteSourceOptions): string {
  if (field.fieldKind === "list") return listSource(field, options);
  return field.fieldKind === "map" ? mapSource(field, options) : singularSource(field, options);
}

function scalarOf(kind: Kind, { strict, scope }: WriteSourceOptions): ScalarWrite | undefined {
  if (kind.kind === "message") return undefined;
  return kind.kind === "enum" ? enumWrite(kind.enum, strict, scope) : scalarWrite(kind.scalar, scope);
}

function singularSource(field: Field, options: WriteSourceOptions): string {
  const kind = kindOf(field);
  const scalar = scalarOf(kind, options);
  if (scalar === undefined) return messageSource(field, kind, options);
  const conditions = [];
  if (kind.kind === "enum") conditions.push("x !== undefined");
  if (isImplicit(field)) conditions.push(`!(${scalar.isZero})`);
  const put = `{ w.tag(${tagOf(field, wireTypeOf(kind))}); ${scalar.put} }`;
  return `${scalar.check} ${conditions.length === 0 ? put : `if (${conditions.join(" && ")}) ${put}`}`;
}

/** Writes the message `x` as a field with this number. */
function messageSource(field: { readonly number: number }, kind: Kind, options: WriteSourceOptions): string {
  if (kind.kind !== "message") return "";
  const write = `${options.scope.name(options.unitOf(kind.message))}.write(x, w, depth + 1, false);`;
  return kind.group
    ? `w.tag(${tagOf(field, 3)}); ${write} w.tag(${tagOf(field, 4)});`
    : `w.tag(${tagOf(field, 2)}); m = w.open(); ${write} w.close(m);`;
}

function listSource(field: Field, options: WriteSourceOptions): string {
  const { scope } = options;
  const kind = kindOf(field);
  const scalar = scalarOf(kind, options);
  const packed = field.fieldKind === "list" && field.packed && scalar !== undefined;
  const tag = tagOf(field, wireTypeOf(kind));
  const refuseNull = takesNull(kind) ? "" : `if (x === null) ${scope.name(refuseNullItem)}();`;
  const skip = kind.kind === "enum" ? "if (x === undefined) continue;" : "";
  const item =
    scalar === undefined
      ? messageSource(field, kind, options)
      : `${scalar.check} ${skip} ${packed ? "w.room();" : `w.tag(${tag});`} ${scalar.put}`;
  const loop = `for (i = 0; i < list.length; i++) { x = list[i]; ${refuseNull} ${item} } i = -1;`;
  return `
      if (!Array.isArray(x)) ${scope.name(refuseNonArray)}(x);
      const list = x;
      ${packed ? `w.tag(${tagOf(field, 2)}); m = w.open(); ${loop} w.dropEmpty(m, ${tagSize(tagOf(field, 2))});` : loop}`;
}

function tagSize(tag: number): number {
  return Math.max(1, Math.ceil((32 - Math.clz32(tag)) / 7));
}

function mapSource(field: Field, options: WriteSourceOptions): string {
  if (field.fieldKind !== "map") return "";
  const { scope } = options;
  const kind = kindOf(field);
  const scalar = scalarOf(kind, options);
  const refuseNull = takesNull(kind) ? "" : `if (x === null) ${scope.name(refuseNullItem)}();`;
  const keyTag = tagOf({ number: 1 }, wireTypeOf({ kind: "scalar", scalar: field.mapKey }));
  const key = `w.tag(${tagOf(field, 2)}); const entry = w.open(); w.tag(${keyTag}); ${keyWrite(field.mapKey, scope)}`;
  const put =
    scalar === undefined
      ? messageSource({ number: 2 }, kind, options)
      : `${kind.kind === "enum" ? "" : scalar.check} w.tag(${tagOf({ number: 2 }, wireTypeOf(kind))}); ${scalar.put}`;
  // An enum value is looked at before anything is written, because the entry may have to be left out.
  const early =
    kind.kind === "enum" ? `${scalar?.check} if (x === undefined) continue; const value = x;` : "";
  const restore = kind.kind === "enum" ? "x = value;" : "x = map[key];";
  return `
      if (typeof x !== "object" || Array.isArray(x)) ${scope.name(refuseNonObject)}(x);
      const map = x;
      for (const key of Object.keys(map)) {
        i = key;
        x = map[key]; ${refuseNull} ${early}
        ${key} ${restore} ${put} w.close(entry);
      }
      i = -1;`;
}

function refuseDepth(): never {
  throw new JsonFault(`nested deeper than ${maximumDepth} messages`);
}

function refuseNonObject(value: JsonValue): never {
  throw unexpected(value, "an object");
}

function refuseNonArray(value: JsonValue): never {
  throw unexpected(value, "an array");
}

function refuseNullItem(): never {
  throw new JsonFault("null is no value here");
}

function refuseMissing(name: string): never {
  throw new JsonFault(`the required field ${JSON.stringify(name)} is not set`);
}

function refuseOneof(name: string): never {
  throw new JsonFault(`only one field of a oneof can be set, and ${JSON.stringify(name)} is`);
}
