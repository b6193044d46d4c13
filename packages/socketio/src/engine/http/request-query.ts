import type { IncomingMessage } from "node:http";

/** The parameters of a request, an object without a prototype. Of one that comes twice, the last counts. */
export type RequestQuery = Readonly<Record<string, string>>;

/** The parameters of a request's URL. */
export function queryFromUrl(url: string): RequestQuery {
  const query: Record<string, string> = Object.create(null) as Record<string, string>;
  const question = url.indexOf("?");
  if (question < 0) return query;
  const [parameters = ""] = url.slice(question + 1).split("#", 1);
  for (const [name, value] of new URLSearchParams(parameters)) query[name] = value;
  return query;
}

/** The parameters of a request, which has them as `_query` from then on: middlewares written for engine.io look there. */
export function queryOfRequest(request: IncomingMessage): RequestQuery {
  const query = queryFromUrl(request.url ?? "");
  Object.assign(request, { _query: query });
  return query;
}
