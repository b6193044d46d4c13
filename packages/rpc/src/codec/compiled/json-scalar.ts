import type { JsonValue } from "../message-codec.ts";
import { JsonFault, unexpected } from "./json-fault.ts";
import type { WireWriter } from "./wire-writer.ts";

/** A number as JSON writes it; leading zeros are let pass, as every other runtime does. */
const numberForm = /^-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;
/** No more digits than 64 bits have, so that nobody is made to read a million of them. */
const integerForm = /^-?0*[0-9]{1,20}$/;
/** How an integer stands in the key of a map, which has no second form, so that no key is there twice. */
const integerKeyForm = /^(?:0|-?[1-9][0-9]*)$/;

function numberFrom(value: JsonValue): number {
  if (typeof value === "number") return value;
  return typeof value === "string" && numberForm.test(value) ? Number(value) : Number.NaN;
}

/** An int32, sint32 or sfixed32, given as a number or a string. Throws a JsonFault. */
export function int32From(value: JsonValue): number {
  const number = numberFrom(value);
  if ((number | 0) !== number) throw unexpected(value, "a 32-bit integer");
  return number;
}

/** A uint32 or fixed32, given as a number or a string. Throws a JsonFault. */
export function uint32From(value: JsonValue): number {
  const number = numberFrom(value);
  if (number >>> 0 !== number) throw unexpected(value, "an unsigned 32-bit integer");
  return number;
}

/** A double, given as a number, a string, or one of the three names. Throws a JsonFault. */
export function doubleFrom(value: JsonValue): number {
  if (value === "NaN") return Number.NaN;
  if (value === "Infinity") return Number.POSITIVE_INFINITY;
  if (value === "-Infinity") return Number.NEGATIVE_INFINITY;
  const number = numberFrom(value);
  if (!Number.isFinite(number)) throw unexpected(value, "a number");
  return number;
}

/** A float: a double that rounds to a finite one, unless it is one of the three names. Throws a JsonFault. */
export function floatFrom(value: JsonValue): number {
  const number = doubleFrom(value);
  if (Number.isFinite(number) && !Number.isFinite(Math.fround(number))) {
    throw unexpected(value, "a number in the range of float");
  }
  return number;
}

const two32 = 4294967296;
const two63 = 2 ** 63;
const two64 = 2 ** 64;

/** Puts an int64, sint64 or sfixed64, given as a number or a string, into the writer's words. Throws a JsonFault. */
export function int64From(value: JsonValue, writer: WireWriter): void {
  if (typeof value === "number" && Number.isInteger(value) && value >= -two63 && value < two63) {
    setWords(value, writer);
  } else {
    const integer = integerFrom(value);
    if (integer === undefined || integer < -two63 || integer >= two63) {
      throw unexpected(value, "a 64-bit integer");
    }
    setIntegerWords(integer, writer);
  }
}

/** Puts a uint64 or fixed64, given as a number or a string, into the writer's words. Throws a JsonFault. */
export function uint64From(value: JsonValue, writer: WireWriter): void {
  if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value < two64) {
    setWords(value, writer);
  } else {
    const integer = integerFrom(value);
    if (integer === undefined || integer < 0 || integer >= two64) {
      throw unexpected(value, "an unsigned 64-bit integer");
    }
    setIntegerWords(integer, writer);
  }
}

/** The integer that a string is in decimal, with all its digits; undefined if it is none. */
function integerFrom(value: JsonValue): number | bigint | undefined {
  if (typeof value !== "string") return undefined;
  if (value.length > 15) return integerForm.test(value) ? BigInt(value) : undefined;
  const negative = value.startsWith("-");
  const start = negative ? 1 : 0;
  if (value.length === start) return undefined;
  let integer = 0;
  for (let at = start; at < value.length; at++) {
    const digit = value.charCodeAt(at) - 0x30;
    if (!(digit >= 0 && digit <= 9)) return undefined;
    integer = integer * 10 + digit;
  }
  return negative ? -integer : integer;
}

function setWords(value: number, writer: WireWriter): void {
  // Both words of a number that a double holds are exact; | takes the low 32 bits.
  writer.lo = value | 0;
  writer.hi = Math.floor(value / two32) | 0;
}

function setIntegerWords(value: number | bigint, writer: WireWriter): void {
  if (typeof value === "number") {
    setWords(value, writer);
    return;
  }
  writer.lo = Number(BigInt.asIntN(32, value));
  writer.hi = Number(BigInt.asIntN(32, value >> 32n));
}

export function checkBool(value: JsonValue): void {
  if (typeof value !== "boolean") throw unexpected(value, "true or false");
}

export function checkString(value: JsonValue): void {
  if (typeof value !== "string") throw unexpected(value, "a string");
}

/** The key of a map as its boolean. Throws a JsonFault. */
export function boolKeyFrom(key: string): boolean {
  if (key !== "true" && key !== "false") throw new JsonFault('expected "true" or "false" as key');
  return key === "true";
}

/** Refuses the key of a map that is not an integer in its one form. */
export function checkIntegerKey(key: string): void {
  if (!integerKeyForm.test(key)) throw new JsonFault("expected an integer as key");
}

/** A value of an enum, by name or number; undefined for an unknown name where those are ignored. Throws a JsonFault. */
export function enumFrom(
  value: JsonValue,
  numbers: ReadonlyMap<string, number>,
  known: ReadonlySet<number> | undefined,
  strict: boolean,
): number | undefined {
  if (typeof value === "string") {
    const number = numbers.get(value);
    if (number === undefined && strict) throw unexpected(value, "the name of an enum value");
    return number;
  }
  if (typeof value !== "number" || (value | 0) !== value) throw unexpected(value, "an enum value");
  if (known?.has(value) === false) throw unexpected(value, "a number that the enum has");
  return value;
}

/** The JSON text of a float or double. */
export function numberText(value: number): string {
  if (Number.isFinite(value)) return Object.is(value, -0) ? "-0" : String(value);
  return `"${value}"`;
}

/** The JSON text of a signed 64-bit integer. */
export function int64Text(lo: number, hi: number): string {
  const number = hi * two32 + (lo >>> 0);
  if (Number.isSafeInteger(number)) return `"${number}"`;
  return `"${(BigInt(hi) << 32n) + BigInt(lo >>> 0)}"`;
}

/** The JSON text of an unsigned 64-bit integer. */
export function uint64Text(lo: number, hi: number): string {
  const number = (hi >>> 0) * two32 + (lo >>> 0);
  if (Number.isSafeInteger(number)) return `"${number}"`;
  return `"${(BigInt(hi >>> 0) << 32n) + BigInt(lo >>> 0)}"`;
}
