import { ScalarType, type DescEnum } from "@bufbuild/protobuf";
import { literal } from "./field.ts";
import {
  boolKeyFrom,
  checkBool,
  checkIntegerKey,
  checkString,
  doubleFrom,
  enumFrom,
  floatFrom,
  int32From,
  int64From,
  int64Text,
  numberText,
  uint32From,
  uint64From,
  uint64Text,
} from "./json-scalar.ts";
import type { Scope } from "./scope.ts";

/** Source that writes a JSON value, which is in the variable `x`, with the writer `w`. */
export interface ScalarWrite {
  /** Statements that check `x` and bring it into the form that `put` takes. */
  readonly check: string;
  /** Whether it is zero, afterwards. */
  readonly isZero: string;
  /** The statement that writes it. */
  readonly put: string;
}

const zeroWords = "w.lo === 0 && w.hi === 0";

/** How a scalar is written. */
export function scalarWrite(scalar: ScalarType, scope: Scope): ScalarWrite {
  const int32 = `if (typeof x !== "number" || (x | 0) !== x) x = ${scope.name(int32From)}(x);`;
  const uint32 = `if (typeof x !== "number" || x >>> 0 !== x) x = ${scope.name(uint32From)}(x);`;
  const int64 = `${scope.name(int64From)}(x, w);`;
  const uint64 = `${scope.name(uint64From)}(x, w);`;
  const text = `if (typeof x !== "string") ${scope.name(checkString)}(x);`;
  const zeroDouble = "x === 0 && 1 / x > 0";
  switch (scalar) {
    case ScalarType.INT32:
      return { check: int32, isZero: "x === 0", put: "w.int32(x);" };
    case ScalarType.SINT32:
      return { check: int32, isZero: "x === 0", put: "w.sint32(x);" };
    case ScalarType.SFIXED32:
      return { check: int32, isZero: "x === 0", put: "w.sfixed32(x);" };
    case ScalarType.UINT32:
      return { check: uint32, isZero: "x === 0", put: "w.uint32(x);" };
    case ScalarType.FIXED32:
      return { check: uint32, isZero: "x === 0", put: "w.fixed32(x);" };
    case ScalarType.INT64:
      return { check: int64, isZero: zeroWords, put: "w.varint64();" };
    case ScalarType.SINT64:
      return { check: int64, isZero: zeroWords, put: "w.zigzag64();" };
    case ScalarType.SFIXED64:
      return { check: int64, isZero: zeroWords, put: "w.fixed64();" };
    case ScalarType.UINT64:
      return { check: uint64, isZero: zeroWords, put: "w.varint64();" };
    case ScalarType.FIXED64:
      return { check: uint64, isZero: zeroWords, put: "w.fixed64();" };
    case ScalarType.BOOL:
      return {
        check: `if (typeof x !== "boolean") ${scope.name(checkBool)}(x);`,
        isZero: "x === false",
        put: "w.bool(x);",
      };
    case ScalarType.STRING:
      return { check: text, isZero: 'x === ""', put: "w.string(x);" };
    case ScalarType.BYTES:
      return { check: text, isZero: 'x === ""', put: "w.base64(x);" };
    case ScalarType.FLOAT:
      return { check: `x = ${scope.name(floatFrom)}(x);`, isZero: zeroDouble, put: "w.float(x);" };
    case ScalarType.DOUBLE:
      return {
        check: `if (typeof x !== "number" || x - x !== 0) x = ${scope.name(doubleFrom)}(x);`,
        isZero: zeroDouble,
        put: "w.double(x);",
      };
  }
}

/** How an enum value is written; `x` is undefined after the check where the name is unknown and that is no matter. */
export function enumWrite(desc: DescEnum, strict: boolean, scope: Scope): ScalarWrite {
  const numbers = new Map<string, number>();
  for (const value of desc.values) numbers.set(value.jsonName, value.number);
  for (const value of desc.values) numbers.set(value.name, value.number);
  const known = desc.open ? "undefined" : scope.name(new Set(desc.values.map((value) => value.number)));
  const from = `x = ${scope.name(enumFrom)}(x, ${scope.name(numbers)}, ${known}, ${strict});`;
  return {
    check: desc.typeName === "google.protobuf.NullValue" ? `if (x === null) x = 0; else ${from}` : from,
    isZero: `x === ${zeroOf(desc)}`,
    put: "w.int32(x);",
  };
}

