import { readFileSync } from "node:fs";
import {
  compileProtos,
  createHttp2Backend,
  loadDescriptorSets,
  reflectSchema,
  type Backend,
  type Schema,
} from "@sluice/rpc";
import { Option, type Command } from "commander";
import { CliError } from "./cli-error.ts";

/** The flags that say which backend there is and where its schema comes from. */
export interface SchemaFlags {
  readonly upstream: string;
  readonly upstreamCa?: string;
  readonly reflect?: boolean;
  readonly descriptor?: readonly string[];
  readonly proto?: readonly string[];
  readonly protoPath?: readonly string[];
}

/** Adds the schema flags to a command. */
export function addSchemaOptions(command: Command, upstreamNeeded: boolean): Command {
  const upstream = new Option(
    "--upstream <host:port>",
    "the gRPC server; https://host:port speaks TLS with it",
  ).makeOptionMandatory(upstreamNeeded);
  return command
    .addOption(upstream)
    .option("--upstream-ca <file>", "PEM certificates to trust for TLS with the gRPC server")
    .option("--reflect", "take the schema from the server's reflection (the default)")
    .option(
      "--descriptor <file...>",
      "take the schema from descriptor sets (protoc --include_imports -o FILE)",
    )
    .option("--proto <file...>", "take the schema from .proto files")
    .option("--proto-path <dir...>", "where .proto files find their imports");
}

/** A backend and how to get its schema, from the flags. Throws CliError for flags that contradict each other. */
export function backendFromFlags(flags: SchemaFlags): {
  backend: Backend;
  loadSchema: () => Promise<Schema>;
} {
  const sources = [flags.reflect, flags.descriptor, flags.proto].filter((each) => each !== undefined);
  if (sources.length > 1) throw new CliError("give one of --reflect, --descriptor and --proto");
  if (flags.protoPath !== undefined && flags.proto === undefined) {
    throw new CliError("--proto-path goes with --proto");
  }
  const tls = flags.upstreamCa === undefined ? {} : { tls: { ca: readCa(flags.upstreamCa) } };
  const backend = createHttp2Backend(flags.upstream, tls);
  const { descriptor, proto, protoPath = [] } = flags;
  const loadSchema = (): Promise<Schema> => {
    if (descriptor !== undefined) return loadDescriptorSets(descriptor);
    if (proto !== undefined) return compileProtos(proto, { importPaths: protoPath });
    return reflectSchema(backend);
  };
  return { backend, loadSchema };
}

function readCa(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new CliError(`--upstream-ca: cannot read ${file}`, { cause: error });
  }
}
