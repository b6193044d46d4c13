import type { OutgoingHttpHeaders } from "node:http2";

/** What must not get into a table on the way, where it could be guessed. Source: RFC 7541, section 7.1.3. */
const secrets = new Set(["authorization", "cookie", "proxy-authorization"]);

/**
 * Encodes headers as a block of HPACK (RFC 7541), one character for each byte.
 *
 * Every header is a literal, so that there is no table to keep: for a gateway the time counts more than some bytes on
 * the way to a server nearby. Names are in lower case; all characters are ASCII.
 */
export function encodeHeaders(headers: OutgoingHttpHeaders): string {
  let block = "";
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined) continue;
    if (typeof value === "string") block += nameOf(name) + textOf(value);
    else if (Array.isArray(value)) for (const each of value) block += nameOf(name) + textOf(each);
    else block += nameOf(name) + textOf(String(value));
  }
  return block;
}

/** Says that the encoder uses no table, which holds whatever the peer's settings are. Source: RFC 7541, section 6.3. */
export const noTable = "\x20";

/** The names that have been seen, as they begin a literal; there are few and short ones, but a client may invent others. */
const names = new Map<string, string>();
const mostNames = 1_000;
const longestName = 64;

function nameOf(name: string): string {
  let encoded = names.get(name);
  if (encoded !== undefined) return encoded;
  encoded = (secrets.has(name) ? "\x10" : "\x00") + textOf(name);
  if (names.size < mostNames && name.length <= longestName) names.set(name, encoded);
  return encoded;
}

function textOf(text: string): string {
  const { length } = text;
  if (length < 0x7f) return String.fromCharCode(length) + text;
  let prefix = "\x7f";
  let rest = length - 0x7f;
  for (; rest >= 0x80; rest >>>= 7) prefix += String.fromCharCode((rest & 0x7f) | 0x80);
  return prefix + String.fromCharCode(rest) + text;
}