/** The statements that write the name `key` of a JSON object as the key of a map. */
export function keyWrite(scalar: ScalarType, scope: Scope): string {
  if (scalar === ScalarType.STRING) return "w.string(key);";
  if (scalar === ScalarType.BOOL) return `w.bool(${scope.name(boolKeyFrom)}(key));`;
  const { check, put } = scalarWrite(scalar, scope);
  return `${scope.name(checkIntegerKey)}(key); x = key; ${check} ${put}`;
}

/** Source that reads a value as JSON text with the reader `r`, in a message that ends at `end`. */
export interface ScalarRead {
  /** Statements that go before, and may set the variable `x`. */
  readonly before: string;
  /** The text, as an expression. */
  readonly text: string;
  /** Whether the value is zero, after `before`. */
  readonly isZero: string;
  /** The text of zero. */
  readonly zero: string;
}

function integerRead(method: string): ScalarRead {
  return { before: `x = r.${method}();`, text: '"" + x', isZero: "x === 0", zero: "0" };
}

/** How a scalar is read. */
export function scalarRead(scalar: ScalarType, checked: boolean, end: string, scope: Scope): ScalarRead {
  const integer64 = (before: string, text: typeof int64Text): ScalarRead => ({
    before,
    text: `${scope.name(text)}(r.lo, r.hi)`,
    isZero: "(r.lo | r.hi) === 0",
    zero: '"0"',
  });
  const number = (method: string): ScalarRead => ({
    before: `x = r.${method}();`,
    text: `${scope.name(numberText)}(x)`,
    isZero: "x === 0 && 1 / x > 0",
    zero: "0",
  });
  switch (scalar) {
    case ScalarType.INT32:
      return integerRead("int32");
    case ScalarType.SINT32:
      return integerRead("sint32");
    case ScalarType.SFIXED32:
      return integerRead("sfixed32");
    case ScalarType.UINT32:
      return integerRead("uint32");
    case ScalarType.FIXED32:
      return integerRead("fixed32");
    case ScalarType.INT64:
      return integer64("r.varint64();", int64Text);
    case ScalarType.SINT64:
      return integer64("r.varint64(); r.unzigzag();", int64Text);
    case ScalarType.SFIXED64:
      return integer64("r.fixed64();", int64Text);
    case ScalarType.UINT64:
      return integer64("r.varint64();", uint64Text);
    case ScalarType.FIXED64:
      return integer64("r.fixed64();", uint64Text);
    case ScalarType.BOOL:
      return { before: "x = r.bool();", text: '(x ? "true" : "false")', isZero: "!x", zero: "false" };
    case ScalarType.STRING:
      return { before: `x = r.string(${end}, ${checked});`, text: "x", isZero: "x.length === 2", zero: '""' };
    case ScalarType.BYTES:
      return { before: `x = r.base64(${end});`, text: "x", isZero: "x.length === 2", zero: '""' };
    case ScalarType.FLOAT:
      return number("float");
    case ScalarType.DOUBLE:
      return number("double");
  }
}

/** How an enum value is read. The texts by number, which are its closed set, are under the name `texts`. */
export function enumRead(desc: DescEnum, asNumber: boolean, scope: Scope): ScalarRead & { texts: string } {
  const isNull = desc.typeName === "google.protobuf.NullValue";
  const textOf = (number: number): string => {
    if (isNull) return "null";
    return asNumber ? String(number) : JSON.stringify(desc.value[number]?.jsonName ?? number);
  };
  const texts = scope.name(new Map(desc.values.map(({ number }) => [number, textOf(number)])));
  return {
    before: "x = r.int32();",
    text: isNull ? '"null"' : `(${texts}.get(x) ?? "" + x)`,
    isZero: `x === ${zeroOf(desc)}`,
    zero: textOf(zeroOf(desc)),
    texts,
  };
}

function zeroOf(desc: DescEnum): number {
  return desc.values[0]?.number ?? 0;
}

/** The expression of the name `x` of a map entry, read before, as a JSON string. */
export function keyText(read: ScalarRead): string {
  const quoted = read.zero.startsWith('"');
  return quoted ? read.text : `'"' + ${read.text} + '"'`;
}

/** The JSON string that is the name of a map entry without a key. */
export function zeroKey(read: ScalarRead): string {
  return literal(read.zero.startsWith('"') ? read.zero : `"${read.zero}"`);
}
