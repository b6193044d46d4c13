import type { DescMessage, DescOneof } from "@bufbuild/protobuf";
import {
  isImplicit,
  isRequired,
  kindOf,
  literal,
  namesOf,
  tagOf,
  wireTypeOf,
  type Field,
  type Kind,
} from "./field.ts";
import { Ranges } from "./ranges.ts";
import { enumRead, keyText, scalarRead, zeroKey, type ScalarRead } from "./scalar-source.ts";
import type { Scope } from "./scope.ts";
import { objectText } from "./struct.ts";
import type { Unit } from "./unit.ts";

/** What the source of a message needs to know beside its descriptor. */
export interface ReadSourceOptions {
  readonly emitDefaults: boolean;
  readonly enumsAsNumbers: boolean;
  readonly protoFieldNames: boolean;
  readonly scope: Scope;
  unitOf(desc: DescMessage): Unit;
}

/** The source of one field. */
interface FieldSource {
  /** Declares the variables that keep what was read. */
  readonly variables: string;
  /** The cases of its tags, which read into the variables. */
  readonly cases: string;
  /** Adds the member to the text `t` of the object, if there is to be one. */
  readonly emit: string;
}

/**
 * The source of a ReadMessage. First every field is read into variables of its own, because they come in any
 * order and more than once; then the object is put together in the order of the field numbers.
 *
 * Scalars, lists and maps are read at once, as text in `f0`, `f1` and so on. A message is only passed over, and
 * its place kept (`s0` to `e0`, and `m0` for further places), because another part of it may still follow.
 */
export function readSource(fields: readonly Field[], options: ReadSourceOptions): string {
  const oneofs = [...new Set(fields.flatMap((field) => field.oneof ?? []))];
  const sources = fields.map((field, index) => fieldSource(field, index, oneofs, options));
  return `
return function (r, end, depth, more, t = "{") {
  r.enter(depth);
  let x, stop;
  ${oneofs.map((_, index) => `let g${index} = -1, f_${index} = "", s_${index} = 0, e_${index} = 0, m_${index};`).join("\n  ")}
  ${sources.map((source) => source.variables).join("\n  ")}
  ${loopSource(sources)}
  const after = r.pos;
  ${sources.map((source) => source.emit).join("\n  ")}
  r.pos = after;
  return t + "}";
};`;
}

/** The source of a ReadMessage of a wrapper, whose JSON is that of its field. */
export function readWrapperSource(field: Field, options: ReadSourceOptions): string {
  const source = fieldSource(field, 0, [], options);
  const zero = scalarOf(field, kindOf(field), options)?.zero ?? "";
  return `
return function (r, end, depth, more) {
  r.enter(depth);
  let x, stop;
  ${source.variables}
  ${loopSource([source])}
  return f0 === "" ? ${literal(zero)} : f0;
};`;
}

function loopSource(sources: readonly FieldSource[]): string {
  return `while (r.pos < end || (end = r.next(end, more)) !== 0) {
    const tag = r.tag();
    switch (tag) {
      ${sources.map((source) => source.cases).join("\n      ")}
      default: r.skip(tag, end, depth);
    }
  }`;
}

function fieldSource(
  field: Field,
  index: number,
  oneofs: readonly DescOneof[],
  options: ReadSourceOptions,
): FieldSource {
  if (field.oneof !== undefined) return memberSource(field, index, oneofs.indexOf(field.oneof), options);
  if (field.fieldKind === "list") return listSource(field, index, options);
  if (field.fieldKind === "map") return mapSource(field, index, options);
  return field.message === undefined
    ? scalarSource(field, index, options)
    : messageSource(field, index, options);
}

/** How the values of a field are read that are no messages, in what ends at the variable `end`. */
function scalarOf(
  field: Field,
  kind: Kind,
  options: ReadSourceOptions,
  end = "end",
): (ScalarRead & { texts?: string }) | undefined {
  if (kind.kind === "message") return undefined;
  return kind.kind === "enum"
    ? enumRead(kind.enum, options.enumsAsNumbers, options.scope)
    : scalarRead(kind.scalar, field.utf8Validation, end, options.scope);
}

