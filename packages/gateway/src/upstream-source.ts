import { watchSchema, type BalancedBackend } from "@sluice/rpc";
import type { SchemaSource } from "./schema-source.ts";
import type { UpstreamOptions } from "./upstream.ts";

/** A backend as flags or a configuration file describe it. */
export interface UpstreamSource extends Pick<UpstreamOptions, "deadlines" | "share"> {
  readonly name: string;
  readonly backend: BalancedBackend;
  readonly load: SchemaSource;
  /** Whether the schema comes from the server, and so may change with it. */
  readonly isReflected: boolean;
}

/** The upstream of a gateway; a schema that comes from the server is followed. */
export function upstreamFromSource({ load, isReflected, ...source }: UpstreamSource): UpstreamOptions {
  const { backend } = source;
  return {
    ...source,
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
