import type { ClientOptions, Hub, TimedIdentity } from "@sluice/hub";
import type { AnySocket } from "../server/socket.ts";

/**
 * Who a socket's client is, for the hub; nothing for nobody in particular. What it throws or rejects with refuses the client.
 * `auth` is that of `socket.handshake`, which a socket keeps, headers and all, once somebody has looked at it.
 */
export type IdentifySocket = (
  socket: AnySocket,
  auth: Readonly<Record<string, unknown>>,
) => TimedIdentity | undefined | Promise<TimedIdentity | undefined>;

/** How the sockets of a server are sessions of a hub. */
export interface SocketHubOptions extends Omit<ClientOptions, "address"> {
  readonly hub: Hub;
  /** Says who a client is, once the middlewares have let it in. Default: nobody. */
  readonly identify?: IdentifySocket;
  /** The client's address, such as from a header of a proxy that is trusted. Default: the connection's. */
  readonly address?: (socket: AnySocket) => string;
}
