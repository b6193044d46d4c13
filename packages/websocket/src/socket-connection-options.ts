import type { Clock } from "./clock.ts";
import type { WebSocketHandlers } from "./connection.ts";
import type { AgreedCompression } from "./deflate/negotiation.ts";
import type { Limits } from "./limits.ts";

/** What a connection is made of, once its opening handshake is done. */
export interface SocketConnectionOptions {
  /** Which side this is: a client masks what it sends. */
  readonly role: "server" | "client";
  readonly handlers: WebSocketHandlers;
  readonly protocol: string;
  readonly limits: Limits;
  readonly compression?: AgreedCompression | undefined;
  readonly clock?: Clock | undefined;
  readonly data?: unknown;
}
