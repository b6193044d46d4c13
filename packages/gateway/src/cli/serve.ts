import { existsSync } from "node:fs";
import type { PolicyName, ShareRules } from "@sluice/rpc";
import { Option, type Command } from "commander";
import { backendSources } from "../config/backend-sources.ts";
import { gatewayOptions } from "../config/gateway-options.ts";
import { identityErrorAt } from "../config/identity-problem.ts";
import type { ListenAddress } from "../config/listener-section.ts";
import { loadConfig, type LoadedConfig } from "../config/load-config.ts";
import { sessionOptions } from "../config/session-options.ts";
import { Gateway } from "../gateway.ts";
import { createLogger } from "../log.ts";
import { callbackSource } from "../session-host/callback-source.ts";
import { upstreamFromSource, type UpstreamSource } from "../upstream-source.ts";
import { growHeapFreely } from "../heap-growth.ts";
import { CliError, listenError } from "./cli-error.ts";
import { addConfigOptions, overridesFromFlags, type ConfigFlags } from "./config-flags.ts";
import { certificateFiles, renewCertificate } from "./listener-tls.ts";
import { onShutdown } from "./on-shutdown.ts";
import { urlOf } from "./parse-value.ts";
import { addSchemaOptions, upstreamsFromFlags, type SchemaFlags } from "./schema-options.ts";
import { shareFromText } from "./share-flag.ts";

/** The configuration file that is used where nothing else is said. */
export const usualFile = "sluice.yaml";

interface ServeFlags extends SchemaFlags, ConfigFlags {
  readonly config?: string;
  readonly share?: ShareRules;
  readonly balance?: PolicyName;
  readonly healthCheck?: boolean;
  readonly retry?: boolean;
  readonly eject?: boolean;
}

/** Adds `sluice serve`. */
export function addServe(program: Command): void {
  const command = program
    .command("serve")
    .summary("put a gRPC server behind one port for browsers")
    .description("Puts a gRPC server behind one port: REST with JSON, and the same URLs over WebSockets.")
    .option(
      "--config <file>",
      `the configuration (docs/configuration.md); without --upstream, ${usualFile} where there is one`,
    );
  addConfigOptions(addSchemaOptions(command))
    .option(
      "--share <method[,…]>",
      "open a stream once for all clients with the same request; once for each method, with per=METADATA, replay, latest",
      shareFromText,
    )
    .addOption(
      new Option(
        "--balance <policy>",
        "which of several addresses gets a call (default: round_robin)",
      ).choices(["round_robin", "least_requests"]),
    )
    .option("--health-check", "call only addresses that grpc.health.v1 says are serving")
    .option("--eject", "leave out addresses whose calls go wrong, for a while")
    .option("--retry", "try calls again that were not answered, within a budget")
    .action(serve);
}

async function serve(flags: ServeFlags): Promise<void> {
  growHeapFreely();
  const loaded = configFor(flags);
  const { config } = loaded;
  const host = flags.host ?? config.listen.host;
  const port = flags.port ?? config.listen.port;
  const given =
    Object.keys(config.backends).length > 0 ? configuredSources(loaded, flags) : sourcesOf(flags, loaded);
  const sources = given.map((source) =>
    source.name === config.callbacks?.backend ? callbackSource(source) : source,
  );
  const tls = certificateFiles(loaded);
  const log = createLogger(config.log.level);
  for (const warning of loaded.warnings) log.warn(warning);
  const sessions = sessionOptions(loaded);
  const gateway = new Gateway({
    ...gatewayOptions(loaded),
    ...(sessions === undefined ? {} : { sessions }),
    upstreams: sources.map(upstreamFromSource),
    log,
    ...(tls === undefined ? {} : { tls: tls.read() }),
    ...(flags.share === undefined ? {} : { share: flags.share }),
  });
  if (tls !== undefined) process.on("SIGHUP", () => renewCertificate(gateway, tls, log));
  onShutdown(() => gateway.close(config.drain));
  const address = await gateway.start(host, port).catch((error: unknown) => {
    throw startError(error, loaded, { host, port });
  });
  const scheme = tls === undefined ? "http" : "https";
  const names = sources.length === 0 ? ["the gateway"] : sources.map(({ name }) => name);
  const are = names.length === 1 ? "is" : "are";
  process.stdout.write(`sluice: ${names.join(", ")} ${are} at ${urlOf(scheme, address)}\n`);
  const { pushAddress } = gateway;
  if (pushAddress !== undefined)
    process.stdout.write(`sluice: the push API is at ${urlOf(scheme, pushAddress)}\n`);
}

