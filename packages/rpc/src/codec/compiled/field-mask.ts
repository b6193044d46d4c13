import type { JsonValue } from "../message-codec.ts";
import { unexpected } from "./json-fault.ts";
import type { Ranges } from "./ranges.ts";
import type { WireReader } from "./wire-reader.ts";
import type { WireWriter } from "./wire-writer.ts";

function camelCase(path: string): string {
  return path.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function snakeCase(path: string): string {
  return path.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** google.protobuf.FieldMask: its paths in lowerCamelCase, with commas between them. */
export function readFieldMask(r: WireReader, end: number, depth: number, more?: Ranges): string {
  r.enter(depth);
  const paths: string[] = [];
  while (r.pos < end || (end = r.next(end, more)) !== 0) {
    const tag = r.tag();
    if (tag !== 10) {
      r.skip(tag, end, depth);
      continue;
    }
    const path = r.text(end);
    const camel = camelCase(path);
    if (camel.includes("_") || snakeCase(camel) !== path) {
      throw r.fail(`a FieldMask has a path that has no lowerCamelCase: ${JSON.stringify(path)}`);
    }
    paths.push(camel);
  }
  return JSON.stringify(paths.join(","));
}

export function writeFieldMask(json: JsonValue, w: WireWriter): void {
  if (typeof json !== "string" || json.includes("_")) {
    throw unexpected(json, "the paths of a FieldMask, in lowerCamelCase and with commas between them");
  }
  if (json === "") return;
  for (const path of json.split(",")) {
    w.tag(10);
    w.string(snakeCase(path));
  }
}
