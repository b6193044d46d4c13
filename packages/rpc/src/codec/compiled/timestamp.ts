import type { JsonValue } from "../message-codec.ts";
import { dateText, daysFromDate, daysOfMonth, twoDigits } from "./civil-date.ts";
import { unexpected } from "./json-fault.ts";
import type { Ranges } from "./ranges.ts";
import type { WireReader } from "./wire-reader.ts";
import type { WireWriter } from "./wire-writer.ts";

/** Reads the two fields that Timestamp and Duration share: int64 seconds = 1, int32 nanos = 2. */
export function readSecondsAndNanos(
  r: WireReader,
  end: number,
  depth: number,
  more: Ranges | undefined,
): { seconds: number; nanos: number } {
  r.enter(depth);
  let seconds = 0;
  let nanos = 0;
  while (r.pos < end || (end = r.next(end, more)) !== 0) {
    const tag = r.tag();
    if (tag === 8) {
      r.varint64();
      seconds = r.hi * 4294967296 + (r.lo >>> 0);
    } else if (tag === 16) {
      nanos = r.int32();
    } else {
      r.skip(tag, end, depth);
    }
  }
  return { seconds, nanos };
}

/** Writes int64 seconds = 1 and int32 nanos = 2, each where it is not zero. */
export function writeSecondsAndNanos(w: WireWriter, seconds: number, nanos: number): void {
  if (seconds !== 0) {
    w.tag(8);
    w.lo = seconds | 0;
    w.hi = Math.floor(seconds / 4294967296);
    w.varint64();
  }
  if (nanos !== 0) {
    w.tag(16);
    w.int32(nanos);
  }
}

/** The digits of nanoseconds after the point: none, 3, 6 or 9 of them. */
export function fractionText(nanos: number): string {
  if (nanos === 0) return "";
  const digits = String(1_000_000_000 + nanos);
  if (nanos % 1_000_000 === 0) return `.${digits.slice(1, 4)}`;
  return nanos % 1000 === 0 ? `.${digits.slice(1, 7)}` : `.${digits.slice(1)}`;
}

/** The nanoseconds of up to nine digits after a point. */
export function nanosFrom(digits: string | undefined): number {
  return digits === undefined ? 0 : Number(digits) * 10 ** (9 - digits.length);
}

const secondsOfDay = 86_400;
const earliest = daysFromDate(1, 1, 1) * secondsOfDay;
const latest = daysFromDate(10_000, 1, 1) * secondsOfDay - 1;

/** google.protobuf.Timestamp: an RFC 3339 time, which is written in UTC and read with any offset. */
export function readTimestamp(r: WireReader, end: number, depth: number, more?: Ranges): string {
  const { seconds, nanos } = readSecondsAndNanos(r, end, depth, more);
  if (seconds < earliest || seconds > latest || nanos < 0 || nanos > 999_999_999) {
    throw r.fail("a Timestamp is not from the year 1 to 9999, or its nanos not from 0 to 999999999");
  }
  const days = Math.floor(seconds / secondsOfDay);
  const time = seconds - days * secondsOfDay;
  const minutes = Math.floor(time / 60);
  const hour = twoDigits(Math.floor(minutes / 60));
  return `"${dateText(days)}T${hour}:${twoDigits(minutes % 60)}:${twoDigits(time % 60)}${fractionText(nanos)}Z"`;
}

/** The number that `length` digits of a text are, from `start` on; NaN if those are not all digits. */
function digitsAt(text: string, start: number, length: number): number {
  let number = 0;
  for (let at = start; at < start + length; at++) {
    const digit = text.charCodeAt(at) - 0x30;
    if (!(digit >= 0 && digit <= 9)) return Number.NaN;
    number = number * 10 + digit;
  }
  return number;
}

/** What follows the seconds: up to nine digits of a fraction, and `Z` or an offset. */
const tailForm = /^(?:\.(\d{1,9}))?(?:Z|([+-])([01]\d|2[0-3]):([0-5]\d))$/;

/** The seconds of a time like `2026-01-31T23:59:59`, as if in UTC; NaN if it is none. */
function secondsFrom(text: string): number {
  const [year, month, day] = [digitsAt(text, 0, 4), digitsAt(text, 5, 2), digitsAt(text, 8, 2)];
  const [hour, minute, second] = [digitsAt(text, 11, 2), digitsAt(text, 14, 2), digitsAt(text, 17, 2)];
  const separators = text.charAt(4) + text.charAt(7) + text.charAt(10) + text.charAt(13) + text.charAt(16);
  const valid =
    separators === "--T::" && month >= 1 && month <= 12 && day >= 1 && day <= daysOfMonth(year, month);
  if (!valid || !(hour <= 23 && minute <= 59 && second <= 59)) return Number.NaN;
  return daysFromDate(year, month, day) * secondsOfDay + hour * 3600 + minute * 60 + second;
}

export function writeTimestamp(json: JsonValue, w: WireWriter): void {
  const text = typeof json === "string" ? json : "";
  const tail = tailForm.exec(text.slice(19));
  let seconds = secondsFrom(text);
  if (tail === null || Number.isNaN(seconds)) {
    throw unexpected(json, "an RFC 3339 time like 2026-01-31T23:59:59.123Z");
  }
  const [, fraction, sign, hours, minutes] = tail;
  if (sign !== undefined) seconds -= (Number(hours) * 3600 + Number(minutes) * 60) * (sign === "-" ? -1 : 1);
  if (seconds < earliest || seconds > latest) throw unexpected(json, "a time in the years 1 to 9999");
  writeSecondsAndNanos(w, seconds, nanosFrom(fraction));
}
