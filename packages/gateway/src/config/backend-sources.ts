import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import {
  createBalancedBackend,
  RpcError,
  type BackendTlsOptions,
  type BalancedBackendOptions,
  type Method,
  type ShareRules,
} from "@sluice/rpc";
import type { DeadlineOptions } from "../deadlines.ts";
import { createSchemaSource, isFromFiles, type SchemaFiles } from "../schema-source.ts";
import type { UpstreamSource } from "../upstream-source.ts";
import type { BackendSection, BackendTlsSection, ShareSection } from "./backend-section.ts";
import type { LoadedConfig } from "./load-config.ts";

/** The backends of a configuration, in the order in which they stand there. Throws ConfigError for what cannot be. */
export function backendSources(loaded: LoadedConfig): readonly UpstreamSource[] {
  return Object.entries(loaded.config.backends).map(([name, backend]) => sourceOf(name, backend, loaded));
}

function sourceOf(name: string, backend: BackendSection, loaded: LoadedConfig): UpstreamSource {
  const { config, folder, errorAt } = loaded;
  const path = ["backends", name];
  const files = filesOf(backend, folder);
  const target = backend.target.flatMap((each) => each.split(","));
  try {
    return {
      name,
      backend: createBalancedBackend(target.length === 1 ? (target[0] ?? "") : target, {
        ...balancerOptions(backend),
        maxMessageBytes: backend.maxReply ?? config.limits.reply,
        maxHeaderBytes: config.limits.metadata,
        ...(backend.tls === undefined ? {} : { tls: tlsOf(backend.tls, folder) }),
      }),
      load: createSchemaSource(files, name),
      isReflected: !isFromFiles(files),
      deadlines: deadlinesOf(name, backend, loaded),
      share: shareRules(backend.share),
    };
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    const key = error.code === "tls_invalid" ? "tls" : "target";
    throw errorAt([...path, key], `${path.join(".")}.${key}: ${error.message}`);
  }
}

function filesOf({ descriptor, proto, protoPath, httpRules }: BackendSection, folder: string): SchemaFiles {
  const full = (files: readonly string[] | undefined): readonly string[] | undefined =>
    files?.map((file) => resolve(folder, file));
  return {
    descriptor: full(descriptor),
    proto: full(proto),
    protoPath: full(protoPath),
    httpRules: full(httpRules),
  };
}

function balancerOptions(backend: BackendSection): BalancedBackendOptions {
  const { authority, balance, health, eject, retry, backoff, keepalive } = backend;
  return {
    ...(authority === undefined ? {} : { authority }),
    policy: balance,
    connectTimeoutMs: backend.connectTimeout,
    backoff: { initialMs: backoff.initial, maxMs: backoff.max },
    keepalive: { intervalMs: keepalive.interval, timeoutMs: keepalive.timeout },
    maxConnections: backend.connections,
    maxWaitingCalls: backend.waitingCalls,
    ...(health === undefined ? {} : { health: { service: health.service, timeoutMs: health.timeout } }),
    ...(eject === undefined
      ? {}
      : {
          outlier: {
            consecutiveFailures: eject.failures,
            failureRate: eject.rate,
            minCalls: eject.minCalls,
            intervalMs: eject.interval,
            baseEjectionMs: eject.base,
            maxEjectionMs: eject.max,
            maxEjectedShare: eject.maxShare,
          },
        }),
    ...(retry === undefined
      ? {}
      : {
          retry: {
            maxAttempts: retry.attempts,
            initialMs: retry.initial,
            maxMs: retry.max,
            bufferBytes: retry.buffer,
            ...(retry.methods === undefined ? {} : { when: isOneOf(retry.methods) }),
          },
        }),
  };
}

function isOneOf(methods: readonly string[]): (method: Method) => boolean {
  const paths = new Set(methods.map(pathOf));
  return ({ path }) => paths.has(path);
}

function pathOf(method: string): string {
  return method.startsWith("/") ? method : `/${method}`;
}

function tlsOf({ ca, cert, key, serverName }: BackendTlsSection, folder: string): BackendTlsOptions {
  const read = (file: string): Buffer => readFileSync(resolve(folder, file));
  return {
    ...(ca === undefined ? {} : { ca: read(ca) }),
    ...(cert === undefined ? {} : { cert: read(cert) }),
    ...(key === undefined ? {} : { key: read(key) }),
    ...(serverName === undefined ? {} : { servername: serverName }),
  };
}

function deadlinesOf(
  name: string,
  backend: BackendSection,
  { config, originOf }: LoadedConfig,
): DeadlineOptions {
  const { timeout = config.timeout, maxTimeout = config.maxTimeout } = backend;
  const called = (key: "timeout" | "maxTimeout"): string =>
    backend[key] === undefined ? originOf([key]) : `backends.${name}.${key}`;
  return {
    ...(timeout === undefined ? {} : { defaultTimeoutMs: timeout }),
    ...(maxTimeout === undefined ? {} : { maxTimeoutMs: maxTimeout }),
    names: { defaultTimeout: called("timeout"), maxTimeout: called("maxTimeout") },
  };
}

function shareRules(share: Readonly<Record<string, ShareSection>>): ShareRules {
  return new Map(
    Object.entries(share).map(([method, { waiting, ...rule }]) => [
      pathOf(method),
      { ...rule, maxWaitingBytes: waiting },
    ]),
  );
}
