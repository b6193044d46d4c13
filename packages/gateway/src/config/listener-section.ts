import { pathUnescapings, type PathUnescaping } from "@sluice/rpc";
import { z } from "zod";
import { logLevels, type LogLevel } from "../log.ts";
import { count, duration, flag, oneOf, oneOrMore, size, text, textLike } from "./value-types.ts";

/** Where the gateway listens. */
export interface ListenAddress {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
}

const listenForm = "must be HOST:PORT, as in 127.0.0.1:8080, 0.0.0.0:8080 or [::1]:8080";

/** `HOST:PORT`, with an IPv6 address in brackets. */
export function listenAddress(): z.ZodType<ListenAddress, string> {
  return textLike(/^(?:\[[0-9A-Fa-f:.]+\]|[^\s:[\]/]+):\d{1,5}$/, listenForm)
    .transform((value) => {
      const colon = value.lastIndexOf(":");
      return { host: value.slice(0, colon).replace(/^\[|\]$/g, ""), port: Number(value.slice(colon + 1)) };
    })
    .refine(({ port }) => port <= 65_535, { error: "must have a port from 0 to 65535" });
}

/** Files in PEM. */
export interface CertificatePaths {
  readonly cert: string;
  readonly key: string;
}

/** How JSON is read and written. */
export interface JsonSection {
  readonly strict: boolean;
  readonly defaults: boolean;
  readonly enumNumbers: boolean;
  readonly protoNames: boolean;
}

/** The bounds of what clients may do; times in milliseconds, sizes in bytes. */
export interface LimitsSection {
  readonly message: number;
  readonly reply: number;
  readonly metadata: number;
  readonly body: number;
  readonly firstBytes: number;
  readonly head: number;
  readonly pipelined: number;
  readonly streams: number;
  readonly idle: number;
  readonly alive: number;
  readonly stall: number;
  readonly connectionsPerAddress?: number | undefined;
  readonly calls: number;
  readonly abandonedCalls: number;
}

/** How silent clients are kept and found; milliseconds. */
export interface HeartbeatSection {
  readonly every: number;
  readonly patience: number;
  readonly eventStream: number;
}

/** The keys of a configuration that are of the gateway as a whole. */
export interface ListenerSection {
  readonly listen: ListenAddress;
  readonly tls?: CertificatePaths | undefined;
  readonly origins?: readonly string[] | undefined;
  readonly files?: string | undefined;
  readonly reflection: boolean;
  readonly openApi: boolean;
  readonly json: JsonSection;
  readonly pathUnescaping: PathUnescaping;
  readonly limits: LimitsSection;
  readonly timeout?: number | undefined;
  readonly maxTimeout?: number | undefined;
  readonly heartbeat: HeartbeatSection;
  readonly log: { readonly level: LogLevel };
  readonly drain: number;
}

const json: z.ZodType<JsonSection> = z.strictObject({
  strict: flag()
    .prefault(false)
    .describe("Refuse JSON members and query parameters that no field has; else they are ignored."),
  defaults: flag().prefault(false).describe("Write fields also where they are zero or empty."),
  enumNumbers: flag().prefault(false).describe("Write enum values as numbers; else as names."),
  protoNames: flag()
    .prefault(false)
    .describe("Write fields under their names in the .proto file; else in lowerCamelCase."),
});

