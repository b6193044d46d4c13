import { readFileSync } from "node:fs";
import {
  applyServiceConfig,
  compileProtos,
  createBalancedBackend,
  loadDescriptorSets,
  reflectSchema,
  type Backend,
  type BalancedBackend,
  type BalancedBackendOptions,
  type Schema,
} from "@sluice/rpc";
import type { Command } from "commander";
import { CliError } from "./cli-error.ts";
import { readServiceConfig } from "./service-config-file.ts";

/** The flags that say which backend there is and where its schema comes from. */
export interface SchemaFlags {
  readonly upstream?: string;
  readonly upstreamCa?: string;
  readonly reflect?: boolean;
  readonly descriptor?: readonly string[];
  readonly proto?: readonly string[];
  readonly protoPath?: readonly string[];
  readonly httpRules?: string;
}

/** Loads a schema; where it comes from reflection, `server` is asked instead of the backend as a whole. */
export type SchemaSource = (server?: Backend) => Promise<Schema>;

/** Adds the schema flags to a command. */
export function addSchemaOptions(command: Command): Command {
  return command
    .option(
      "--upstream <host:port>",
      "the gRPC server; several with commas, dns:///host:port for all of a name, https:// for TLS",
    )
    .option("--upstream-ca <file>", "PEM certificates to trust for TLS with the gRPC server")
    .option("--reflect", "take the schema from the server's reflection (the default)")
    .option(
      "--descriptor <file...>",
      "take the schema from descriptor sets (protoc --include_imports -o FILE)",
    )
    .option("--proto <file...>", "take the schema from .proto files")
    .option("--proto-path <dir...>", "where .proto files find their imports")
    .option(
      "--http-rules <file>",
      "HTTP rules in YAML (google.api.Service), in place of those in the schema",
    );
}

/** The backend that the flags name. Throws CliError or RpcError for one that cannot be. */
export function backendFromFlags(flags: SchemaFlags, options: BalancedBackendOptions = {}): BalancedBackend {
  if (flags.upstream === undefined) throw new CliError("say which gRPC server: --upstream HOST:PORT");
  const tls = flags.upstreamCa === undefined ? {} : { tls: { ca: readCa(flags.upstreamCa) } };
  return createBalancedBackend(flags.upstream, { ...options, ...tls });
}

/**
 * How the schema is loaded that the flags name; `backend` is asked where they name no files.
 * Throws CliError for flags that contradict each other.
 */
export function schemaSourceFromFlags(flags: SchemaFlags, backend: () => Backend): SchemaSource {
  const load = loaderFromFlags(flags, backend);
  if (flags.httpRules === undefined) return load;
  const config = readServiceConfig(flags.httpRules);
  return async (server) => applyServiceConfig(await load(server), config);
}

function loaderFromFlags(flags: SchemaFlags, backend: () => Backend): SchemaSource {
  const { descriptor, proto, protoPath, reflect, upstream } = flags;
  const sources = [reflect, descriptor, proto].filter((each) => each !== undefined);
  if (sources.length > 1) throw new CliError("give one of --reflect, --descriptor and --proto");
  if (protoPath !== undefined && proto === undefined) throw new CliError("--proto-path goes with --proto");
  if (descriptor !== undefined) return () => loadDescriptorSets(descriptor);
  if (proto !== undefined) return () => compileProtos(proto, { importPaths: protoPath ?? [] });
  return (server = backend()) => reflectSchema(server, upstream === undefined ? {} : { name: upstream });
}

/**
 * Loads the schema that the flags name, for a command that only looks at it. Throws CliError where they name
 * none, and what loading it throws.
 */
export async function schemaFromFlags(flags: SchemaFlags): Promise<Schema> {
  if (flags.upstream === undefined && flags.descriptor === undefined && flags.proto === undefined) {
    throw new CliError("say where the schema is: --upstream HOST:PORT, --descriptor FILE or --proto FILE");
  }
  let backend: Backend | undefined;
  try {
    return await schemaSourceFromFlags(flags, () => (backend ??= backendFromFlags(flags)))();
  } finally {
    await backend?.close(0);
  }
}

/** Reads the PEM file of `--upstream-ca`. Throws CliError. */
export function readCa(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new CliError(`--upstream-ca: cannot read ${file}`, { cause: error });
  }
}
