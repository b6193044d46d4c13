import { IdentityError } from "./identity-error.ts";

/** What the header of a token is asked. Keys that it brings or points to (`jwk`, `jku`, `x5c`, `x5u`) are not read. */
export interface TokenHeader {
  readonly alg: string;
  readonly kid: string | undefined;
}

const compact = /^([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$/;

/**
 * The header of a token in its compact form (RFC 7515, section 7.1), of which nothing is trusted yet.
 * Throws an IdentityError `malformed` or `extension_refused`.
 */
export function readTokenHeader(token: string, maxTokenBytes: number): TokenHeader {
  if (token.length > maxTokenBytes) {
    throw malformed(`has ${token.length} bytes, over the limit of ${maxTokenBytes}`);
  }
  const encoded = compact.exec(token)?.[1];
  if (encoded === undefined) throw malformed("is not three parts in base64url with dots between them");
  let header: unknown;
  try {
    header = JSON.parse(Buffer.from(encoded, "base64url").toString("utf8"));
  } catch {
    // The parser's own words would repeat a part of the token.
    throw malformed("has a header that is not JSON");
  }
  if (typeof header !== "object" || header === null || Array.isArray(header)) {
    throw malformed("has a header that is not a JSON object");
  }
  const { alg, kid, crit } = header as Readonly<Record<string, unknown>>;
  if (typeof alg !== "string") throw malformed("names no algorithm");
  if (kid !== undefined && typeof kid !== "string") throw malformed("has a kid that is not a text");
  if (crit !== undefined) {
    throw new IdentityError("extension_refused", "The token demands extensions (crit), and none is known");
  }
  return { alg, kid };
}

/** A text that a client chose, for a sentence in the log: short, in one line, in quotes. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 64 ? `${text.slice(0, 64)}…` : text).replace(
    /[\u007f-\u009f\u2028\u2029]/g,
    "?",
  );
}

function malformed(what: string): IdentityError {
  return new IdentityError("malformed", `The token ${what}`);
}
