import {
  applyServiceConfig,
  compileProtos,
  loadDescriptorSets,
  reflectSchema,
  type Backend,
  type JsonValue,
  type Schema,
} from "@sluice/rpc";
import { YamlFile } from "./config/yaml-file.ts";

/** Loads a schema; where it comes from reflection, `server` is asked. */
export type SchemaSource = (server: Backend) => Promise<Schema>;

/** Where the schema of a backend comes from; without descriptors and .proto files, from its reflection. */
export interface SchemaFiles {
  readonly descriptor?: readonly string[] | undefined;
  readonly proto?: readonly string[] | undefined;
  /** Where .proto files find their imports. */
  readonly protoPath?: readonly string[] | undefined;
  readonly httpRules?: readonly string[] | undefined;
}

/** Whether the schema comes from files, and not from a server. */
export function isFromFiles({ descriptor, proto }: SchemaFiles): boolean {
  return descriptor !== undefined || proto !== undefined;
}

/** Loads a schema as its files say; `name` is that of the backend. Throws ConfigError for HTTP rules that are no YAML. */
export function createSchemaSource(files: SchemaFiles, name: string): SchemaSource {
  const load = loaderOf(files, name);
  const configs = (files.httpRules ?? []).map((file) => YamlFile.read(file).data() as JsonValue);
  if (configs.length === 0) return load;
  return async (server) => configs.reduce(applyServiceConfig, await load(server));
}

function loaderOf({ descriptor, proto, protoPath = [] }: SchemaFiles, name: string): SchemaSource {
  if (descriptor !== undefined) return () => loadDescriptorSets(descriptor);
  if (proto !== undefined) return () => compileProtos(proto, { importPaths: protoPath });
  return (server) => reflectSchema(server, { name });
}

/** In the place of a server, where a schema comes from files. */
export const noServer: Backend = {
  open: () => {
    throw new Error("a schema from files needs no server");
  },
  close: () => Promise.resolve(),
};
