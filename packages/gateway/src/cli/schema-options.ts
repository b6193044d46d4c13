import {
  createBalancedBackend,
  joinSchemas,
  ownersOfServices,
  type BackendTlsOptions,
  type BalancedBackendOptions,
  type Schema,
} from "@sluice/rpc";
import type { Command } from "commander";
import {
  createSchemaSource,
  isFromFiles,
  noServer,
  type SchemaFiles,
  type SchemaSource,
} from "../schema-source.ts";
import type { UpstreamSource } from "../upstream-source.ts";
import { CliError } from "./cli-error.ts";
import { addTlsOptions, tlsFromFlags, type TlsFlags } from "./tls-flags.ts";
import { addUpstream, valuesFor, type NamedTarget } from "./upstream-flags.ts";

/** The flags that say which backends there are and where their schemas come from. */
export interface SchemaFlags extends TlsFlags {
  readonly upstream?: readonly NamedTarget[];
  readonly reflect?: boolean;
  readonly descriptor?: readonly string[];
  readonly proto?: readonly string[];
  readonly protoPath?: readonly string[];
  readonly httpRules?: readonly string[];
}

/** Adds the schema flags to a command. */
export function addSchemaOptions(command: Command): Command {
  command
    .option(
      "--upstream <host:port>",
      "a gRPC server: its addresses with commas, dns:///host:port for all of a name, https:// for TLS; " +
        "once more for each further backend; NAME= before it gives it a name",
      addUpstream,
    )
    .option("--reflect", "take the schema from the server's reflection (the default)")
    .option(
      "--descriptor <file...>",
      "take the schema from descriptor sets (protoc --include_imports -o FILE); NAME= before it says whose",
    )
    .option("--proto <file...>", "take the schema from .proto files; NAME= before it says whose")
    .option("--proto-path <dir...>", "where .proto files find their imports")
    .option(
      "--http-rules <file...>",
      "HTTP rules in YAML (google.api.Service), in place of those in the schema; NAME= before it says whose",
    );
  return addTlsOptions(command);
}

/** The backends that the flags name. Throws CliError or RpcError for what cannot be. */
export function upstreamsFromFlags(
  flags: SchemaFlags,
  options: BalancedBackendOptions = {},
): readonly UpstreamSource[] {
  const { upstream: targets = [] } = flags;
  if (targets.length === 0) throw new CliError("say which gRPC server: --upstream HOST:PORT");
  const tls = tlsFromFlags(flags);
  return targets.map((target) => {
    const { name } = target;
    const files = filesFor(target, flags, targets);
    const load = schemaSourceOf(files, flags, name);
    const backend = createBalancedBackend(target.target, { ...options, ...tlsFor(target, tls, targets) });
    return { name, backend, load, isReflected: !isFromFiles(files) };
  });
}

/**
 * Loads the schemas that the flags name as one, for a command that only looks at it. Throws CliError where they name
 * none, `service_conflict` where two backends have the same service, and what loading throws.
 */
export async function schemaFromFlags(flags: SchemaFlags): Promise<Schema> {
  if (flags.upstream === undefined) {
    if (isFromFiles(flags)) return schemaSourceOf(flags, flags, "")(noServer);
    throw new CliError("say where the schema is: --upstream HOST:PORT, --descriptor FILE or --proto FILE");
  }
  const upstreams = upstreamsFromFlags(flags);
  try {
    const parts = await Promise.all(
      upstreams.map(async ({ name, backend, load }) => ({ name, schema: await load(backend) })),
    );
    const [conflict] = ownersOfServices(parts).conflicts;
    if (conflict !== undefined) throw conflict;
    return joinSchemas(parts.map(({ schema }) => schema));
  } finally {
    await Promise.all(upstreams.map(({ backend }) => backend.close(0)));
  }
}

/** Those of the files that are for one backend. */
function filesFor(
  target: NamedTarget,
  { descriptor, proto, httpRules }: SchemaFlags,
  targets: readonly NamedTarget[],
): SchemaFiles {
  return {
    descriptor: valuesFor(target, "--descriptor", descriptor, targets),
    proto: valuesFor(target, "--proto", proto, targets),
    httpRules: valuesFor(target, "--http-rules", httpRules, targets),
  };
}

/** TLS is for all backends but those that say no to it, unless all do: then it is a mistake, which is told. */
function tlsFor(
  { target }: NamedTarget,
  tls: BackendTlsOptions | undefined,
  targets: readonly NamedTarget[],
): { readonly tls?: BackendTlsOptions } {
  const isLeftOut = isPlain(target) && !targets.every((each) => isPlain(each.target));
  return tls === undefined || isLeftOut ? {} : { tls };
}

function isPlain(target: string): boolean {
  return target.startsWith("http://");
}

function schemaSourceOf(
  files: SchemaFiles,
  { reflect, protoPath, proto }: SchemaFlags,
  name: string,
): SchemaSource {
  const sources = [reflect, files.descriptor, files.proto].filter((each) => each !== undefined);
  if (sources.length > 1) throw new CliError("give one of --reflect, --descriptor and --proto");
  if (protoPath !== undefined && proto === undefined) throw new CliError("--proto-path goes with --proto");
  return createSchemaSource({ ...files, protoPath }, name);
}
