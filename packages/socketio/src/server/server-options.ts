import type { Hub } from "@sluice/hub";
import type { AttachOptions } from "../engine/attach.ts";
import {
  type EngineOptions,
  type ResolvedEngineOptions,
  resolveEngineOptions,
} from "../engine/engine-options.ts";
import type { Adapter } from "../adapter/adapter.ts";
import type { SocketHubOptions } from "../hub/hub-options.ts";
import type { CustomParser } from "./custom-parser.ts";
import type { Untyped } from "./typed-events.ts";

/** A class of adapters, or a function that makes the adapter of a namespace: this package's, or one for socket.io. */
export type AdapterConstructor = (new (nsp: Untyped) => Adapter) | ((nsp: Untyped) => Adapter);

/** Bounds on what one server holds, and one client may do. Each is a number; Infinity is none. */
export interface ServerLimits {
  /** Connections. Over it: handshakes are answered 503. Default 100,000. */
  readonly connections: number;
  /** Connections of one address, a proxy's where there is one. Over it: 503. Default Infinity. */
  readonly connectionsPerAddress: number;
  /** Namespaces that one connection has joined or is joining. Over it: CONNECT_ERROR. Default 100. */
  readonly namespacesPerConnection: number;
  /** Rooms of one socket. Over it: the connection is ended, `limit_exceeded`. Default 10,000. */
  readonly roomsPerSocket: number;
  /**
   * Events a second of one connection, and CONNECTs, which middlewares are called for. Over it: the connection is ended,
   * `rate_exceeded`. Default 1,000.
   */
  readonly eventsPerSecond: number;
  /** Events of one connection at once, after a quiet time. Over it: as above. Default 2,000. */
  readonly eventBurst: number;
  /** Acknowledgements that one socket may still be asked for. Over it: the one over fails, `limit_exceeded`. Default 1,000. */
  readonly pendingAcks: number;
  /** Events of one socket that wait for their first listener. Over it: dropped. Default 32. */
  readonly earlyEvents: number;
  /** Bytes of them as JSON. Over it: dropped. Default 65,536. */
  readonly earlyEventBytes: number;
  /** Milliseconds from the socket's connection on in which events wait. Default 10,000. */
  readonly earlyEventMs: number;
}

/** The limits that hold where none are given. */
export const defaultServerLimits: ServerLimits = Object.freeze({
  connections: 100_000,
  connectionsPerAddress: Infinity,
  namespacesPerConnection: 100,
  roomsPerSocket: 10_000,
  eventsPerSecond: 1000,
  eventBurst: 2000,
  pendingAcks: 1000,
  earlyEvents: 32,
  earlyEventBytes: 65_536,
  earlyEventMs: 10_000,
});

/** How sockets whose connection was lost are recovered. */
export interface RecoveryOptions {
  /** Milliseconds that a client may be away. Default 120,000. */
  readonly maxDisconnectionDuration?: number;
  /** Whether the middlewares are skipped for a socket that was recovered. Default true. */
  readonly skipMiddlewares?: boolean;
  /** Packets kept of one namespace. The oldest are forgotten first. Default 10,000. */
  readonly maxPackets?: number;
  /** Bytes of them. Default 16,777,216. */
  readonly maxBytes?: number;
}

/** The options of a server: those of its Engine.IO server among them. Names, units and defaults are socket.io's. */
export interface ServerOptions
  extends Omit<EngineOptions, "maxConnections" | "maxConnectionsPerAddress">, Omit<AttachOptions, "path"> {
  /** The beginning of the path of all its requests. Default `/socket.io`. */
  path: string;
  /** Whether the browser's client is served below the path, where the package socket.io-client is installed. Default true. */
  serveClient: boolean;
  /** What carries broadcasts: a class, or a function that makes one for a namespace. Default: this process alone. */
  adapter: AdapterConstructor;
  /** Another codec of packets. Default: that of the protocol. */
  parser: CustomParser;
  /** Milliseconds within which a client must join a namespace. Default 45,000. */
  connectTimeout: number;
  /** Whether and how sockets are recovered after a loss of their connection. Default false: they are not. */
  connectionStateRecovery: RecoveryOptions | false;
  /** Whether dynamic namespaces are removed when their last socket leaves. Default false. */
  cleanupEmptyChildNamespaces: boolean;
  /** Bounds; those not given have their defaults. */
  limits?: Partial<ServerLimits>;
  /** The hub whose sessions the sockets are, with what it is told of them where that is not all. Default: none. */
  hub?: Hub | SocketHubOptions;
}

