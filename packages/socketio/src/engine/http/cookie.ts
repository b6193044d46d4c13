import { validateHeaderValue } from "node:http";

/** A cookie that holds a session's id (RFC 6265). */
export interface CookieOptions {
  /** Default `io`. */
  readonly name?: string;
  /** Default `/`; false for none. */
  readonly path?: string | false;
  /** Whether scripts of pages cannot read it. Default true. */
  readonly httpOnly?: boolean;
  /** Default `lax`; true means `strict`. */
  readonly sameSite?: "strict" | "lax" | "none" | boolean;
  /** Whether it is sent over TLS only. Default false. */
  readonly secure?: boolean;
  /** Default: the host alone. */
  readonly domain?: string;
  /** Seconds. Default: until the browser ends. */
  readonly maxAge?: number;
  /** When it ends. */
  readonly expires?: Date;
  /** Whether it is kept apart for each page that the browser shows. Default false. */
  readonly partitioned?: boolean;
}

/** What holds where nothing is given. */
export const defaultCookie: CookieOptions = Object.freeze({
  name: "io",
  path: "/",
  httpOnly: true,
  sameSite: "lax",
});

/** The value of Set-Cookie for a session. Throws a TypeError where the options cannot stand in a header. */
export function serializeCookie(options: CookieOptions, id: string): string {
  const parts = [`${options.name ?? "io"}=${encodeURIComponent(id)}`];
  if (options.maxAge !== undefined) parts.push(`Max-Age=${Math.floor(options.maxAge)}`);
  if (options.domain !== undefined) parts.push(`Domain=${options.domain}`);
  if (typeof options.path === "string") parts.push(`Path=${options.path}`);
  if (options.expires !== undefined) parts.push(`Expires=${options.expires.toUTCString()}`);
  if (options.httpOnly === true) parts.push("HttpOnly");
  if (options.secure === true) parts.push("Secure");
  if (options.partitioned === true) parts.push("Partitioned");
  const sameSite = options.sameSite === true ? "strict" : options.sameSite;
  if (typeof sameSite === "string") parts.push(`SameSite=${sameSite[0]!.toUpperCase()}${sameSite.slice(1)}`);
  const value = parts.join("; ");
  validateHeaderValue("Set-Cookie", value);
  return value;
}
