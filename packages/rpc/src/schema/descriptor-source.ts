import type { FileDescriptorProto } from "@bufbuild/protobuf/wkt";

/** Descriptors, and where they came from. */
export interface DescriptorSource {
  /** For errors: a file's path, or what was asked by reflection. */
  readonly name: string;
  /** In any order. */
  readonly files: readonly FileDescriptorProto[];
  /** The full names of the services that are served; default: all that the files declare. */
  readonly services?: ReadonlySet<string>;
}
