import type { IncomingMessage } from "node:http";
import type { Http2ServerRequest } from "node:http2";
import type { Writable } from "node:stream";

/** A request of Node's HTTP/1 server, or of its HTTP/2 server's compatibility API. */
export type HttpRequest = IncomingMessage | Http2ServerRequest;

/** What the two servers' responses have in common. */
export interface HttpResponse extends Writable {
  statusCode: number;
  readonly headersSent: boolean;
  setHeader(name: string, value: string | readonly string[]): unknown;
  flushHeaders?(): void;
  getHeader(name: string): number | string | string[] | undefined;
  appendHeader(name: string, value: string | readonly string[]): unknown;
  addTrailers(headers: Record<string, string | string[]>): void;
}

/** A request target, in its parts as they came. */
export interface RequestTarget {
  readonly path: string;
  readonly query: string;
}

/** Splits a target in origin form or absolute form (RFC 9112, section 3.2). */
export function splitTarget(target: string): RequestTarget {
  const origin = target.startsWith("/") ? "" : (/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i.exec(target)?.[0] ?? "");
  const question = target.indexOf("?", origin.length);
  const path = question < 0 ? target.slice(origin.length) : target.slice(origin.length, question);
  return { path: path === "" ? "/" : path, query: question < 0 ? "" : target.slice(question + 1) };
}

const noQuery = new URLSearchParams();

/** The parameters of a query; undefined for one that is not percent-encoded UTF-8, of which some would be lost. */
export function parseQuery(query: string): URLSearchParams | undefined {
  if (query === "") return noQuery;
  try {
    if (query.includes("%")) decodeURIComponent(query);
  } catch {
    return undefined;
  }
  return new URLSearchParams(query);
}
