import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { type Extension, parseExtensions } from "./extension.ts";
import { hasToken, uniqueTokens } from "./header.ts";
import type { Refusal } from "./refusal.ts";

/** What an opening request offers. */
export interface Offer {
  /** The subprotocols, the one that the client likes best first. */
  readonly protocols: readonly string[];
  /** The extensions, the one that the client likes best first. */
  readonly extensions: readonly Extension[];
}

/** What a correct opening request over HTTP/1.1 says. */
export interface OpeningRequest extends Offer {
  readonly key: string;
}

/** Sixteen bytes in base64. */
const keyForm = /^[+/0-9A-Za-z]{22}==$/;

/** Checks everything that RFC 6455 section 4.2.1 demands of an opening request over HTTP/1.1. */
export function checkRequest(request: IncomingMessage): OpeningRequest | Refusal {
  const { headers } = request;
  if (request.method !== "GET") return bad(`The method must be GET, not ${request.method ?? "none"}.`);
  if (request.httpVersionMajor < 1 || (request.httpVersionMajor === 1 && request.httpVersionMinor < 1)) {
    return bad(`The opening handshake needs HTTP/1.1, not HTTP/${request.httpVersion}.`);
  }
  if (countOf(request, "host") !== 1) return bad("There must be exactly one Host field.");
  if (!hasToken(headers.upgrade, "websocket")) return bad("The Upgrade field must name websocket.");
  if (!hasToken(headers.connection, "upgrade")) {
    return bad("The Connection field must name Upgrade; a proxy in between may have removed it.");
  }
  if ((headers["content-length"] ?? "0") !== "0" || headers["transfer-encoding"] !== undefined) {
    return bad("An opening request has no body.");
  }
  const wrongVersion = checkVersion(headers);
  if (wrongVersion !== undefined) return wrongVersion;
  const key = headers["sec-websocket-key"];
  if (key === undefined) return bad("The Sec-WebSocket-Key field is missing.");
  if (countOf(request, "sec-websocket-key") > 1)
    return bad("There is more than one Sec-WebSocket-Key field.");
  if (!keyForm.test(key)) return bad("The Sec-WebSocket-Key field must be 16 bytes in base64.");
  const offer = readOffer(headers);
  return "status" in offer ? offer : { key, ...offer };
}

/** The refusal of every version but 13 (section 4.4). */
export function checkVersion(headers: IncomingHttpHeaders): Refusal | undefined {
  const version = headers["sec-websocket-version"];
  if (version === "13") return undefined;
  const message =
    version === undefined
      ? "The Sec-WebSocket-Version field is missing: it must be 13."
      : `Sec-WebSocket-Version must be 13, not ${JSON.stringify(version)}.`;
  return { status: 426, message, headers: { "Sec-WebSocket-Version": "13", Upgrade: "websocket" } };
}

/** Reads the offered subprotocols and extensions. */
export function readOffer(headers: IncomingHttpHeaders): Offer | Refusal {
  const offered = headers["sec-websocket-protocol"];
  const protocols = offered === undefined ? [] : uniqueTokens(offered);
  if (protocols === undefined) {
    return bad("The Sec-WebSocket-Protocol field must be tokens between commas, each of them once.");
  }
  const offers = headers["sec-websocket-extensions"];
  const extensions = offers === undefined ? [] : parseExtensions(offers);
  if (extensions === undefined) return bad("The Sec-WebSocket-Extensions field breaks its grammar.");
  return { protocols, extensions };
}

function bad(message: string): Refusal {
  return { status: 400, message };
}

function countOf(request: IncomingMessage, name: string): number {
  let count = 0;
  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    if (request.rawHeaders[index]!.toLowerCase() === name) count++;
  }
  return count;
}
