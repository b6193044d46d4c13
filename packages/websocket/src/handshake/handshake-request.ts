import type { IncomingHttpHeaders } from "node:http";

/** What callbacks see of an opening request, over HTTP/1.1 or HTTP/2. An `http.IncomingMessage` is one. */
export interface HandshakeRequest {
  /** The fields, their names in lower case. */
  readonly headers: IncomingHttpHeaders;
  /** The path with its query, as in the request. */
  readonly url?: string | undefined;
  /** The connection below. */
  readonly socket: { readonly remoteAddress?: string | undefined };
}
