import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { acceptWebSocket } from "@sluice/websocket";
import type { Hub } from "../../hub.ts";
import { SocketFaces, type SocketFacesOptions } from "./socket-faces.ts";

/** A listener for the event `upgrade` of an `http` or `https` server. */
export type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/**
 * Holds a hub's sessions on the WebSockets of a server, whatever their path:
 *
 * ```ts
 * createServer().on("upgrade", acceptInto(hub)).listen(8080);
 * ```
 *
 * Pages of other origins are refused unless `origin` lets them in. Throws a RangeError for an option that cannot be meant.
 */
export function acceptInto(hub: Hub, options: SocketFacesOptions = {}): UpgradeListener {
  const faces = new SocketFaces(hub, options);
  return (request, socket, head) => void acceptWebSocket(request, socket, head, faces.accept(request));
}
