import { IncomingMessage, type IncomingHttpHeaders } from "node:http";
import { Socket } from "node:net";
import type { Handshake as EngineHandshake } from "../engine/handshake.ts";
import type { RequestQuery } from "../engine/http/request-query.ts";
import type { EngineSession } from "../engine/session.ts";
import type { Untyped } from "./typed-events.ts";

/** How a socket's client came: what was in the request that began its connection, and what it said to the namespace. */
export interface Handshake {
  /** The headers of the request, their names in lower case. */
  headers: IncomingHttpHeaders;
  /** When the connection began, in words. */
  time: string;
  /** The address of the connection below; a proxy's, where there is one. */
  address: string;
  /** Whether the request was a page's, which names its origin. */
  xdomain: boolean;
  /** Whether the connection is encrypted. */
  secure: boolean;
  /** When the connection began, in milliseconds since 1970. */
  issued: number;
  /** The path of the request with its query. */
  url: string;
  /** The parameters of the request. */
  query: RequestQuery;
  /** What the client gave as `auth`; from clients 2.x the query of the namespace. */
  auth: Record<string, Untyped>;
}

/** The handshake of a socket of a connection. */
export function createHandshake({ handshake }: EngineSession, auth: Record<string, unknown>): Handshake {
  const { headers, address, secure, issued, url, query } = handshake;
  const time = String(new Date(issued));
  const xdomain = headers.origin !== undefined;
  return { headers, time, address, xdomain, secure, issued, url, query, auth };
}

/** A request as that of a handshake was, for what wants one: such as middlewares of Express in `io.use()`. */
export function requestFromHandshake({
  url,
  headers,
  address,
  secure,
  query,
}: EngineHandshake): IncomingMessage {
  const socket = new Socket();
  Object.defineProperty(socket, "remoteAddress", { value: address });
  const request = new IncomingMessage(secure ? Object.assign(socket, { encrypted: true }) : socket);
  return Object.assign(request, { method: "GET", url, headers, _query: query });
}
