import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { queryFromUrl, type RequestQuery } from "./http/request-query.ts";

/** What is kept of the request that began a session, without what Node keeps for one: about as large as its headers. */
export class Handshake {
  /** The path with its query, as in the request. */
  readonly url: string;
  /** The address of the connection below; a proxy's, where there is one. */
  readonly address: string;
  /** Whether the connection was encrypted. */
  readonly secure: boolean;
  /** When it was, in milliseconds since 1970. */
  readonly issued: number;
  /** The headers as JSON: a third of the memory of the object. */
  readonly #headers: string;

  constructor(request: IncomingMessage) {
    this.url = request.url ?? "/";
    this.address = request.socket.remoteAddress ?? "";
    this.secure = "encrypted" in request.socket;
    this.issued = Date.now();
    this.#headers = JSON.stringify(request.headers);
  }

  /** The headers, their names in lower case. */
  get headers(): IncomingHttpHeaders {
    return JSON.parse(this.#headers) as IncomingHttpHeaders;
  }

  /** The parameters of the query. */
  get query(): RequestQuery {
    return queryFromUrl(this.url);
  }
}
