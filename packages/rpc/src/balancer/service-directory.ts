import type { Status } from "../call/status.ts";
import { RpcError } from "../error.ts";
import type { Schema } from "../schema/schema.ts";
import { unknownMethod, type Directory } from "../wire/directory.ts";

/** One of several backends, as far as it matters who answers what. */
export interface ServiceProvider {
  /** For errors: what the backend is called in the configuration. */
  readonly name: string;
  readonly schema: Pick<Schema, "services">;
}

/** Which of several backends answers each service. */
export interface ServiceOwners<Provider> {
  /** By the full name of the service. */
  readonly owners: ReadonlyMap<string, Provider>;
  /** A `service_conflict` for each service that a further backend has too; the first one answers it. */
  readonly conflicts: readonly RpcError[];
}

/**
 * Finds who answers each service: the first backend whose schema has it. That a further one has it too is a
 * conflict, but for the services that every server has of its own, `grpc.health.*` and `grpc.reflection.*`.
 */
export function ownersOfServices<Provider extends ServiceProvider>(
  providers: Iterable<Provider>,
): ServiceOwners<Provider> {
  const owners = new Map<string, Provider>();
  const conflicts: RpcError[] = [];
  for (const provider of providers) {
    for (const { typeName } of provider.schema.services) {
      const owner = owners.get(typeName);
      if (owner === undefined) owners.set(typeName, provider);
      else if (!/^grpc\.(?:health|reflection)\./.test(typeName)) {
        conflicts.push(conflict(typeName, owner.name, provider.name));
      }
    }
  }
  return { owners, conflicts };
}

/**
 * The directory of several backends. `missing` says why the services of some are not known; a call to one that
 * none of the others has then ends with it, in place of UNIMPLEMENTED.
 */
export function createServiceDirectory(
  owners: ReadonlyMap<string, { readonly directory: Directory }>,
  missing?: Status,
): Directory {
  return {
    find: (path) =>
      owners.get(path.slice(1, path.lastIndexOf("/")))?.directory.find(path) ??
      missing ??
      unknownMethod(path),
  };
}

function conflict(service: string, one: string, other: string): RpcError {
  const text = `the service ${service} is in the schema of two backends, ${one} and ${other}`;
  return new RpcError("service_conflict", `${text}; leave it out of one, or make them one backend`);
}
