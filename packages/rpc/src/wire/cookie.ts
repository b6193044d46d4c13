/**
 * The value of one cookie of a `Cookie` header, the first of that name; undefined where there is none, where it is empty,
 * which is how a page logs out, and where it has what no token has. Source: RFC 6265, section 4.2.
 */
export function readCookie(header: string | undefined, name: string): string | undefined {
  for (const pair of header?.split(";") ?? []) {
    const equals = pair.indexOf("=");
    if (equals < 0 || pair.slice(0, equals).trim() !== name) continue;
    const value = pair
      .slice(equals + 1)
      .trim()
      .replace(/^"(.*)"$/, "$1");
    return /^[\x21-\x7e]+$/.test(value) ? value : undefined;
  }
  return undefined;
}
