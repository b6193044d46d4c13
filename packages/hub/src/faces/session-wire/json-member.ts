/**
 * The text of one member of a JSON object as it was written, so that numbers keep their digits and objects the order of
 * their members; undefined where the object has none. Of several with the name it is the last, as `JSON.parse` has it.
 *
 * `json` MUST be the text of an object that `JSON.parse` takes: nothing is checked again.
 */
export function memberText(json: string, name: string): string | undefined {
  const quoted = JSON.stringify(name);
  let found: string | undefined;
  let at = skipSpace(json, json.indexOf("{") + 1);
  while (json[at] === '"') {
    const keyEnd = endOfString(json, at);
    const key = json.slice(at, keyEnd);
    const from = skipSpace(json, json.indexOf(":", keyEnd) + 1);
    const to = endOfValue(json, from);
    if (key === quoted || (key.includes("\\") && JSON.parse(key) === name)) found = json.slice(from, to);
    at = skipSpace(json, to);
    if (json[at] === ",") at = skipSpace(json, at + 1);
  }
  return found;
}

function skipSpace(json: string, from: number): number {
  let at = from;
  while (json.charCodeAt(at) <= 0x20) at++;
  return at;
}

/** Where the string ends whose opening quote is at `from`. */
function endOfString(json: string, from: number): number {
  let quote = json.indexOf('"', from + 1);
  while (isEscaped(json, quote)) quote = json.indexOf('"', quote + 1);
  return quote + 1;
}

function isEscaped(json: string, at: number): boolean {
  let first = at;
  while (json[first - 1] === "\\") first--;
  return (at - first) % 2 === 1;
}

function endOfValue(json: string, from: number): number {
  let depth = 0;
  let at = from;
  do {
    const unit = json[at];
    if (unit === '"') {
      at = endOfString(json, at);
      continue;
    }
    if (unit === "{" || unit === "[") depth++;
    else if (unit === "}" || unit === "]") depth--;
    else if (depth === 0) return endOfScalar(json, at);
    at++;
  } while (depth > 0);
  return at;
}

/** Where a number, `true`, `false` or `null` ends. */
function endOfScalar(json: string, from: number): number {
  let at = from;
  while (at < json.length && !/[\s,}\]]/.test(json[at]!)) at++;
  return at;
}
