import { isToken } from "./header.ts";

/** One entry of a `Sec-WebSocket-Extensions` field. A parameter without a value is true. */
export interface Extension {
  readonly name: string;
  readonly parameters: ReadonlyMap<string, string | true>;
}

/** An item is a token, or a quoted text; then a separator or the end. Spaces may stand around. */
const item = /[ \t]*(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)|"((?:[^"\\]|\\.)*)")[ \t]*([;,=]|$)/y;

/**
 * Reads a `Sec-WebSocket-Extensions` field (RFC 6455 section 9.1). Undefined where it breaks the grammar or names a
 * parameter twice in one entry.
 */
export function parseExtensions(field: string): Extension[] | undefined {
  const extensions: Extension[] = [];
  let name: string | undefined;
  let parameters = new Map<string, string | true>();
  let parameter: string | undefined;
  let before = ",";
  item.lastIndex = 0;
  for (;;) {
    const match = item.exec(field);
    if (match === null) return undefined;
    const [, plain, quoted, separator = ""] = match;
    const value = plain ?? quoted?.replace(/\\(.)/g, "$1");
    // A quoted value must be a token too, and only a value may be quoted.
    if (value === undefined || !isToken(value) || (before !== "=" && plain === undefined)) return undefined;
    if (before === ",") {
      name = value;
      parameters = new Map();
    } else if (before === ";") {
      parameter = value;
      if (parameters.has(parameter)) return undefined;
      parameters.set(parameter, true);
    } else {
      parameters.set(parameter!, value);
    }
    if (separator === "=" && before !== ";") return undefined;
    if (separator === "," || separator === "") extensions.push({ name: name!, parameters });
    if (separator === "") return extensions;
    before = separator;
  }
}

/** Writes one entry of a `Sec-WebSocket-Extensions` field. */
export function formatExtension({ name, parameters }: Extension): string {
  const parts = Array.from(parameters, ([key, value]) => (value === true ? key : `${key}=${value}`));
  return [name, ...parts].join("; ");
}
