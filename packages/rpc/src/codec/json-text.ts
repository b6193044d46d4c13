import { isUtf8 } from "node:buffer";
import { createCodecError } from "./codec-error.ts";
import type { JsonValue } from "./message-codec.ts";

const quote = 0x22;
const backslash = 0x5c;

/**
 * Parses JSON text (RFC 8259). Throws an RpcError `json_invalid` for what is not JSON, and for an object that
 * has one name twice: ProtoJSON refuses it, and `JSON.parse` would silently keep the last.
 */
export function parseJson(text: string): JsonValue {
  let json: JsonValue;
  try {
    json = JSON.parse(text) as JsonValue;
  } catch (error) {
    throw createCodecError("json_invalid", `not JSON: ${(error as SyntaxError).message}`, error);
  }
  // A name that is twice in one object is in the text once more than in the value.
  if (namesInText(text) !== namesInValue(json)) {
    const name = findDuplicateName(text);
    throw createCodecError("json_invalid", `the name ${JSON.stringify(name)} is twice in one object`);
  }
  return json;
}

/** Parses JSON text in UTF-8, as `parseJson`; an RpcError `json_invalid` for bytes that are not UTF-8, too. */
export function parseJsonBytes(bytes: Uint8Array): JsonValue {
  if (!isUtf8(bytes)) throw createCodecError("json_invalid", "not JSON: the bytes are not UTF-8");
  return parseJson(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8"));
}

/** How many names the objects of JSON text have: each is followed by a colon that is not in a string. */
function namesInText(text: string): number {
  let names = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x3a) names++;
    else if (code === quote) at = endOfString(text, at);
  }
  return names;
}

/** How many names the objects have of which a value is made. It may be nested deeper than the stack is. */
function namesInValue(json: JsonValue): number {
  let names = 0;
  const open: JsonValue[] = [json];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (typeof value !== "object" || value === null) continue;
    const items: JsonValue[] = Array.isArray(value) ? value : Object.values(value);
    if (items !== value) names += items.length;
    for (const item of items) if (typeof item === "object") open.push(item);
  }
  return names;
}

/** Finds a name that an object of JSON text has twice. */
function findDuplicateName(text: string): string | undefined {
  // One entry per open object or array: the names seen, or null in an array.
  const open: (Set<string> | null)[] = [];
  let expectsName = false;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case 0x7b: // {
        open.push(new Set());
        expectsName = true;
        break;
      case 0x5b: // [
        open.push(null);
        break;
      case 0x7d: // }
      case 0x5d: // ]
        open.pop();
        expectsName = false;
        break;
      case 0x2c: // ,
        expectsName = open.at(-1) !== null;
        break;
      case quote: {
        const end = endOfString(text, at);
        if (expectsName) {
          const name = JSON.parse(text.slice(at, end + 1)) as string;
          const names = open.at(-1);
          if (names?.has(name) === true) return name;
          names?.add(name);
          expectsName = false;
        }
        at = end;
        break;
      }
      default:
    }
  }
  return undefined;
}

/** Where the string that begins at `start` has its closing quote. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  for (let code = text.charCodeAt(at); code !== quote; code = text.charCodeAt(++at)) {
    if (code === backslash) at++;
  }
  return at;
}
