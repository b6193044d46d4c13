/** A token of RFC 9110 section 5.6.2. */
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** Whether a text is a token: a subprotocol, an extension, a parameter's name. */
export function isToken(text: string): boolean {
  return token.test(text);
}

/** Whether a comma-separated header field has a token, in whatever case. */
export function hasToken(field: string | undefined, wanted: string): boolean {
  if (field === undefined) return false;
  return field.split(",").some((each) => each.trim().toLowerCase() === wanted);
}

/** The tokens of a comma-separated field, in order; undefined where one is no token or comes twice. */
export function uniqueTokens(field: string): string[] | undefined {
  const tokens = field.split(",").map((each) => each.trim());
  if (!tokens.every(isToken) || new Set(tokens).size !== tokens.length) return undefined;
  return tokens;
}