/** The statement that adds a member to the object: after a comma, unless it is the first one. */
function emitSource(field: Field, value: string, { protoFieldNames }: ReadSourceOptions): string {
  const name = protoFieldNames && field.kind === "field" ? field.name : namesOf(field).name;
  const member = `${JSON.stringify(name)}:`;
  return `t += (t.length === 1 ? ${literal(member)} : ${literal(`,${member}`)}) + ${value};`;
}

/** Leaves the case where the number that was read is none of a closed enum: then the field is as if unknown. */
function closedSource(kind: Kind, read: ScalarRead & { texts?: string }): string {
  return kind.kind === "enum" && !kind.enum.open ? `if (!${read.texts}.has(x)) break;` : "";
}

function scalarSource(field: Field, index: number, options: ReadSourceOptions): FieldSource {
  const kind = kindOf(field);
  const read = scalarOf(field, kind, options) as ScalarRead;
  const f = `f${index}`;
  const text = isImplicit(field) ? `${read.isZero} ? "" : ${read.text}` : read.text;
  const emit = emitSource(field, f, options);
  let missing = "";
  if (isRequired(field))
    missing = ` else throw r.fail(${literal(`the required field ${namesOf(field).name} is not set`)});`;
  else if (isImplicit(field) && options.emitDefaults)
    missing = ` else ${emitSource(field, literal(read.zero), options)}`;
  return {
    variables: `let ${f} = "";`,
    cases: `case ${tagOf(field, wireTypeOf(kind))}: ${read.before} ${closedSource(kind, read)} ${f} = ${text}; break;`,
    emit: `if (${f} !== "") ${emit}${missing}`,
  };
}

/** Statements that find where the embedded message begins and ends, as `start` and `stop`, and go past it. */
function placeSource(field: { readonly number: number }, kind: Kind): string {
  return kind.kind === "message" && kind.group
    ? `const start = r.pos; stop = r.group(${field.number}, end, depth + 1);`
    : `stop = r.block(end); const start = r.pos; r.pos = stop;`;
}

function messageSource(field: Field, index: number, options: ReadSourceOptions): FieldSource {
  const kind = kindOf(field);
  const { scope } = options;
  const [s, e, m] = [`s${index}`, `e${index}`, `m${index}`];
  const unit = scope.name(options.unitOf(field.message as DescMessage));
  const missing = isRequired(field)
    ? ` else throw r.fail(${literal(`the required field ${namesOf(field).name} is not set`)});`
    : "";
  return {
    variables: `let ${s} = -1, ${e} = 0, ${m};`,
    cases: `case ${tagOf(field, wireTypeOf(kind))}: { ${placeSource(field, kind)}
        if (${s} < 0) { ${s} = start; ${e} = stop; } else (${m} ??= new ${scope.name(Ranges)}()).add(start, stop);
        break; }`,
    emit: `if (${s} >= 0) { r.pos = ${s}; ${emitSource(field, `${unit}.read(r, ${e}, depth + 1, ${m})`, options)} }${missing}`,
  };
}

/** A member of a oneof shares its variables with the others: the last one on the wire counts. */
function memberSource(field: Field, index: number, oneof: number, options: ReadSourceOptions): FieldSource {
  const kind = kindOf(field);
  const { scope } = options;
  const [g, f, s, e, m] = [`g${oneof}`, `f_${oneof}`, `s_${oneof}`, `e_${oneof}`, `m_${oneof}`];
  const tag = tagOf(field, wireTypeOf(kind));
  const read = scalarOf(field, kind, options);
  if (read !== undefined) {
    return {
      variables: "",
      cases: `case ${tag}: ${read.before} ${closedSource(kind, read)} ${f} = ${read.text}; ${g} = ${index}; break;`,
      emit: `if (${g} === ${index}) ${emitSource(field, f, options)}`,
    };
  }
  const unit = scope.name(options.unitOf(field.message as DescMessage));
  return {
    variables: "",
    cases: `case ${tag}: { ${placeSource(field, kind)}
        if (${g} === ${index}) (${m} ??= new ${scope.name(Ranges)}()).add(start, stop);
        else { ${g} = ${index}; ${s} = start; ${e} = stop; ${m} = undefined; }
        break; }`,
    emit: `if (${g} === ${index}) { r.pos = ${s}; ${emitSource(field, `${unit}.read(r, ${e}, depth + 1, ${m})`, options)} }`,
  };
}

