import { statSync } from "node:fs";
import {
  pathUnescapings,
  watchSchema,
  type BalancedBackend,
  type PathUnescaping,
  type PolicyName,
  type ShareRules,
} from "@sluice/rpc";
import { Option, type Command } from "commander";
import { Gateway } from "../gateway.ts";
import { createLogger, logLevels, type LogLevel } from "../log.ts";
import type { UpstreamOptions } from "../upstream.ts";
import { CliError, listenError } from "./cli-error.ts";
import { listenerTlsFromFlags, renewCertificate } from "./listener-tls.ts";
import { onShutdown } from "./on-shutdown.ts";
import {
  bytesFromText,
  countFromText,
  originFromText,
  portFromText,
  secondsFromText,
  timeoutFromText,
  urlOf,
} from "./parse-value.ts";
import { shareFromText } from "./share-flag.ts";
import {
  addSchemaOptions,
  upstreamsFromFlags,
  type SchemaFlags,
  type SchemaSource,
  type UpstreamFromFlags,
} from "./schema-options.ts";

interface ServeFlags extends SchemaFlags {
  readonly host: string;
  readonly port: number;
  readonly strict?: boolean;
  readonly jsonDefaults?: boolean;
  readonly jsonEnumNumbers?: boolean;
  readonly jsonProtoNames?: boolean;
  readonly pathUnescaping: PathUnescaping;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly maxMessage: number;
  readonly maxReply: number;
  readonly maxMetadata: number;
  readonly timeout?: number;
  readonly maxTimeout?: number;
  readonly maxConnectionsPerAddress?: number;
  readonly maxCalls: number;
  readonly share?: ShareRules;
  readonly allowOrigin?: readonly string[];
  readonly files?: string;
  readonly balance: PolicyName;
  readonly healthCheck?: boolean;
  readonly retry?: boolean;
  readonly eject?: boolean;
  readonly serveReflection?: boolean;
  readonly serveOpenapi?: boolean;
  readonly grace: number;
  readonly logLevel: LogLevel;
}

/** Adds `sluice serve`. */
export function addServe(program: Command): void {
  const command = program
    .command("serve")
    .summary("put a gRPC server behind one port for browsers")
    .description("Puts a gRPC server behind one port: REST with JSON, and the same URLs over WebSockets.");
  addSchemaOptions(command)
    .option("--host <host>", "the address to listen on", "127.0.0.1")
    .option("--port <port>", "the port to listen on; 0 picks a free one", portFromText, 8080)
    .option("--tls-cert <file>", "speak TLS with clients: the PEM certificate with its chain, with --tls-key")
    .option("--tls-key <file>", "the PEM private key of --tls-cert; SIGHUP reads both files again")
    .option("--strict", "refuse JSON members and query parameters that no field has")
    .option("--json-defaults", "write fields also where they are zero or empty")
    .option("--json-enum-numbers", "write enum values as numbers")
    .option("--json-proto-names", "write fields under their names in the .proto file")
    .addOption(
      new Option("--path-unescaping <mode>", "how escaped characters in path variables are decoded")
        .choices(pathUnescapings)
        .default("spec"),
    )
    .option("--max-message <bytes>", "the largest message of a client", bytesFromText, 4 * 1024 * 1024)
    .option("--max-reply <bytes>", "the largest message of a gRPC server", bytesFromText, 4 * 1024 * 1024)
    .option(
      "--max-metadata <bytes>",
      "the most bytes of headers, in both directions",
      bytesFromText,
      64 * 1024,
    )
    .option("--timeout <seconds>", "the deadline of unary calls whose client gives none", timeoutFromText)
    .option("--max-timeout <seconds>", "the longest deadline of any call, streams too", timeoutFromText)
    .option(
      "--max-connections-per-address <count>",
      "connections of one client's address; not behind a proxy, where all have one",
      countFromText,
    )
    .option("--max-calls <count>", "calls at once on one WebSocket that carries many", countFromText, 100)
    .option(
      "--share <method[,…]>",
      "open a stream once for all clients with the same request; once for each method, with per=METADATA, replay, latest",
      shareFromText,
    )
    .option(
      "--allow-origin <origin...>",
      "pages of other origins that may make calls and open WebSockets; * for all",
      originFromText,
    )
    .option("--files <dir>", "a folder of files to serve where no method is bound")
    .addOption(
      new Option("--balance <policy>", "which of several addresses gets a call")
        .choices(["round_robin", "least_requests"])
        .default("round_robin"),
    )
    .option("--health-check", "call only addresses that grpc.health.v1 says are serving")
    .option("--eject", "leave out addresses whose calls go wrong, for a while")
    .option("--retry", "try calls again that were not answered, within a budget")
    .option("--serve-reflection", "let clients ask for the schema by server reflection")
    .option("--serve-openapi", "answer GET /openapi.json with the OpenAPI document")
    .option("--grace <seconds>", "how long calls may still take after SIGTERM", secondsFromText, 10)
    .addOption(new Option("--log-level <level>", "how much to log").choices(logLevels).default("info"))
    .action(serve);
}

