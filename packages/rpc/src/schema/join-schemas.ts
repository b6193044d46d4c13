import { createHash } from "node:crypto";
import { createRegistry, type DescFile, type DescService, type FileRegistry } from "@bufbuild/protobuf";
import type { Method } from "./method.ts";
import type { Schema } from "./schema.ts";

/**
 * What several backends can be asked, for who only looks at it (reflection, OpenAPI, lists): the services of all.
 * Of a service, a type or a file that several have, that of the first is shown, so unlike the sources of one
 * schema they may have different files under one name.
 */
export function joinSchemas(schemas: readonly Schema[]): Schema {
  const [first] = schemas;
  if (first !== undefined && schemas.length === 1) return first;
  const seen = new Set<string>();
  const services: DescService[] = [];
  const methods = new Map<string, Method>();
  const hash = createHash("sha256");
  for (const schema of schemas) {
    hash.update(schema.fingerprint);
    const added = schema.services.filter(({ typeName }) => !seen.has(typeName));
    const names = new Set(added.map(({ typeName }) => typeName));
    for (const name of names) seen.add(name);
    services.push(...added);
    for (const [path, method] of schema.methods) if (names.has(method.service)) methods.set(path, method);
  }
  return {
    registry: joinRegistries(schemas.map(({ registry }) => registry)),
    services,
    methods,
    fingerprint: hash.digest("hex"),
    sources: schemas.flatMap(({ sources }) => sources),
  };
}

function joinRegistries(registries: readonly FileRegistry[]): FileRegistry {
  const files = new Map<string, DescFile>();
  for (const registry of registries) {
    for (const file of registry.files) if (!files.has(file.proto.name)) files.set(file.proto.name, file);
  }
  // Of two types the last counts here.
  const types = createRegistry(...registries.toReversed());
  return {
    kind: "registry",
    [Symbol.iterator]: () => types[Symbol.iterator](),
    get: (name) => types.get(name),
    getMessage: (name) => types.getMessage(name),
    getEnum: (name) => types.getEnum(name),
    getExtension: (name) => types.getExtension(name),
    getExtensionFor: (extendee, number) => types.getExtensionFor(extendee, number),
    getService: (name) => types.getService(name),
    files: [...files.values()],
    getFile: (name) => files.get(name),
  };
}
