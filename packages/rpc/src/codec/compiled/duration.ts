import type { JsonValue } from "../message-codec.ts";
import { unexpected } from "./json-fault.ts";
import type { Ranges } from "./ranges.ts";
import { fractionText, nanosFrom, readSecondsAndNanos, writeSecondsAndNanos } from "./timestamp.ts";
import type { WireReader } from "./wire-reader.ts";
import type { WireWriter } from "./wire-writer.ts";

/** About 10,000 years, as google/protobuf/duration.proto has it. */
const longest = 315_576_000_000;
const form = /^(-?)(\d{1,12})(?:\.(\d{1,9}))?s$/;

/** google.protobuf.Duration: seconds with the suffix `s`. */
export function readDuration(r: WireReader, end: number, depth: number, more?: Ranges): string {
  const { seconds, nanos } = readSecondsAndNanos(r, end, depth, more);
  if (Math.abs(seconds) > longest || Math.abs(nanos) > 999_999_999 || seconds * nanos < 0) {
    throw r.fail("a Duration is over 10,000 years, or its seconds and nanos do not agree");
  }
  const sign = seconds < 0 || nanos < 0 ? "-" : "";
  return `"${sign}${Math.abs(seconds)}${fractionText(Math.abs(nanos))}s"`;
}

export function writeDuration(json: JsonValue, w: WireWriter): void {
  const parts = typeof json === "string" ? form.exec(json) : null;
  if (parts === null) throw unexpected(json, "a duration in seconds like 1.5s");
  const [, sign, digits, fraction] = parts;
  const seconds = Number(digits);
  const nanos = nanosFrom(fraction);
  if (seconds > longest) throw unexpected(json, "a duration of at most 10,000 years");
  writeSecondsAndNanos(w, sign === "-" ? -seconds : seconds, sign === "-" ? -nanos : nanos);
}
