import { createFileRegistry, fromBinary, type FileRegistry } from "@bufbuild/protobuf";
import {
  FileDescriptorSetSchema,
  file_google_protobuf_any,
  file_google_protobuf_api,
  file_google_protobuf_compiler_plugin,
  file_google_protobuf_cpp_features,
  file_google_protobuf_descriptor,
  file_google_protobuf_duration,
  file_google_protobuf_empty,
  file_google_protobuf_field_mask,
  file_google_protobuf_go_features,
  file_google_protobuf_java_features,
  file_google_protobuf_source_context,
  file_google_protobuf_struct,
  file_google_protobuf_timestamp,
  file_google_protobuf_type,
  file_google_protobuf_wrappers,
  type FileDescriptorProto,
} from "@bufbuild/protobuf/wkt";
import { declaredTypes } from "./descriptor-walk.ts";
import { ownDescriptors } from "./generated/descriptors.ts";

const jsonFiles: readonly FileDescriptorProto[] = [
  file_google_protobuf_any,
  file_google_protobuf_duration,
  file_google_protobuf_empty,
  file_google_protobuf_field_mask,
  file_google_protobuf_struct,
  file_google_protobuf_timestamp,
  file_google_protobuf_wrappers,
].map((file) => file.proto);

const otherFiles: readonly FileDescriptorProto[] = [
  file_google_protobuf_source_context,
  file_google_protobuf_type,
  file_google_protobuf_api,
  file_google_protobuf_descriptor,
  file_google_protobuf_compiler_plugin,
  file_google_protobuf_cpp_features,
  file_google_protobuf_go_features,
  file_google_protobuf_java_features,
].map((file) => file.proto);

const ownFiles: readonly FileDescriptorProto[] = fromBinary(
  FileDescriptorSetSchema,
  Buffer.from(ownDescriptors, "base64"),
).file;

/**
 * Files that every schema may import without having them: google/protobuf, google/api and google/rpc.
 * A file comes after all that it imports.
 */
export const wellKnownFiles: ReadonlyMap<string, FileDescriptorProto> = new Map(
  [...jsonFiles, ...otherFiles, ...ownFiles.filter((file) => file.package.startsWith("google."))].map(
    (file) => [file.name, file],
  ),
);

/** The files whose messages have a JSON form of their own: of these, no copy but ours is ever used. */
export const jsonFileNames: ReadonlySet<string> = new Set(jsonFiles.map((file) => file.name));

/** The well-known file that declares a message or enum, by the type's full name. */
export const wellKnownTypes: ReadonlyMap<string, string> = new Map(
  [...wellKnownFiles.values()].flatMap((file) =>
    [...declaredTypes(file)].map(({ name }) => [name, file.name]),
  ),
);

let registry: FileRegistry | undefined;

/** The descriptors that this package itself works with: google.api.http and server reflection. */
export function ownRegistry(): FileRegistry {
  registry ??= createFileRegistry({
    $typeName: FileDescriptorSetSchema.typeName,
    file: [...wellKnownFiles.values(), ...ownFiles.filter((file) => !wellKnownFiles.has(file.name))],
  });
  return registry;
}
