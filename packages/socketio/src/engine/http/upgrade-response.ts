import { type IncomingMessage, type OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { Socket } from "node:net";

/**
 * A response for a request to upgrade, for which Node makes none: it answers where there is no upgrade, and then ends the
 * socket.
 */
export function createUpgradeResponse(request: IncomingMessage, socket: Duplex): ServerResponse {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  // Node's types want the socket of a server, which all that come here are.
  response.assignSocket(socket as Socket);
  // An HTTP server lets a client keep its side open for as long as it likes.
  response.once("finish", () => socket.end(() => socket.destroy()));
  return response;
}

/** Takes the socket back for the upgrade, with what was set on the response. */
export function headersForUpgrade(response: ServerResponse, socket: Duplex): OutgoingHttpHeaders {
  // Some middlewares set theirs in the last moment, when the head is written.
  if (!response.headersSent) response.writeHead(101);
  const headers = response.getHeaders();
  response.detachSocket(socket as Socket);
  return headers;
}
