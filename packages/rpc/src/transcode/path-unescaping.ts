/**
 * How the percent-encoded characters of a path variable are decoded:
 * - `spec`: all of them in a variable of one segment, all but the slash in one of several, as http.proto says
 * - `all`: all of them; an escaped slash in a variable of several segments then looks like a boundary
 * - `all-except-slash`: all but the slash, in both
 * - `all-except-reserved`: all but the reserved characters of RFC 6570, in both
 */
export const pathUnescapings = ["spec", "all", "all-except-slash", "all-except-reserved"] as const;
export type PathUnescaping = (typeof pathUnescapings)[number];

/** The gen-delims and sub-delims of RFC 3986, section 2.2, percent-encoded. */
const reserved = /%(?:3A|2F|3F|23|5B|5D|40|21|24|26|27|28|29|2A|2B|2C|3B|3D)/gi;
const slash = /%2F/gi;

/** Decodes one segment of a path variable, of which the whole is percent-encoded UTF-8. */
export function unescapeSegment(raw: string, isMulti: boolean, unescaping: PathUnescaping): string {
  switch (unescaping) {
    case "spec":
      return isMulti ? decodeBut(slash, raw) : (decodeSegment(raw) ?? raw);
    case "all":
      return decodeSegment(raw) ?? raw;
    case "all-except-slash":
      return decodeBut(slash, raw);
    case "all-except-reserved":
      return decodeBut(reserved, raw);
  }
}

/** Whether a part of a URL is ASCII, as RFC 3986 wants it; what else Node lets through over HTTP/2 is not decoded. */
export function isAscii(text: string): boolean {
  return !/[^\0-\x7f]/.test(text);
}

/** A segment percent-decoded; undefined where that is not UTF-8, or was not encoded. */
export function decodeSegment(text: string): string | undefined {
  if (!isAscii(text)) return undefined;
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

// What is kept is in upper case afterwards, as RFC 3986 wants it.
function decodeBut(kept: RegExp, raw: string): string {
  const marks = raw.match(kept) ?? [];
  return raw
    .split(kept)
    .map((part, index) => (decodeSegment(part) ?? part) + (marks[index]?.toUpperCase() ?? ""))
    .join("");
}
