import { readFileSync } from "node:fs";
import { createFileRegistry, fromBinary, type DescService, type Registry } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";

/** The messages of `shop.proto`, as protobuf-es has them; generated code is made of the same descriptors. */
export function loadShop(descriptors: string): Registry {
  return createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(descriptors)));
}

/** The service of `shop.proto`. */
export function shopServiceOf(registry: Registry): DescService {
  const service = registry.getService("sluice.bench.Shop");
  if (service === undefined) throw new Error("there is no service sluice.bench.Shop in the descriptor set");
  return service;
}
