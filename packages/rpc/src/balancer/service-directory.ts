import type { Backend } from "../call/call.ts";
import type { CodecOptions } from "../codec/message-codec.ts";
import { RpcError } from "../error.ts";
import type { Schema } from "../schema/schema.ts";
import { createDirectory, type Directory } from "../wire/directory.ts";

/** One of several backends, and what it can be asked. */
export interface DirectoryPart {
  /** For errors: what the backend is called in the configuration. */
  readonly name: string;
  readonly backend: Backend;
  readonly schema: Schema;
}

/**
 * The directory of several backends: each service is answered by the backend whose schema has it. The services
 * that every server has of its own, `grpc.health.*` and `grpc.reflection.*`, are those of the first part that
 * has them. `options` says how JSON is read and written.
 * Throws an RpcError `service_conflict` where two backends have the same service.
 */
export function createServiceDirectory(
  parts: readonly DirectoryPart[],
  options: Omit<CodecOptions, "registry"> = {},
): Directory {
  const services = new Map<string, { readonly owner: string; readonly directory: Directory }>();
  for (const { name, backend, schema } of parts) {
    const directory = createDirectory(schema, backend, options);
    for (const { typeName } of schema.services) {
      const other = services.get(typeName);
      if (other === undefined) services.set(typeName, { owner: name, directory });
      else if (!/^grpc\.(?:health|reflection)\./.test(typeName)) throw conflict(typeName, other.owner, name);
    }
  }
  return { find: (path) => services.get(path.slice(1, path.lastIndexOf("/")))?.directory.find(path) };
}

function conflict(service: string, one: string, other: string): RpcError {
  const text = `the service ${service} is in the schema of two backends, ${one} and ${other}`;
  return new RpcError("service_conflict", `${text}; leave it out of one, or make them one backend`);
}
