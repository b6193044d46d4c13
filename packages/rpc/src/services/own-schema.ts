import { createSchema, type Schema } from "../schema/schema.ts";
import { ownRegistry } from "../schema/well-known-files.ts";

let schema: Schema | undefined;

/** The schema of the services that a gateway can have itself: grpc.health.v1 and server reflection. */
export function ownSchema(): Schema {
  schema ??= createSchema({
    name: "the gateway",
    files: [...ownRegistry().files]
      .filter(({ proto }) => proto.package.startsWith("grpc."))
      .map(({ proto }) => proto),
  });
  return schema;
}
