import type { IncomingMessage } from "node:http";
import type { ZlibOptions } from "node:zlib";
import { type Clock, type CompressionOptions, type OriginPolicy, systemClock } from "@sluice/websocket";
import { type CookieOptions, defaultCookie } from "./http/cookie.ts";
import type { CorsOptions, CorsOptionsDelegate } from "./http/cors.ts";
import {
  compressionFromPerMessageDeflate,
  type PerMessageDeflateOptions,
} from "./websocket/per-message-deflate.ts";

/** How a client may connect. */
export type TransportName = "polling" | "websocket";

/** When and how answers to polls are compressed: from so many bytes on, and with what options of zlib. */
export interface HttpCompression extends ZlibOptions {
  readonly threshold: number;
}

/** Decides on a request for a handshake, and says so by `decide(null, true)` or `decide("why not", false)`. Throws or rejects: 400. */
export type AllowRequest = (
  request: IncomingMessage,
  decide: (message: string | null | undefined, allowed: boolean) => void,
) => unknown;

/** The options of an engine. Names, units and defaults are those of the package engine.io, where it has them. */
export interface EngineOptions {
  /** Milliseconds between pings. Default 25,000. */
  readonly pingInterval?: number;
  /** Milliseconds that an answer to a ping may take. Default 20,000. Over it: closed with `ping timeout`. */
  readonly pingTimeout?: number;
  /** Milliseconds that an upgrade may take. Default 10,000. Over it: the WebSocket is closed, and polling goes on. */
  readonly upgradeTimeout?: number;
  /**
   * Bytes of one POST, and of one WebSocket message. Default 1,000,000. The client is told, as `maxPayload`. Over it:
   * 413, or close code 1009.
   */
  readonly maxHttpBufferSize?: number;
  /**
   * Bytes that may wait for one client when a message is added; by polling, each packet counts 64 beside its data.
   * Default 16,777,216. At it: what `slow` says. What waits is never more than this and one message.
   */
  readonly maxBufferedBytes?: number;
  /** What happens at `maxBufferedBytes`: the session is closed, or what is added is dropped. Default `"close"`. */
  readonly slow?: "close" | "drop";
  /** Sessions at a time. Default 100,000. Over it: handshakes are answered 503. */
  readonly maxConnections?: number;
  /** Sessions of one address at a time, which is a proxy's where there is one. Default Infinity. Over it: 503. */
  readonly maxConnectionsPerAddress?: number;
  /** How clients may connect. Default both. */
  readonly transports?: readonly TransportName[];
  /** Whether a session that polls may move to a WebSocket. Default true. */
  readonly allowUpgrades?: boolean;
  /** Whether clients of revision 3 are let in, which are Socket.IO 2.x. Default false. */
  readonly allowEIO3?: boolean;
  /** Decides on handshakes. Default: all are let in. Sessions keep the request, on which it may have put something. */
  readonly allowRequest?: AllowRequest;
  /** Compression of WebSocket messages. Default false: it costs memory and time. */
  readonly perMessageDeflate?: boolean | PerMessageDeflateOptions;
  /** Compression of answers to polls. Default true, from 1,024 bytes on. */
  readonly httpCompression?: boolean | Partial<HttpCompression>;
  /** A cookie with the session's id in the answer to a handshake by polling, for load balancers. Default false. */
  readonly cookie?: boolean | CookieOptions;
  /** Which pages of other origins may read answers, and open WebSockets. Default false: none. */
  readonly cors?: false | CorsOptions | CorsOptionsDelegate;
  /**
   * Which pages may open a WebSocket beside those that `cors` allows. Default `"same"`: those of the server's own host.
   * Other than browsers, clients name no origin and are let in.
   */
  readonly origin?: OriginPolicy;
  /** Where time comes from. Default: the system's clock. */
  readonly clock?: Clock;
}

/** The options that are numbers. */
export interface EngineLimits {
  readonly pingInterval: number;
  readonly pingTimeout: number;
  readonly upgradeTimeout: number;
  readonly maxHttpBufferSize: number;
  readonly maxBufferedBytes: number;
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
}

/** The options with all defaults. */
export interface ResolvedEngineOptions extends EngineLimits {
  readonly slow: "close" | "drop";
  readonly transports: ReadonlySet<string>;
  readonly allowUpgrades: boolean;
  readonly allowEIO3: boolean;
  readonly allowRequest: AllowRequest | undefined;
  readonly compression: false | Partial<CompressionOptions>;
  readonly httpCompression: HttpCompression | undefined;
  readonly cookie: CookieOptions | undefined;
  readonly cors: CorsOptions | CorsOptionsDelegate | undefined;
  readonly origin: OriginPolicy;
  readonly clock: Clock;
}

/** The numbers that hold where none are given. */
export const defaultEngineLimits: EngineLimits = Object.freeze({
  pingInterval: 25_000,
  pingTimeout: 20_000,
  upgradeTimeout: 10_000,
  maxHttpBufferSize: 1_000_000,
  maxBufferedBytes: 16_777_216,
  maxConnections: 100_000,
  maxConnectionsPerAddress: Infinity,
});

/** The longest that a timer of Node can wait, in milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The given options with the defaults for the rest. Throws a RangeError that names the one which cannot be meant. */
export function resolveEngineOptions(options: EngineOptions): ResolvedEngineOptions {
  const limits = resolveLimits(options);
  const transports = new Set<string>(options.transports ?? ["polling", "websocket"]);
  for (const name of transports) {
    if (name !== "polling" && name !== "websocket") {
      throw new RangeError(`transports has ${JSON.stringify(name)}: there are polling and websocket`);
    }
  }
  return {
    ...limits,
    slow: options.slow ?? "close",
    transports,
    allowUpgrades: (options.allowUpgrades ?? true) && transports.has("websocket"),
    allowEIO3: options.allowEIO3 ?? false,
    allowRequest: options.allowRequest,
    compression: compressionFromPerMessageDeflate(options.perMessageDeflate ?? false),
    httpCompression: resolveHttpCompression(options.httpCompression ?? true),
    cookie: resolveCookie(options.cookie ?? false),
    cors: options.cors === false ? undefined : options.cors,
    origin: options.origin ?? "same",
    clock: options.clock ?? systemClock,
  };
}

function resolveLimits(options: EngineOptions): EngineLimits {
  const limits: Record<keyof EngineLimits, number> = { ...defaultEngineLimits };
  for (const name of Object.keys(limits) as (keyof EngineLimits)[]) {
    const value = options[name] ?? limits[name];
    const isTime = name.startsWith("ping") || name === "upgradeTimeout";
    if (typeof value !== "number" || !(value > 0) || (isTime && value > MAX_TIMER_MS)) {
      const most = isTime ? ` and at most ${MAX_TIMER_MS}` : "";
      throw new RangeError(`${name} is ${String(value)}: it must be a number above 0${most}`);
    }
    limits[name] = value;
  }
  return limits;
}

function resolveHttpCompression(given: boolean | Partial<HttpCompression>): HttpCompression | undefined {
  if (given === false) return undefined;
  return { threshold: 1024, ...(given === true ? {} : given) };
}

function resolveCookie(given: boolean | CookieOptions): CookieOptions | undefined {
  if (given === false) return undefined;
  return given === true ? defaultCookie : { ...defaultCookie, ...given };
}