function listSource(field: Field, index: number, options: ReadSourceOptions): FieldSource {
  const kind = kindOf(field);
  const f = `f${index}`;
  const emit = emitSource(field, `"[" + ${f} + "]"`, options);
  return {
    variables: `let ${f} = "";`,
    cases: itemCases(field, kind, `${f} += (${f} === "" ? "" : ",")`, options),
    emit: options.emitDefaults && field.kind === "field" ? emit : `if (${f} !== "") ${emit}`,
  };
}

/** The cases of a list: `add` is the beginning of a statement that adds the text of an item. */
function itemCases(field: Field, kind: Kind, add: string, options: ReadSourceOptions): string {
  const wireType = wireTypeOf(kind);
  const read = scalarOf(field, kind, options);
  if (read === undefined) {
    const unit = options.scope.name(options.unitOf(field.message as DescMessage));
    return `case ${tagOf(field, wireType)}: { ${placeSource(field, kind)}
        const next = r.pos; r.pos = start; ${add} + ${unit}.read(r, stop, depth + 1); r.pos = next;
        break; }`;
  }
  const item = `${read.before} ${add} + ${read.text};`;
  const single = `case ${tagOf(field, wireType)}: ${item} break;`;
  // What can be packed is read both ways, whichever the descriptor says.
  return wireType === 2
    ? single
    : `${single} case ${tagOf(field, 2)}: stop = r.block(end); while (r.pos < stop) { ${item} } r.next(stop); break;`;
}

function mapSource(field: Field, index: number, options: ReadSourceOptions): FieldSource {
  if (field.fieldKind !== "map") throw new TypeError("not a map");
  const { scope } = options;
  const f = `f${index}`;
  const object = scope.name(objectText);
  const key = scalarRead(field.mapKey, field.utf8Validation, "stop", scope);
  const kind = kindOf(field);
  const value = scalarOf(field, kind, options, "stop");
  const keyTag = tagOf({ number: 1 }, wireTypeOf({ kind: "scalar", scalar: field.mapKey }));
  const emptyMap = scope.name(new Map());
  const valueCase =
    value === undefined
      ? `case 18: { const last = r.block(stop); if (s < 0) { s = r.pos; e = last; } else (m ??= new ${scope.name(Ranges)}()).add(r.pos, last); r.pos = last; break; }`
      : `case ${tagOf({ number: 2 }, wireTypeOf(kind))}: ${value.before} v = ${value.text}; break;`;
  const finish =
    value === undefined
      ? `r.pos = s < 0 ? stop : s; v = ${scope.name(options.unitOf(field.message as DescMessage))}.read(r, s < 0 ? stop : e, depth + 1, m); r.pos = stop;`
      : "";
  return {
    variables: `let ${f};`,
    cases: `case ${tagOf(field, 2)}: {
        stop = r.block(end);
        let k = ${zeroKey(key)}, v = ${literal(value?.zero ?? "")}, s = -1, e = 0, m;
        while (r.pos < stop) {
          const tag = r.tag();
          switch (tag) {
            case ${keyTag}: ${key.before} k = ${keyText(key)}; break;
            ${valueCase}
            default: r.skip(tag, stop, depth);
          }
        }
        r.next(stop);
        ${finish}
        (${f} ??= new Map()).set(k, v);
        break;
      }`,
    emit: options.emitDefaults
      ? emitSource(field, `${object}(${f} ?? ${emptyMap})`, options)
      : `if (${f} !== undefined) ${emitSource(field, `${object}(${f})`, options)}`,
  };
}
