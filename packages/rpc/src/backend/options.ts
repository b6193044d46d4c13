import type { BackoffOptions } from "./backoff.ts";
import { systemClock, type Clock } from "./clock.ts";
import { resolveTls, type ResolvedTls } from "./tls.ts";

/** How TLS is spoken with a backend. */
export interface BackendTlsOptions {
  /** PEM certificates of the authorities to trust. Default: those that Node trusts. */
  readonly ca?: string | Buffer | readonly (string | Buffer)[];
  /** The PEM certificate chain with which the gateway shows who it is (mTLS); goes with `key`. */
  readonly cert?: string | Buffer;
  /** The PEM private key of `cert`. */
  readonly key?: string | Buffer;
  /** The name that the backend's certificate must have, and SNI. Default: the host of the target. */
  readonly servername?: string;
}

/**
 * Pings that find out whether a silent connection is still alive.
 *
 * gRPC servers close a connection on which they see pings more often than they were configured for, which is
 * every 5 minutes by default. The defaults stay on the safe side of that; for an earlier answer lower
 * `intervalMs` together with the server's setting. A peer whose machine is gone is found earlier in any case, by
 * TCP keepalive (20 seconds of silence, then 10 probes). A server that ends a connection with `too_many_pings` doubles
 * the interval for those that follow.
 * Source: https://github.com/grpc/grpc/blob/master/doc/keepalive.md
 */
export interface KeepaliveOptions {
  /** Milliseconds without a byte from the backend, while calls are open, until a ping. Default: 310 000. 0: never. */
  readonly intervalMs?: number;
  /** Milliseconds that the answer to a ping may take; then the connection is given up. Default: 20 000. */
  readonly timeoutMs?: number;
}

/** What can be set for an HTTP/2 backend. */
export interface Http2BackendOptions {
  /** Speaks TLS, with these settings. `{}` is enough; a target `https://…` speaks TLS without it. */
  readonly tls?: BackendTlsOptions;
  /** The `:authority` of the calls. Default: host and port of the target. */
  readonly authority?: string;
  /** The largest response message in bytes; a larger one ends its call with RESOURCE_EXHAUSTED. Default: 4 MiB. */
  readonly maxMessageBytes?: number;
  /** From how many unsent bytes of one call on `send` answers false. Default: 64 KiB. */
  readonly sendBufferBytes?: number;
  /**
   * The HTTP/2 window of one call in bytes: how much of a response can be under way, and so how much a paused
   * call can still receive. Default: 65 535.
   */
  readonly streamWindowBytes?: number;
  /** The HTTP/2 window of a connection in bytes, for all of its calls. Default: 4 MiB. */
  readonly connectionWindowBytes?: number;
  /**
   * The most bytes of metadata in a request, and of headers or trailers in a response, each counted as name, value
   * and 32 more. Beyond it a call ends with RESOURCE_EXHAUSTED. Default: 64 KiB.
   */
  readonly maxHeaderBytes?: number;
  /** Milliseconds in which a connection must be ready, TLS and HTTP/2 settings among it. Default: 20 000. */
  readonly connectTimeoutMs?: number;
  /** How long to wait between attempts to connect. */
  readonly backoff?: BackoffOptions;
  readonly keepalive?: KeepaliveOptions;
  /** The most connections, of which more than one is used where the backend limits its streams. Default: 100. */
  readonly maxConnections?: number;
  /** Milliseconds after which a connection beyond the first closes when it has no call. Default: 60 000. */
  readonly idleConnectionMs?: number;
  /** The most calls that wait for a connection; a further one ends with RESOURCE_EXHAUSTED. Default: 1 000. */
  readonly maxWaitingCalls?: number;
  /** Time, for tests. Default: that of the machine. */
  readonly clock?: Clock;
  /** Numbers from 0 to 1 for the jitter, for tests. Default: `Math.random`. */
  readonly random?: () => number;
}

/** The options with all their defaults. */
export interface ResolvedOptions extends Required<
  Omit<Http2BackendOptions, "tls" | "authority" | "keepalive">
> {
  readonly tls: ResolvedTls | undefined;
  readonly authority: string | undefined;
  readonly keepalive: Required<KeepaliveOptions>;
}

/** Fills in the defaults. Throws RpcError `tls_invalid`. */
export function resolveOptions(options: Http2BackendOptions): ResolvedOptions {
  return {
    tls: options.tls === undefined ? undefined : resolveTls(options.tls),
    authority: options.authority,
    maxMessageBytes: options.maxMessageBytes ?? 4 * 1024 * 1024,
    sendBufferBytes: options.sendBufferBytes ?? 64 * 1024,
    streamWindowBytes: options.streamWindowBytes ?? 65_535,
    connectionWindowBytes: options.connectionWindowBytes ?? 4 * 1024 * 1024,
    maxHeaderBytes: options.maxHeaderBytes ?? 64 * 1024,
    connectTimeoutMs: options.connectTimeoutMs ?? 20_000,
    backoff: options.backoff ?? {},
    keepalive: {
      intervalMs: options.keepalive?.intervalMs ?? 310_000,
      timeoutMs: options.keepalive?.timeoutMs ?? 20_000,
    },
    maxConnections: options.maxConnections ?? 100,
    idleConnectionMs: options.idleConnectionMs ?? 60_000,
    maxWaitingCalls: options.maxWaitingCalls ?? 1_000,
    clock: options.clock ?? systemClock,
    random: options.random ?? Math.random,
  };
}

/** The `user-agent` of calls, in the form that gRPC recommends; a test holds its version. */
export const userAgent = "grpc-node-sluice/0.1.0";
