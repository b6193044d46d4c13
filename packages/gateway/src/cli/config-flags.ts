import { resolve } from "node:path";
import { pathUnescapings, type PathUnescaping } from "@sluice/rpc";
import { Option, type Command } from "commander";
import type { Override } from "../config/environment-values.ts";
import { logLevels, type LogLevel } from "../log.ts";
import { CliError } from "./cli-error.ts";
import {
  bytesFromText,
  countFromText,
  originFromText,
  portFromText,
  secondsFromText,
  timeoutFromText,
} from "./parse-value.ts";

/** The flags that say what a configuration file can say too; undefined where they are not given. */
export interface ConfigFlags {
  readonly host?: string;
  readonly port?: number;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly strict?: boolean;
  readonly jsonDefaults?: boolean;
  readonly jsonEnumNumbers?: boolean;
  readonly jsonProtoNames?: boolean;
  readonly pathUnescaping?: PathUnescaping;
  readonly maxMessage?: number;
  readonly maxReply?: number;
  readonly maxMetadata?: number;
  readonly timeout?: number;
  readonly maxTimeout?: number;
  readonly maxConnectionsPerAddress?: number;
  readonly maxCalls?: number;
  readonly allowOrigin?: readonly string[];
  readonly files?: string;
  readonly serveReflection?: boolean;
  readonly serveOpenapi?: boolean;
  readonly grace?: number;
  readonly logLevel?: LogLevel;
}

/** Adds these flags to a command. */
export function addConfigOptions(command: Command): Command {
  return command
    .option("--host <host>", "the address to listen on (default: 127.0.0.1)")
    .option("--port <port>", "the port to listen on; 0 picks a free one (default: 8080)", portFromText)
    .option("--tls-cert <file>", "speak TLS with clients: the PEM certificate with its chain, with --tls-key")
    .option("--tls-key <file>", "the PEM private key of --tls-cert; SIGHUP reads both files again")
    .option("--strict", "refuse JSON members and query parameters that no field has")
    .option("--json-defaults", "write fields also where they are zero or empty")
    .option("--json-enum-numbers", "write enum values as numbers")
    .option("--json-proto-names", "write fields under their names in the .proto file")
    .addOption(
      new Option(
        "--path-unescaping <mode>",
        "how escaped characters in path variables are decoded (default: spec)",
      ).choices(pathUnescapings),
    )
    .option("--max-message <bytes>", "the largest message of a client (default: 4194304)", bytesFromText)
    .option("--max-reply <bytes>", "the largest message of a gRPC server (default: 4194304)", bytesFromText)
    .option(
      "--max-metadata <bytes>",
      "the most bytes of headers, in both directions (default: 65536)",
      bytesFromText,
    )
    .option("--timeout <seconds>", "the deadline of unary calls whose client gives none", timeoutFromText)
    .option("--max-timeout <seconds>", "the longest deadline of any call, streams too", timeoutFromText)
    .option(
      "--max-connections-per-address <count>",
      "connections of one client's address; not behind a proxy, where all have one",
      countFromText,
    )
    .option(
      "--max-calls <count>",
      "calls at once on one WebSocket that carries many (default: 100)",
      countFromText,
    )
    .option(
      "--allow-origin <origin...>",
      "pages of other origins that may make calls and open WebSockets; * for all",
      originFromText,
    )
    .option("--files <dir>", "a folder of files to serve where no method is bound")
    .option("--serve-reflection", "let clients ask for the schema by server reflection")
    .option("--serve-openapi", "answer GET /openapi.json with the OpenAPI document")
    .option("--grace <seconds>", "how long calls may still take after SIGTERM (default: 10)", secondsFromText)
    .addOption(new Option("--log-level <level>", "how much to log (default: info)").choices(logLevels));
}

/**
 * What the flags say, in the place of what file and environment do; but host and port, of which each may be given alone.
 * Throws CliError.
 */
export function overridesFromFlags(flags: ConfigFlags): readonly Override[] {
  if ((flags.tlsCert === undefined) !== (flags.tlsKey === undefined))
    throw new CliError("--tls-cert and --tls-key go together");
  const all: readonly [origin: string, path: string, value: unknown][] = [
    // Paths of flags begin at the working directory, those of a file at its folder.
    ["--tls-cert", "tls.cert", full(flags.tlsCert)],
    ["--tls-key", "tls.key", full(flags.tlsKey)],
    ["--strict", "json.strict", flags.strict],
    ["--json-defaults", "json.defaults", flags.jsonDefaults],
    ["--json-enum-numbers", "json.enumNumbers", flags.jsonEnumNumbers],
    ["--json-proto-names", "json.protoNames", flags.jsonProtoNames],
    ["--path-unescaping", "pathUnescaping", flags.pathUnescaping],
    ["--max-message", "limits.message", flags.maxMessage],
    ["--max-reply", "limits.reply", flags.maxReply],
    ["--max-metadata", "limits.metadata", flags.maxMetadata],
    ["--timeout", "timeout", duration(flags.timeout)],
    ["--max-timeout", "maxTimeout", duration(flags.maxTimeout)],
    ["--max-connections-per-address", "limits.connectionsPerAddress", flags.maxConnectionsPerAddress],
    ["--max-calls", "limits.calls", flags.maxCalls],
    ["--allow-origin", "origins", flags.allowOrigin],
    ["--files", "files", full(flags.files)],
    ["--serve-reflection", "reflection", flags.serveReflection],
    ["--serve-openapi", "openApi", flags.serveOpenapi],
    ["--grace", "drain", duration(flags.grace)],
    ["--log-level", "log.level", flags.logLevel],
  ];
  return all
    .filter(([, , value]) => value !== undefined)
    .map(([origin, path, value]) => ({ origin, path: path.split("."), value }));
}

function full(file: string | undefined): string | undefined {
  return file === undefined ? undefined : resolve(file);
}

function duration(seconds: number | undefined): string | undefined {
  return seconds === undefined ? undefined : `${(seconds * 1000).toFixed(3)}ms`;
}
