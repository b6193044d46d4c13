import { createHash } from "node:crypto";
import { createFileRegistry, type DescMethod, type DescService, type FileRegistry } from "@bufbuild/protobuf";
import {
  FileDescriptorSetSchema,
  MethodOptions_IdempotencyLevel,
  type FileDescriptorProto,
} from "@bufbuild/protobuf/wkt";
import { RpcError } from "../error.ts";
import { descriptorBytes } from "./descriptor-bytes.ts";
import type { DescriptorSource } from "./descriptor-source.ts";
import { httpRulesOf } from "./http-rules.ts";
import { linkDescriptors } from "./link.ts";
import type { HttpRule, Method } from "./method.ts";
import { wellKnownFiles } from "./well-known-files.ts";

/** What a backend can be asked: its services and messages, from any source. Never changes. */
export interface Schema {
  /**
   * All files and types, for codecs and for Any: those of the sources, and google/protobuf, google/api and
   * google/rpc where the sources do not have them.
   */
  readonly registry: FileRegistry;
  /** In order of declaration. */
  readonly services: readonly DescService[];
  /** By path (`/package.Service/Method`), in order of declaration. */
  readonly methods: ReadonlyMap<string, Method>;
  /**
   * A SHA-256 of the files, comments and google's own aside, and of which services are served, in hexadecimal:
   * another one is another schema.
   */
  readonly fingerprint: string;
  /** What the schema was made from, for merging and for answering reflection. */
  readonly sources: readonly DescriptorSource[];
}

/**
 * Makes a schema from descriptors. Those of @grpc/reflection are mended, and google/protobuf, google/api and
 * google/rpc files that are missing are filled in.
 * Throws RpcError `descriptor_invalid` where descriptors contradict each other, miss a file or make no sense.
 */
export function createSchema(...sources: readonly DescriptorSource[]): Schema {
  const { sorted, given } = linkDescriptors(sources);
  const registry = createRegistry(sources, sorted);
  const served = servedBy(sources);
  const services = given
    .flatMap((file) => registry.getFile(file.name)?.services ?? [])
    .filter(({ typeName }) => served.has(typeName));
  const methods = new Map<string, Method>();
  for (const service of services) {
    for (const desc of service.methods) {
      const method = methodFrom(desc);
      if (methods.has(method.path)) throw invalid(sources, `${method.path} is declared twice`);
      methods.set(method.path, method);
    }
  }
  return { registry, services, methods, fingerprint: fingerprintOf(given, services), sources };
}

/** The method that a descriptor describes, with its HTTP rules. */
export function methodFrom(desc: DescMethod): Method {
  return {
    path: `/${desc.parent.typeName}/${desc.name}`,
    service: desc.parent.typeName,
    name: desc.name,
    kind: desc.methodKind,
    input: desc.input,
    output: desc.output,
    hasNoSideEffects: desc.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS,
    rules: rulesOf(desc),
  };
}

function rulesOf(desc: DescMethod): readonly HttpRule[] {
  try {
    return httpRulesOf(desc.proto.options);
  } catch (cause) {
    const what = `the google.api.http option of ${desc.parent.typeName}.${desc.name} cannot be read`;
    throw new RpcError("descriptor_invalid", `${desc.parent.file.proto.name}: ${what}`, cause);
  }
}

function invalid(sources: readonly DescriptorSource[], what: string, cause?: unknown): RpcError {
  return new RpcError("descriptor_invalid", `${sources.map(({ name }) => name).join(", ")}: ${what}`, cause);
}

// protobuf-es checks every other name.
const packageName = /^(?:[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)?$/;

function createRegistry(
  sources: readonly DescriptorSource[],
  file: readonly FileDescriptorProto[],
): FileRegistry {
  const misnamed = file.find((each) => !packageName.test(each.package));
  if (misnamed !== undefined) {
    throw invalid(sources, `${misnamed.name}: invalid package name ${JSON.stringify(misnamed.package)}`);
  }
  try {
    return createFileRegistry({ $typeName: FileDescriptorSetSchema.typeName, file: [...file] });
  } catch (cause) {
    throw invalid(sources, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function servedBy(sources: readonly DescriptorSource[]): Set<string> {
  return new Set(sources.flatMap(({ services, files }) => [...(services ?? files.flatMap(serviceNames))]));
}

function serviceNames(file: FileDescriptorProto): string[] {
  return file.service.map(({ name }) => (file.package === "" ? name : `${file.package}.${name}`));
}

function fingerprintOf(files: readonly FileDescriptorProto[], services: readonly DescService[]): string {
  const hash = createHash("sha256");
  // Not every source of the same schema has the well-known files with it.
  const own = files.filter(({ name }) => !wellKnownFiles.has(name));
  for (const file of own.toSorted((one, other) => (one.name < other.name ? -1 : 1))) {
    hash.update(descriptorBytes(file));
  }
  // A server may begin to serve what its files have long declared.
  const names = services.map(({ typeName }) => typeName).toSorted();
  hash.update(names.join());
  return hash.digest("hex");
}
