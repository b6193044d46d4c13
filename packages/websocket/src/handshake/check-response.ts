import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { type AgreedCompression, checkAnswer } from "../deflate/negotiation.ts";
import type { CompressionOptions } from "../deflate/options.ts";
import { WebSocketError } from "../error.ts";
import { acceptFromKey } from "./accept-key.ts";
import { parseExtensions } from "./extension.ts";
import { hasToken } from "./header.ts";

/** What a correct answer says. */
export interface OpeningResponse {
  /** The subprotocol that the server took; empty for none. */
  readonly protocol: string;
  readonly compression: AgreedCompression | undefined;
}

/** Checks everything that RFC 6455 section 4.1 demands of a 101 answer. */
export function checkResponse(
  response: IncomingMessage,
  key: string,
  offered: readonly string[],
  offeredCompression: CompressionOptions | undefined,
): OpeningResponse | WebSocketError {
  const { headers } = response;
  if (headers.upgrade?.toLowerCase() !== "websocket") return invalid("the Upgrade field is not websocket");
  if (!hasToken(headers.connection, "upgrade")) return invalid("the Connection field does not name Upgrade");
  if (headers["sec-websocket-accept"] !== acceptFromKey(key)) {
    return invalid("the Sec-WebSocket-Accept field does not fit the key that was sent");
  }
  return checkNegotiated(headers, offered, offeredCompression);
}

/** Checks what an answer says of subprotocol and extensions, whatever the version of HTTP. */
export function checkNegotiated(
  headers: IncomingHttpHeaders,
  offered: readonly string[],
  offeredCompression: CompressionOptions | undefined,
): OpeningResponse | WebSocketError {
  const compression = agreedCompression(headers["sec-websocket-extensions"], offeredCompression);
  if (typeof compression === "string") return invalid(compression);
  const protocol = headers["sec-websocket-protocol"];
  if (protocol !== undefined && !offered.includes(protocol)) {
    return invalid(`the server chose the subprotocol ${JSON.stringify(protocol)}, which was not offered`);
  }
  if (protocol === undefined && offered.length > 0) {
    return invalid(`the server speaks none of the subprotocols ${offered.join(", ")}`);
  }
  return { protocol: protocol ?? "", compression };
}

function agreedCompression(
  field: string | undefined,
  offered: CompressionOptions | undefined,
): AgreedCompression | string | undefined {
  if (field === undefined) return undefined;
  const answer = parseExtensions(field);
  if (answer === undefined) return "the Sec-WebSocket-Extensions field breaks its grammar";
  return checkAnswer(answer, offered);
}

function invalid(message: string): WebSocketError {
  return new WebSocketError(
    "handshake_invalid",
    `the server's answer to the opening handshake is wrong: ${message}`,
  );
}
