import { isBinary } from "./binary.ts";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * How deep what comes in may be nested. Far deeper, and what would send it on runs out of stack: an application that relays what
 * it is sent would be ended by any client.
 */
export const maxNesting = 1000;

/** Whether arrays and objects of a value are nested deeper than so many levels. */
export function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null || isBinary(value)) return false;
  return levels === 0 || Object.values(value).some((each) => isDeeper(each, levels - 1));
}

/** Whether arrays and objects of JSON are nested deeper than so many levels. Of what is not JSON it answers anything. */
export function isJsonDeeper(json: string, levels: number): boolean {
  // Each level has two brackets.
  if (json.length <= 2 * levels) return false;
  let depth = 0;
  for (let at = 0; at < json.length; at++) {
    switch (json.charCodeAt(at)) {
      case QUOTE:
        at = endOfString(json, at);
        break;
      case 0x5b:
      case 0x7b:
        if (++depth > levels) return true;
        break;
      case 0x5d:
      case 0x7d:
        depth--;
        break;
    }
  }
  return false;
}

/** Where the quote is that ends a string; the end of the text where there is none. */
function endOfString(json: string, start: number): number {
  let end = json.indexOf('"', start + 1);
  while (end >= 0 && isEscaped(json, end)) end = json.indexOf('"', end + 1);
  return end < 0 ? json.length : end;
}

function isEscaped(json: string, at: number): boolean {
  let first = at;
  while (json.charCodeAt(first - 1) === BACKSLASH) first--;
  return (at - first) % 2 === 1;
}
