import { RpcError } from "../error.ts";
import type { JsonValue } from "./message-codec.ts";

/**
 * Parses JSON text (RFC 8259). Throws an RpcError `json_invalid` for what is not JSON, and for an object that
 * has one name twice: ProtoJSON refuses it, and `JSON.parse` would silently keep the last.
 */
export function parseJson(text: string): JsonValue {
  let json: JsonValue;
  try {
    json = JSON.parse(text) as JsonValue;
  } catch (error) {
    throw new RpcError("json_invalid", `not JSON: ${(error as SyntaxError).message}`, error);
  }
  refuseDuplicateNames(text);
  return json;
}

const quote = 0x22;
const backslash = 0x5c;

/** Throws if an object of the text, which is JSON, has one name twice. */
function refuseDuplicateNames(text: string): void {
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
          if (names?.has(name) === true) {
            throw new RpcError("json_invalid", `the name ${JSON.stringify(name)} is twice in one object`);
          }
          names?.add(name);
          expectsName = false;
        }
        at = end;
        break;
      }
      default:
    }
  }
}

/** Where the string that begins at `start` has its closing quote. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  for (let code = text.charCodeAt(at); code !== quote; code = text.charCodeAt(++at)) {
    if (code === backslash) at++;
  }
  return at;
}
