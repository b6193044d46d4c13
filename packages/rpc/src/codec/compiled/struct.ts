import { maximumDepth, type JsonValue } from "../message-codec.ts";
import { JsonFault, locateFault, unexpected } from "./json-fault.ts";
import { numberText } from "./json-scalar.ts";
import { Ranges } from "./ranges.ts";
import type { WireReader } from "./wire-reader.ts";
import type { WireWriter } from "./wire-writer.ts";

/** google.protobuf.Struct: an object. */
export function readStruct(r: WireReader, end: number, depth: number, more?: Ranges): string {
  r.enter(depth);
  const members = new Map<string, string>();
  while (r.pos < end || (end = r.next(end, more)) !== 0) {
    const tag = r.tag();
    if (tag === 10) {
      const stop = r.block(end);
      readMember(r, stop, depth, members);
    } else {
      r.skip(tag, end, depth);
    }
  }
  return objectText(members);
}

/** Reads one entry of the map of a Struct: string key = 1, Value value = 2. */
function readMember(r: WireReader, end: number, depth: number, members: Map<string, string>): void {
  let name = '""';
  let start = -1;
  let stop = -1;
  let more: Ranges | undefined;
  while (r.pos < end) {
    const tag = r.tag();
    if (tag === 10) {
      name = r.string(end, true);
    } else if (tag === 18) {
      const next = r.block(end);
      if (start < 0) {
        start = r.pos;
        stop = next;
      } else {
        (more ??= new Ranges()).add(r.pos, next);
      }
      r.pos = next;
    } else {
      r.skip(tag, end, depth);
    }
  }
  r.next(end);
  if (start < 0) throw r.fail("a Value has no value");
  r.pos = start;
  members.set(name, readValue(r, stop, depth + 1, more));
  r.pos = end;
}

/** The text of an object from the texts of its names and values. */
export function objectText(members: ReadonlyMap<string, string>): string {
  let text = "";
  for (const [name, value] of members) text += (text === "" ? "{" : ",") + name + ":" + value;
  return text === "" ? "{}" : text + "}";
}

/** google.protobuf.ListValue: an array. */
export function readListValue(r: WireReader, end: number, depth: number, more?: Ranges): string {
  r.enter(depth);
  let text = "";
  while (r.pos < end || (end = r.next(end, more)) !== 0) {
    const tag = r.tag();
    if (tag === 10) {
      const stop = r.block(end);
      text += (text === "" ? "[" : ",") + readValue(r, stop, depth + 1);
    } else {
      r.skip(tag, end, depth);
    }
  }
  return text === "" ? "[]" : text + "]";
}

/** google.protobuf.Value: any JSON value. Its fields are one oneof, so the last one counts. */
export function readValue(r: WireReader, end: number, depth: number, more?: Ranges): string {
  r.enter(depth);
  let text: string | undefined;
  // The struct or list that is the value, if one is: it may stand in several places.
  let embedded = 0;
  let start = 0;
  let stop = 0;
  let further: Ranges | undefined;
  while (r.pos < end || (end = r.next(end, more)) !== 0) {
    const tag = r.tag();
    switch (tag) {
      case 8:
        r.varint64();
        text = "null";
        embedded = 0;
        break;
      case 17: {
        const number = r.double();
        if (!Number.isFinite(number)) throw r.fail("a Value is not a finite number");
        text = numberText(number);
        embedded = 0;
        break;
      }
      case 26:
        text = r.string(end, true);
        embedded = 0;
        break;
      case 32:
        text = r.bool() ? "true" : "false";
        embedded = 0;
        break;
      case 42:
      case 50: {
        const next = r.block(end);
        if (embedded === tag) {
          (further ??= new Ranges()).add(r.pos, next);
        } else {
          embedded = tag;
          start = r.pos;
          stop = next;
          further = undefined;
        }
        r.pos = next;
        break;
      }
      default:
        r.skip(tag, end, depth);
    }
  }
  if (embedded === 0) {
    if (text === undefined) throw r.fail("a Value has no value");
    return text;
  }
  const after = r.pos;
  r.pos = start;
  text =
    embedded === 42 ? readStruct(r, stop, depth + 1, further) : readListValue(r, stop, depth + 1, further);
  r.pos = after;
  return text;
}

export function writeStruct(json: JsonValue, w: WireWriter, depth: number): void {
  if (typeof json !== "object" || json === null || Array.isArray(json)) throw unexpected(json, "an object");
  for (const name of Object.keys(json)) {
    try {
      w.tag(10);
      const entry = w.open();
      w.tag(10);
      w.string(name);
      w.tag(18);
      const value = w.open();
      writeValue(json[name] as JsonValue, w, depth + 1);
      w.close(value);
      w.close(entry);
    } catch (error) {
      throw locateFault(error, "", name);
    }
  }
}

export function writeListValue(json: JsonValue, w: WireWriter, depth: number): void {
  if (!Array.isArray(json)) throw unexpected(json, "an array");
  for (const [index, item] of json.entries()) {
    try {
      w.tag(10);
      const value = w.open();
      writeValue(item, w, depth + 1);
      w.close(value);
    } catch (error) {
      throw locateFault(error, "", index);
    }
  }
}

export function writeValue(json: JsonValue, w: WireWriter, depth: number): void {
  if (depth > maximumDepth) throw new JsonFault(`nested deeper than ${maximumDepth} messages`);
  if (typeof json === "string") {
    w.tag(26);
    w.string(json);
  } else if (typeof json === "number") {
    if (!Number.isFinite(json)) throw unexpected(json, "a finite number");
    w.tag(17);
    w.double(json);
  } else if (typeof json === "boolean") {
    w.tag(32);
    w.bool(json);
  } else if (json === null) {
    w.tag(8);
    w.uint32(0);
  } else {
    const list = Array.isArray(json);
    w.tag(list ? 50 : 42);
    const start = w.open();
    if (list) writeListValue(json, w, depth);
    else writeStruct(json, w, depth);
    w.close(start);
  }
}
