import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadSync, type PackageDefinition, type ServiceDefinition } from "@grpc/proto-loader";

const resolve = createRequire(import.meta.url).resolve;

/** The folder of the test's own `.proto` files. */
export const protoFolder: string = fileURLToPath(new URL("../../proto", import.meta.url));

/** The file of the services `sluice.test.v1.Echo` and `sluice.test.v1.Library`. */
export const echoProtoPath: string = join(protoFolder, "echo.proto");

/** Where google/api, google/rpc and grpc/reflection are. */
export const sharedProtoFolder: string = join(dirname(resolve("@sluice/rpc/package.json")), "proto");

const loaded = new Map<string, PackageDefinition>();

/** Parses a `.proto` file with protobuf.js, once. */
export function loadDefinition(file: string): PackageDefinition {
  let definition = loaded.get(file);
  if (definition === undefined) {
    definition = loadSync(file, {
      includeDirs: [protoFolder, sharedProtoFolder],
      keepCase: true,
      longs: String,
      defaults: true,
      oneofs: true,
    });
    loaded.set(file, definition);
  }
  return definition;
}

/** One service of a definition, by its full name. */
export function serviceOf(definition: PackageDefinition, name: string): ServiceDefinition {
  const service = definition[name];
  if (service === undefined || "format" in service) throw new Error(`${name} is not a service`);
  return service;
}

/** The serializer of one message type of a definition, by its full name. */
export function serializerOf(definition: PackageDefinition, name: string): (value: object) => Buffer {
  const type = definition[name];
  if (type === undefined || !("serialize" in type) || typeof type.serialize !== "function") {
    throw new Error(`${name} is not a message`);
  }
  return type.serialize;
}
