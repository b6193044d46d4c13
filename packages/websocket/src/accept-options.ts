import type { OutgoingHttpHeaders } from "node:http";
import type { Clock } from "./clock.ts";
import type { WebSocketHandlers } from "./connection.ts";
import type { CompressionOptions } from "./deflate/options.ts";
import type { HandshakeRequest } from "./handshake/handshake-request.ts";
import type { OriginPolicy } from "./handshake/origin.ts";
import type { Refusal } from "./handshake/refusal.ts";
import type { Limits } from "./limits.ts";

/** Chooses one of the offered subprotocols, or none. */
export type ProtocolChoice = (offered: readonly string[], request: HandshakeRequest) => string | undefined;

/** How a server takes connections. One object may serve any number of them. */
export interface AcceptOptions {
  /** What is done with the connections. */
  readonly handlers: WebSocketHandlers;
  /**
   * The subprotocols that the server speaks; of those offered, the first that is in the list is taken, so the
   * client's order counts. Or a function that chooses. Default: none is taken.
   */
  readonly protocols?: readonly string[] | ProtocolChoice;
  /** Which browsers' pages may connect. Default `"same"`: only those of the server's own host. */
  readonly origin?: OriginPolicy;
  /** Further fields of the answer, such as `Set-Cookie`. Default: none. */
  readonly headers?: Readonly<OutgoingHttpHeaders>;
  /** The bounds of each connection. Default: `defaultLimits`. */
  readonly limits?: Partial<Limits>;
  /** Compression of messages, permessage-deflate; true for its defaults. Default false: it costs memory and time. */
  readonly compression?: boolean | Partial<CompressionOptions>;
  /** What `connection.data` is from the start. Default: undefined. */
  readonly data?: unknown;
  /** Where time comes from. Default: the system's clock. */
  readonly clock?: Clock;
  /** Is told of a request that was refused, after it was answered. */
  readonly refused?: (refusal: Refusal, request: HandshakeRequest) => void;
}