/** The options with all defaults. */
export interface ResolvedServerOptions extends ResolvedEngineOptions {
  readonly path: string;
  readonly serveClient: boolean;
  readonly adapter: AdapterConstructor | undefined;
  readonly parser: CustomParser | undefined;
  readonly connectTimeout: number;
  /** Undefined where sockets are not recovered. */
  readonly connectionStateRecovery: Required<RecoveryOptions> | undefined;
  readonly cleanupEmptyChildNamespaces: boolean;
  readonly limits: ServerLimits;
  readonly hub: Hub | SocketHubOptions | undefined;
}

/** Timers of Node wait no longer, in milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The given options with the defaults for the rest. Throws a RangeError that names the one which cannot be meant. */
export function resolveServerOptions(given: Partial<ServerOptions>): ResolvedServerOptions {
  const connectTimeout = given.connectTimeout ?? 45_000;
  checkTime("connectTimeout", connectTimeout);
  if (given.hub !== undefined && given.adapter !== undefined) {
    throw new RangeError("hub and adapter are both given: rooms are the hub's, and its broker carries them");
  }
  return {
    ...resolveEngineOptions(given),
    path: resolvePath(given.path ?? "/socket.io"),
    serveClient: given.serveClient ?? true,
    adapter: given.adapter,
    parser: given.parser,
    connectTimeout,
    connectionStateRecovery: resolveRecovery(given.connectionStateRecovery),
    cleanupEmptyChildNamespaces: given.cleanupEmptyChildNamespaces ?? false,
    limits: resolveLimits(given.limits ?? {}),
    hub: given.hub,
  };
}

/** A path with a slash before it and none behind it. */
export function resolvePath(path: string): string {
  const trimmed = path.replace(/\/+$/, "");
  return trimmed.startsWith("/") ? trimmed : `/${trimmed}`;
}

/** The adapter of a namespace. */
export function createAdapter(given: AdapterConstructor, nsp: unknown): Adapter {
  // What is made of a function by `new` is what the function answers, but arrow functions cannot be made anything of.
  const isArrow = given.prototype === undefined;
  return isArrow
    ? (given as (nsp: unknown) => Adapter)(nsp)
    : new (given as new (nsp: unknown) => Adapter)(nsp);
}

/** Throws a RangeError where a number of milliseconds cannot be waited for. */
export function checkTime(name: string, milliseconds: unknown): void {
  if (typeof milliseconds === "number" && milliseconds > 0 && milliseconds <= MAX_TIMER_MS) return;
  throw new RangeError(
    `${name} is ${String(milliseconds)}: it must be above 0 and at most ${MAX_TIMER_MS} ms`,
  );
}

function resolveLimits(given: Partial<ServerLimits>): ServerLimits {
  const limits: Record<keyof ServerLimits, number> = { ...defaultServerLimits };
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(limits, name)) throw new RangeError(`limits.${name}: there is no such limit`);
    if (value === undefined) continue;
    // No event waiting for a listener is a way to live; no connection is none.
    const mayBeNone = name.startsWith("early") && name !== "earlyEventMs";
    if (typeof value !== "number" || !(value > 0 || (value === 0 && mayBeNone))) {
      const least = mayBeNone ? "at least" : "above";
      throw new RangeError(`limits.${name} is ${String(value)}: it must be a number ${least} 0`);
    }
    limits[name as keyof ServerLimits] = value;
  }
  return limits;
}

function resolveRecovery(given: RecoveryOptions | false | undefined): Required<RecoveryOptions> | undefined {
  // In JavaScript it may be null.
  if (!given) return undefined;
  const { maxDisconnectionDuration = 120_000, skipMiddlewares = true } = given;
  const { maxPackets = 10_000, maxBytes = 16_777_216 } = given;
  checkTime("connectionStateRecovery.maxDisconnectionDuration", maxDisconnectionDuration);
  for (const [name, value] of Object.entries({ maxPackets, maxBytes })) {
    if (typeof value === "number" && value >= 0) continue;
    throw new RangeError(
      `connectionStateRecovery.${name} is ${String(value)}: it must be a number of at least 0`,
    );
  }
  return { maxDisconnectionDuration, skipMiddlewares, maxPackets, maxBytes };
}