const limits: z.ZodType<LimitsSection> = z.strictObject({
  message: size()
    .prefault("4MiB")
    .describe("The largest message of a client in a call, inflated where the gateway does that."),
  reply: size()
    .prefault("4MiB")
    .describe("The largest message of a gRPC server, as it comes; a backend may have its own, maxReply."),
  metadata: size()
    .prefault("64KiB")
    .describe(
      "The most bytes of a request's headers, of passed-on metadata, and of a server's headers or trailers.",
    ),
  body: duration()
    .prefault("5m")
    .describe("How long the body of a request to a method that takes one message may take."),
  firstBytes: duration()
    .prefault("10s")
    .describe("How long a new connection may say nothing, or TLS may take."),
  head: duration().prefault("60s").describe("How long the head of a request may take over HTTP/1."),
  pipelined: count().prefault(100).describe("Requests of one HTTP/1 connection that wait for an answer."),
  streams: count().prefault(1_000).describe("Streams that one HTTP/2 connection may have open."),
  idle: duration().prefault("5m").describe("How long an HTTP/2 connection may have no stream."),
  alive: duration()
    .prefault("30s")
    .describe(
      "How long an HTTP/2 client is silent before it is asked whether it lives, and how long it has to answer.",
    ),
  stall: duration()
    .prefault("5m")
    .describe("How long a client may read nothing of an answer that waits for it."),
  connectionsPerAddress: count()
    .optional()
    .describe(
      "Connections of one client's address. Not behind a proxy, where all clients have one address. Default: any number.",
    ),
  calls: count().prefault(100).describe("Calls at once on one WebSocket that carries many."),
  abandonedCalls: count()
    .prefault(1_000)
    .describe("Calls that a client may abandon in a second on one WebSocket that carries many."),
});

const heartbeat: z.ZodType<HeartbeatSection> = z.strictObject({
  every: duration().prefault("25s").describe("The time from one ping on a WebSocket to the next."),
  patience: duration().prefault("20s").describe("How long a client has to show that it lives after a ping."),
  eventStream: duration()
    .prefault("15s")
    .describe("The time between two comments in a silent stream of Server-Sent Events."),
});

/** An origin as browsers write it, or `*`. */
const origin = textLike(
  /^(?:\*|[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/?#\s]+)$/,
  "must be a scheme and a host with nothing behind them, as in https://app.example.com, or *",
);

/** The keys of the gateway as a whole, with their schemas. */
export const listenerShape: { [Key in keyof ListenerSection]-?: z.ZodType<ListenerSection[Key]> } = {
  listen: listenAddress()
    .prefault("127.0.0.1:8080")
    .describe("The address and port to listen on; port 0 picks a free one."),
  tls: z
    .strictObject({
      cert: text("a file").describe("The PEM certificate, with its chain."),
      key: text("a file").describe("Its PEM private key."),
    })
    .optional()
    .describe("Speak TLS with clients; SIGHUP reads the files again. Default: no TLS."),
  origins: oneOrMore(origin)
    .optional()
    .describe(
      "Pages of other origins that may make calls and open WebSockets; * for all, without their cookies. Default: only the gateway's own.",
    ),
  files: text("a folder").optional().describe("A folder of files to serve where no method is bound."),
  reflection: flag().prefault(false).describe("Let clients ask for the schema by gRPC server reflection."),
  openApi: flag().prefault(false).describe("Answer GET /openapi.json with the OpenAPI document."),
  json: json.prefault({}).describe("How JSON is read and written."),
  pathUnescaping: oneOf(pathUnescapings)
    .prefault("spec")
    .describe("How escaped characters in path variables are decoded."),
  limits: limits.prefault({}).describe("The bounds of what clients and servers may do."),
  timeout: duration()
    .optional()
    .describe("The deadline of unary calls whose client gives none. Default: none."),
  maxTimeout: duration()
    .optional()
    .describe(
      "The longest deadline of any call, streams among them, whatever its client says. Default: none.",
    ),
  heartbeat: heartbeat.prefault({}).describe("How silent clients are kept and found."),
  log: z
    .strictObject({
      level: oneOf(logLevels)
        .prefault("info")
        .describe("How much to log: debug is every call, info those that failed."),
    })
    .prefault({})
    .describe("The log, on standard error: lines on a terminal, JSON elsewhere."),
  drain: duration({ least: 0 })
    .prefault("10s")
    .describe("How long calls and sessions may still take after SIGTERM."),
};
