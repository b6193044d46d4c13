import type { JsonValue } from "../message-codec.ts";
import { JsonFault, locateFault, unexpected } from "./json-fault.ts";
import type { Ranges } from "./ranges.ts";
import type { FindUnit, ReadMessage, WriteMessage } from "./unit.ts";
import type { WireReader } from "./wire-reader.ts";
import type { WireWriter } from "./wire-writer.ts";

function typeNameOf(url: string): string {
  return url.slice(url.lastIndexOf("/") + 1);
}

/** google.protobuf.Any: the JSON of the message inside, with its type as `@type`. */
export function createAnyReader(find: FindUnit): ReadMessage {
  return (r: WireReader, end: number, depth: number, more?: Ranges): string => {
    r.enter(depth);
    let url = "";
    let start = 0;
    let stop = 0;
    while (r.pos < end || (end = r.next(end, more)) !== 0) {
      const tag = r.tag();
      if (tag === 10) {
        url = r.text(end);
      } else if (tag === 18) {
        stop = r.block(end);
        start = r.pos;
        r.pos = stop;
      } else {
        r.skip(tag, end, depth);
      }
    }
    if (url === "") return "{}";
    const head = `{"@type":${JSON.stringify(url)}`;
    const unit = find(typeNameOf(url));
    if (unit === undefined) return `${head},"value":${r.base64Of(start, stop)}}`;
    const after = r.pos;
    r.pos = start;
    const text = unit.read(r, stop, depth + 1, undefined, head);
    r.pos = after;
    return unit.custom ? `${head},"value":${text}}` : text;
  };
}

export function createAnyWriter(find: FindUnit): WriteMessage {
  return (json: JsonValue, w: WireWriter, depth: number): void => {
    if (typeof json !== "object" || json === null || Array.isArray(json)) throw unexpected(json, "an object");
    const url = Object.hasOwn(json, "@type") ? json["@type"] : undefined;
    if (url === undefined) {
      if (Object.keys(json).length === 0) return;
      throw new JsonFault('an Any needs its type as "@type"');
    }
    const unit = typeof url === "string" ? find(typeNameOf(url)) : undefined;
    if (typeof url !== "string" || unit === undefined) {
      throw new JsonFault(`the type of an Any is not known: ${JSON.stringify(url)}`);
    }
    w.tag(10);
    w.string(url);
    w.tag(18);
    const start = w.open();
    if (unit.custom) writeCustom(json["value"], unit.write, w, depth);
    else unit.write(json, w, depth + 1, true);
    w.dropEmpty(start, 1);
  };
}

function writeCustom(value: JsonValue | undefined, write: WriteMessage, w: WireWriter, depth: number): void {
  if (value === undefined) throw new JsonFault('an Any of this type needs its content as "value"');
  try {
    write(value, w, depth + 1, false);
  } catch (error) {
    throw locateFault(error, "value", -1);
  }
}
