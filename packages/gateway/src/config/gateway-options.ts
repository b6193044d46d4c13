import { resolve } from "node:path";
import type { GatewayOptions } from "../gateway.ts";
import type { LoadedConfig } from "./load-config.ts";

/** What a configuration says of the gateway as a whole: all but its backends, its log and its certificate. */
export function gatewayOptions({
  config,
  folder,
  originOf,
}: LoadedConfig): Omit<GatewayOptions, "upstreams" | "log" | "tls"> {
  const { json, limits, timeout, maxTimeout, heartbeat, origins, files } = config;
  return {
    rest: {
      strict: json.strict,
      emitDefaults: json.defaults,
      enumsAsNumbers: json.enumNumbers,
      protoFieldNames: json.protoNames,
      pathUnescaping: config.pathUnescaping,
    },
    maxMessageBytes: limits.message,
    bodyMs: limits.body,
    limits: {
      firstBytesMs: limits.firstBytes,
      headMs: limits.head,
      maxPipelined: limits.pipelined,
      maxStreams: limits.streams,
      idleMs: limits.idle,
      aliveMs: limits.alive,
      stallMs: limits.stall,
      maxHeaderBytes: limits.metadata,
      ...(limits.connectionsPerAddress === undefined
        ? {}
        : { maxConnectionsPerAddress: limits.connectionsPerAddress }),
    },
    multiplex: { maxCalls: limits.calls, maxAbandonedCalls: limits.abandonedCalls },
    deadlines: {
      ...(timeout === undefined ? {} : { defaultTimeoutMs: timeout }),
      ...(maxTimeout === undefined ? {} : { maxTimeoutMs: maxTimeout }),
      names: { defaultTimeout: originOf(["timeout"]), maxTimeout: originOf(["maxTimeout"]) },
    },
    keepAliveMs: heartbeat.eventStream,
    heartbeat: { intervalMs: heartbeat.every, patienceMs: heartbeat.patience },
    ...(origins === undefined ? {} : { origin: origins.includes("*") ? "any" : origins }),
    ...(files === undefined ? {} : { files: resolve(folder, files) }),
    reflection: config.reflection,
    openApi: config.openApi,
  };
}