async function serve(flags: ServeFlags): Promise<void> {
  if (flags.files !== undefined && statSync(flags.files, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new CliError(`--files: ${flags.files} is not a folder`);
  }
  const { timeout, maxTimeout } = flags;
  if (timeout !== undefined && maxTimeout !== undefined && timeout > maxTimeout) {
    throw new CliError("--timeout is longer than --max-timeout");
  }
  const upstreams = upstreamsFromFlags(flags, {
    maxMessageBytes: flags.maxReply,
    maxHeaderBytes: flags.maxMetadata,
    policy: flags.balance,
    ...(flags.healthCheck === true ? { health: {} } : {}),
    ...(flags.eject === true ? { outlier: {} } : {}),
    ...(flags.retry === true ? { retry: {} } : {}),
  });
  const origins = flags.allowOrigin;
  const tls = listenerTlsFromFlags(flags);
  const log = createLogger(flags.logLevel);
  const gateway = new Gateway({
    upstreams: upstreams.map(upstreamOptions),
    log,
    rest: {
      strict: flags.strict ?? false,
      emitDefaults: flags.jsonDefaults ?? false,
      enumsAsNumbers: flags.jsonEnumNumbers ?? false,
      protoFieldNames: flags.jsonProtoNames ?? false,
      pathUnescaping: flags.pathUnescaping,
    },
    maxMessageBytes: flags.maxMessage,
    ...(tls === undefined ? {} : { tls: tls.read() }),
    deadlines: {
      ...(timeout === undefined ? {} : { defaultTimeoutMs: timeout * 1000 }),
      ...(maxTimeout === undefined ? {} : { maxTimeoutMs: maxTimeout * 1000 }),
    },
    limits: {
      maxHeaderBytes: flags.maxMetadata,
      ...(flags.maxConnectionsPerAddress === undefined
        ? {}
        : { maxConnectionsPerAddress: flags.maxConnectionsPerAddress }),
    },
    multiplex: { maxCalls: flags.maxCalls },
    ...(flags.share === undefined ? {} : { share: flags.share }),
    ...(origins === undefined ? {} : { origin: origins.includes("*") ? "any" : origins }),
    ...(flags.files === undefined ? {} : { files: flags.files }),
    reflection: flags.serveReflection ?? false,
    openApi: flags.serveOpenapi ?? false,
  });
  if (tls !== undefined) process.on("SIGHUP", () => renewCertificate(gateway, tls, log));
  onShutdown(() => gateway.close(flags.grace * 1000));
  const address = await gateway.start(flags.host, flags.port).catch((error: unknown) => {
    throw listenError(error, flags.host, flags.port);
  });
  const names = upstreams.map(({ name }) => name);
  process.stdout.write(
    `sluice: ${names.join(", ")} ${names.length === 1 ? "is" : "are"} at ${urlOf(tls === undefined ? "http" : "https", address)}\n`,
  );
}

function upstreamOptions({ name, backend, load, isReflected }: UpstreamFromFlags): UpstreamOptions {
  return {
    name,
    backend,
    loadSchema: () => load(backend),
    // A server that was deployed anew may serve something else.
    ...(isReflected ? { follow: followerOf(backend, load) } : {}),
  };
}

function followerOf(backend: BalancedBackend, load: SchemaSource): NonNullable<UpstreamOptions["follow"]> {
  return (schema, onSchema, onFailure) =>
    watchSchema({
      backend,
      load,
      schema,
      onConnected: (listener) => backend.onConnected(listener),
      onSchema,
      onFailure,
    });
}