/** What a person can do something about, in the place of what a start ends with. */
function startError(
  error: unknown,
  { config, errorAt }: LoadedConfig,
  { host, port }: ListenAddress,
): unknown {
  const { listen } = config.push ?? {};
  const taken = error instanceof Error && "port" in error ? error.port : port;
  if (listen === undefined || taken !== listen.port)
    return listenError(identityErrorAt(error, errorAt), host, port);
  const found = listenError(error, listen.host, listen.port);
  if (!(found instanceof CliError)) return found;
  return errorAt(["push", "listen"], `push.listen: ${found.message.replace(/; .*$/, "")}`);
}

function configFor(flags: ServeFlags): LoadedConfig {
  const { upstream, config } = flags;
  const file = config ?? (upstream === undefined && existsSync(usualFile) ? usualFile : undefined);
  if (file === undefined && upstream === undefined) {
    throw new CliError(
      `say which gRPC server: --upstream HOST:PORT; or give a configuration: --config FILE, or ${usualFile} in this folder`,
    );
  }
  return loadConfig({
    file,
    environment: process.env,
    flags: overridesFromFlags(flags),
    backendNames: upstream?.map(({ name }) => name) ?? [],
  });
}

/** The backends of flags. */
function sourcesOf(flags: ServeFlags, { config }: LoadedConfig): readonly UpstreamSource[] {
  if (flags.upstream === undefined) {
    const [flag] = backendFlags.find(([, name]) => flags[name] !== undefined) ?? [];
    if (flag !== undefined) throw new CliError(`${flag} is for backends of --upstream, and there is none`);
    return [];
  }
  return upstreamsFromFlags(flags, {
    maxMessageBytes: config.limits.reply,
    maxHeaderBytes: config.limits.metadata,
    policy: flags.balance ?? "round_robin",
    ...(flags.healthCheck === true ? { health: {} } : {}),
    ...(flags.eject === true ? { outlier: {} } : {}),
    ...(flags.retry === true ? { retry: {} } : {}),
  });
}

/** The flags that are for the backends of other flags, and what a file has in their place. */
const backendFlags: readonly [flag: string, name: keyof ServeFlags, key: string][] = [
  ["--reflect", "reflect", "their schema from reflection by default, or descriptor and proto"],
  ["--descriptor", "descriptor", "descriptor"],
  ["--proto", "proto", "proto"],
  ["--proto-path", "protoPath", "protoPath"],
  ["--http-rules", "httpRules", "httpRules"],
  ["--upstream-tls", "upstreamTls", "tls"],
  ["--upstream-ca", "upstreamCa", "tls.ca"],
  ["--upstream-cert", "upstreamCert", "tls.cert"],
  ["--upstream-key", "upstreamKey", "tls.key"],
  ["--upstream-server-name", "upstreamServerName", "tls.serverName"],
  ["--share", "share", "share"],
  ["--balance", "balance", "balance"],
  ["--health-check", "healthCheck", "health"],
  ["--eject", "eject", "eject"],
  ["--retry", "retry", "retry"],
];

/** The backends of the configuration, beside which no flag may say what is theirs. */
function configuredSources(loaded: LoadedConfig, flags: ServeFlags): readonly UpstreamSource[] {
  const given = backendFlags.find(([, name]) => flags[name] !== undefined);
  if (given !== undefined) {
    const [flag, , key] = given;
    throw new CliError(
      `${flag} is for backends of --upstream; those of the configuration have ${key} of their own`,
    );
  }
  return backendSources(loaded);
}
