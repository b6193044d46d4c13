import type { IncomingHttpHeaders } from "node:http";
import type { ClientRequest } from "../attachment.ts";
import type { TimedIdentity } from "./timed-identity.ts";

/** What the faces need of the HTTP request that opens a link, over HTTP/1.1 or HTTP/2. */
export interface OpeningRequest {
  /** The fields, their names in lower case. */
  readonly headers: IncomingHttpHeaders;
  /** The path with its query, as in the request. */
  readonly url?: string | undefined;
  /** The connection below. */
  readonly socket: { readonly remoteAddress?: string | undefined };
}

/** What of a request a session is told. */
export interface ClientOptions {
  /** The client's address, such as from a header of a proxy that is trusted. Default: the socket's. */
  readonly address?: (request: OpeningRequest) => string;
  /** The headers that a session keeps, in lower case. Default: `accept-language`, `origin` and `user-agent`. */
  readonly headers?: readonly string[];
  /**
   * Parameters of the query that a session does not keep, because they are secrets. Default: `access_token` and `token`.
   * `resume` is always one of them.
   */
  readonly secrets?: readonly string[];
}

/** What something before the faces has found out about a client. */
export interface KnownClient {
  /** Who it is. Default: nobody. */
  readonly identity?: TimedIdentity;
  /** Whether its first message is to be a token, for the option `identify`. Default: false. */
  readonly awaitsToken?: boolean;
}

/** A client, as the request for its link shows it. */
export interface Client extends KnownClient {
  readonly request: ClientRequest;
  /** The parameters of its query, those that are secrets among them. */
  readonly query: URLSearchParams;
}

const defaultHeaders: readonly string[] = ["accept-language", "origin", "user-agent"];
const defaultSecrets: readonly string[] = ["access_token", "token"];

/** The client of a request. */
export function clientFromRequest(
  request: OpeningRequest,
  options: ClientOptions,
  known: KnownClient = {},
): Client {
  const { headers = defaultHeaders, secrets = defaultSecrets } = options;
  const { path, query } = splitTarget(request.url ?? "/");
  const parameters = new URLSearchParams(query);
  const shown: Record<string, string> = {};
  for (const name of headers) {
    const value = request.headers[name];
    if (value !== undefined) shown[name] = typeof value === "string" ? value : value.join(", ");
  }
  return {
    ...known,
    request: {
      address: options.address?.(request) ?? request.socket.remoteAddress ?? "",
      path,
      query: withoutSecrets(query, [...parameters.keys()], [...secrets, "resume"]),
      headers: shown,
    },
    query: parameters,
  };
}

function splitTarget(target: string): { readonly path: string; readonly query: string } {
  // A proxy's request names the whole URL.
  const origin = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i.exec(target)?.[0] ?? "";
  const [rest = ""] = target.slice(origin.length).split("#", 1);
  const question = rest.indexOf("?");
  const path = question < 0 ? rest : rest.slice(0, question);
  return { path: path === "" ? "/" : path, query: question < 0 ? "" : rest.slice(question + 1) };
}

/** `names` are those of the parameters of the query, in their order. */
function withoutSecrets(query: string, names: readonly string[], secrets: readonly string[]): string {
  if (!names.some((name) => secrets.includes(name))) return query;
  // What is empty between two `&` is no parameter.
  const parts = query.split("&").filter((part) => part !== "");
  return parts.filter((_part, index) => !secrets.includes(names[index]!)).join("&");
}
