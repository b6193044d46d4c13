import type { JsonValue } from "../message-codec.ts";
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
  return digits === undefined ? 0 : Number(digits.padEnd(9, "0"));
}

const earliest = Date.parse("0001-01-01T00:00:00Z") / 1000;
const latest = Date.parse("9999-12-31T23:59:59Z") / 1000;

const form =
  /^(\d{4})-(\d\d)-(\d\d)T([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(?:\.(\d{1,9}))?(?:Z|([+-])([01]\d|2[0-3]):([0-5]\d))$/;

/** google.protobuf.Timestamp: an RFC 3339 time. */
export function readTimestamp(r: WireReader, end: number, depth: number, more?: Ranges): string {
  const { seconds, nanos } = readSecondsAndNanos(r, end, depth, more);
  if (seconds < earliest || seconds > latest || nanos < 0 || nanos > 999_999_999) {
    throw r.fail("a Timestamp is not from the year 1 to 9999, or its nanos not from 0 to 999999999");
  }
  return `"${new Date(seconds * 1000).toISOString().slice(0, 19)}${fractionText(nanos)}Z"`;
}

export function writeTimestamp(json: JsonValue, w: WireWriter): void {
  const parts = typeof json === "string" ? form.exec(json) : null;
  if (parts === null) throw unexpected(json, "an RFC 3339 time like 2026-01-31T23:59:59.123Z");
  const [, year, month, day, hour, minute, second, fraction, sign, hours, minutes] = parts;
  const date = Date.parse(`${year}-${month}-${day}`);
  // A day that the month does not have is taken for one of the next month.
  if (Number.isNaN(date) || new Date(date).getUTCDate() !== Number(day)) {
    throw unexpected(json, "a day that there is");
  }
  const offset = (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * (sign === "-" ? -60 : 60);
  const seconds = date / 1000 + Number(hour) * 3600 + Number(minute) * 60 + Number(second) - offset;
  if (seconds < earliest || seconds > latest) throw unexpected(json, "a time in the years 1 to 9999");
  writeSecondsAndNanos(w, seconds, nanosFrom(fraction));
}
