import { Code } from "@sluice/protocol";
import type { Metadata } from "../call/metadata.ts";
import { createStatus, type Status } from "../call/status.ts";
import type { HttpRequest } from "../rest/http-message.ts";
import { kubernetesPrefix, readBearerProtocols } from "./bearer-protocols.ts";
import { readCookie } from "./cookie.ts";
import { isMetadataName, isMetadataValue } from "./metadata-headers.ts";
import { isOfRequest } from "./request-names.ts";

/** What a page sends as subprotocols and in a cookie, because it cannot set headers of a WebSocket. */
export interface SocketCredentials {
  /** The value for `authorization` metadata; undefined without a token. */
  readonly authorization: string | undefined;
  /** What `Grpc-Metadata-<Name>+<value>` says. */
  readonly metadata: Metadata;
  /** The offered subprotocols that may be answered, the one that the client likes best first. */
  readonly protocols: readonly string[];
  /** Whether subprotocols carry any of it. */
  readonly hasCredentials: boolean;
}

const tokenCookie = "token";
const metadataProtocol = /^grpc-metadata-([^+]+)\+(.*)$/i;

/**
 * Reads the token of a request for a WebSocket, in the forms in which clients send it:
 * - the subprotocols `Bearer, <token>` of grpc-websocket-proxy, of which `Bearer` is answered,
 * - the cookie `token` of grpc-websocket-proxy, which wins,
 * - the subprotocol `base64url.bearer.authorization.k8s.io.<token in base64url>` of Kubernetes, which is never
 *   answered, and therefore needs another beside it,
 * - the subprotocol `Grpc-Metadata-<Name>+<value>` of lnd, which is metadata, but for names that only requests
 *   have. It is answered where there is no other,
 *   because browsers want an answer.
 *
 * A Status says what is wrong with them.
 */
export function readSocketCredentials({ headers }: HttpRequest): SocketCredentials | Status {
  const {
    protocols: offered,
    tokens,
    hasHiddenToken,
  } = readBearerProtocols(headers["sec-websocket-protocol"]);
  const metadata: Record<string, string> = {};
  const protocols: string[] = [];
  const answeredLast: string[] = [];
  let hasCredentials = hasHiddenToken;
  for (const protocol of offered) {
    const named = metadataProtocol.exec(protocol);
    if (named === null) {
      hasCredentials ||= protocol === "Bearer";
      protocols.push(protocol);
      continue;
    }
    hasCredentials = true;
    const [, name = "", value = ""] = named;
    const key = name.toLowerCase();
    if (isMetadataName(key) && !isOfRequest(key) && isMetadataValue(key, value)) metadata[key] = value;
    answeredLast.push(protocol);
  }
  if (tokens.includes(undefined)) return malformedToken;
  if (tokens.length > 1) return severalTokens;
  if (hasHiddenToken && protocols.length === 0) return tokenAlone;
  const token = readCookie(headers.cookie, tokenCookie) ?? tokens[0];
  return {
    authorization: token === undefined ? undefined : `Bearer ${token}`,
    metadata,
    protocols: [...protocols, ...answeredLast],
    hasCredentials,
  };
}

/** Metadata with what the credentials say. Headers count more than metadata in subprotocols, less than a token. */
export function withCredentials(
  metadata: Metadata,
  { authorization, metadata: more }: SocketCredentials,
): Metadata {
  return { ...more, ...metadata, ...(authorization === undefined ? {} : { authorization }) };
}

const malformedToken = createStatus(
  Code.INVALID_ARGUMENT,
  `the subprotocol ${kubernetesPrefix}… does not end with a token in base64url without padding`,
);

const severalTokens = createStatus(
  Code.INVALID_ARGUMENT,
  "the subprotocols have more than one bearer token; send one",
);

const tokenAlone = createStatus(
  Code.INVALID_ARGUMENT,
  `the subprotocol ${kubernetesPrefix}… is alone; offer another one too, such as sluice.rest.v1, which can be answered`,
);
