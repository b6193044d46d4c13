import type { IncomingMessage, ServerResponse } from "node:http";
import type { Middleware } from "./middleware.ts";

/** An origin that is allowed: as it is sent, or what it must match. */
export type AllowedOrigin = string | RegExp;

/** Decides on an origin, or on a request without one. */
export type DecideOrigin = (
  origin: string | undefined,
  decide: (error: Error | null, allowed?: boolean | AllowedOrigin | readonly AllowedOrigin[]) => void,
) => void;

/** Which pages of other origins may use the server (the CORS protocol of the Fetch Standard), as in the package cors. */
export interface CorsOptions {
  /** Default `*`. True allows each origin by its name, a string that one only. */
  readonly origin?: boolean | AllowedOrigin | readonly AllowedOrigin[] | DecideOrigin;
  /** Default GET, HEAD, PUT, PATCH, POST and DELETE. */
  readonly methods?: string | readonly string[];
  /** Default: those that the browser asks for. */
  readonly allowedHeaders?: string | readonly string[];
  /** Headers of answers that pages may read. Default: none beyond the usual. */
  readonly exposedHeaders?: string | readonly string[];
  /** Whether cookies may be sent. Not together with `*`. Default false. */
  readonly credentials?: boolean;
  /** Seconds that a browser may remember the answer. Default: its own. */
  readonly maxAge?: number;
  /** Whether a preflight goes on to the next middleware. Default false. */
  readonly preflightContinue?: boolean;
  /** The status that a preflight is answered with. Default 204. */
  readonly optionsSuccessStatus?: number;
}

/** Finds the options for a request. */
export type CorsOptionsDelegate = (
  request: IncomingMessage,
  decide: (error: Error | null, options?: CorsOptions) => void,
) => void;

const defaultMethods = "GET,HEAD,PUT,PATCH,POST,DELETE";

/** A middleware that answers preflights, and names in answers the origins that may read them. */
export function createCors(options: CorsOptions | CorsOptionsDelegate): Middleware {
  const find: CorsOptionsDelegate =
    typeof options === "function" ? options : (_request, decide) => decide(null, options);
  return (request, response, next) => {
    find(request, (error, found = {}) => {
      if (error !== null) return next(error);
      decideOrigin(request, found, (failure, allowed) => {
        if (failure !== null) return next(failure);
        if (allowed === false) return next();
        answer(request, response, { ...found, origin: allowed }, next);
      });
    });
  };
}

type Allowed = boolean | AllowedOrigin | readonly AllowedOrigin[];

function decideOrigin(
  request: IncomingMessage,
  { origin = "*" }: CorsOptions,
  decide: (error: Error | null, allowed: Allowed) => void,
): void {
  if (typeof origin !== "function") return decide(null, origin);
  origin(request.headers.origin, (error, allowed = false) => decide(error, allowed));
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: CorsOptions & { readonly origin: Allowed },
  next: () => void,
): void {
  nameOrigin(request, response, options.origin);
  if (options.credentials === true) response.setHeader("Access-Control-Allow-Credentials", "true");
  setList(response, "Access-Control-Expose-Headers", options.exposedHeaders);
  if (request.method !== "OPTIONS") return next();
  setList(response, "Access-Control-Allow-Methods", options.methods ?? defaultMethods);
  allowHeaders(request, response, options.allowedHeaders);
  if (options.maxAge !== undefined) response.setHeader("Access-Control-Max-Age", String(options.maxAge));
  if (options.preflightContinue === true) return next();
  // Some browsers wait for a body where there is no length.
  response.writeHead(options.optionsSuccessStatus ?? 204, { "Content-Length": "0" });
  response.end();
}

function nameOrigin(request: IncomingMessage, response: ServerResponse, allowed: Allowed): void {
  if (allowed === "*") {
    response.setHeader("Access-Control-Allow-Origin", "*");
    return;
  }
  addVary(response, "Origin");
  const { origin } = request.headers;
  if (typeof allowed === "string") response.setHeader("Access-Control-Allow-Origin", allowed);
  else if (origin !== undefined && matches(origin, allowed)) {
    response.setHeader("Access-Control-Allow-Origin", origin);
  }
}

function matches(origin: string, allowed: Allowed): boolean {
  if (typeof allowed === "boolean") return allowed;
  if (typeof allowed === "string") return allowed === origin;
  // A pattern that is global remembers where it was.
  if (allowed instanceof RegExp) return origin.search(allowed) >= 0;
  return allowed.some((each) => each === "*" || matches(origin, each));
}

function allowHeaders(
  request: IncomingMessage,
  response: ServerResponse,
  allowed: string | readonly string[] | undefined,
): void {
  if (allowed !== undefined) {
    setList(response, "Access-Control-Allow-Headers", allowed);
    return;
  }
  addVary(response, "Access-Control-Request-Headers");
  setList(response, "Access-Control-Allow-Headers", request.headers["access-control-request-headers"]);
}

function setList(response: ServerResponse, name: string, list: string | readonly string[] | undefined): void {
  const value = typeof list === "string" ? list : list?.join(",");
  if (value !== undefined && value !== "") response.setHeader(name, value);
}

function addVary(response: ServerResponse, name: string): void {
  const before = response.getHeader("Vary");
  response.setHeader("Vary", before === undefined ? name : `${String(before)}, ${name}`);
}
