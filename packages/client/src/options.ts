import { type MultiplexLimits, resolveMultiplexLimits } from "@sluice/protocol";
import { type BackoffOptions, defaultBackoff } from "./backoff.ts";
import { type ClientClock, platformClock } from "./clock.ts";
import type { WebSocketConstructor } from "./web-socket.ts";

/** How a connection to a gateway is made and kept. */
export interface ConnectionOptions {
  /**
   * Where the gateway is: a URL of ws, wss, http or https, with the path at which it has the multiplex protocol. In a
   * page it may be relative.
   */
  readonly url: string | URL;
  /** The class of WebSockets. Default: the platform's; Node 20 has none. */
  readonly webSocket?: WebSocketConstructor;
  /** Milliseconds from an attempt to connect to the server's first word. Default 10,000. Over it, the attempt has failed. */
  readonly connectTimeoutMs?: number;
  /** The waits between attempts. */
  readonly backoff?: BackoffOptions;
  /**
   * Failed attempts in a row after which calls do not wait for the next one any more, but end with UNAVAILABLE until an
   * attempt succeeds. Default 3.
   */
  readonly failFastAfter?: number;
  /**
   * Milliseconds without anything from the server, after which it is asked whether it is there. Default 20,000. Looked at
   * in such steps, so at the latest after twice as long.
   */
  readonly keepaliveIntervalMs?: number;
  /** Milliseconds that it has to answer that. Default 10,000. Over it, the connection is given up and made anew. */
  readonly keepaliveTimeoutMs?: number;
  /**
   * Bytes of a call's messages that are kept until the server has answered something, so that the call can be made
   * again on another connection if the server has certainly not processed it. Default 1 MiB. Over it, such a call ends
   * with UNAVAILABLE instead.
   */
  readonly maxRetryBytes?: number;
  /** What is taken from the server, and what may wait to be sent. */
  readonly limits?: Partial<MultiplexLimits>;
  /** Where time comes from. Default: the platform's. */
  readonly clock?: ClientClock;
  /** Where chance comes from: from 0 (inclusive) to 1 (exclusive). Default: `Math.random`. */
  readonly random?: () => number;
}

/** What holds where an option is not given. */
export const defaultConnectionOptions: Required<
  Pick<
    ConnectionOptions,
    "connectTimeoutMs" | "failFastAfter" | "keepaliveIntervalMs" | "keepaliveTimeoutMs" | "maxRetryBytes"
  >
> = Object.freeze({
  connectTimeoutMs: 10_000,
  failFastAfter: 3,
  keepaliveIntervalMs: 20_000,
  keepaliveTimeoutMs: 10_000,
  maxRetryBytes: 1024 * 1024,
});

/** All options, with their defaults. */
export type ResolvedOptions = Required<
  Omit<ConnectionOptions, "backoff" | "limits" | "url" | "webSocket">
> & {
  readonly backoff: Required<BackoffOptions>;
  readonly limits: MultiplexLimits;
};

/** The given options, with the defaults for the rest. Throws a RangeError that names one that is no such number. */
export function resolveConnectionOptions(options: ConnectionOptions): ResolvedOptions {
  const resolved = {
    clock: platformClock,
    random: Math.random,
    ...defaultConnectionOptions,
    ...options,
    backoff: { ...defaultBackoff, ...options.backoff },
    limits: resolveMultiplexLimits(options.limits),
  };
  const { connectTimeoutMs, failFastAfter, keepaliveIntervalMs, keepaliveTimeoutMs, maxRetryBytes } =
    resolved;
  const numbers = { connectTimeoutMs, failFastAfter, keepaliveIntervalMs, keepaliveTimeoutMs };
  for (const [name, value] of Object.entries({ ...numbers, ...resolved.backoff })) {
    if (!(value > 0)) throw new RangeError(`${name} is ${value}: it must be greater than 0`);
  }
  if (!(maxRetryBytes >= 0))
    throw new RangeError(`maxRetryBytes is ${maxRetryBytes}: it must be 0 or greater`);
  return resolved;
}
