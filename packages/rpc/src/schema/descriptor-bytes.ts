import { clone, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, type FileDescriptorProto } from "@bufbuild/protobuf/wkt";

/** A file as bytes, without its comments: the same bytes mean the same file. */
export function descriptorBytes(file: FileDescriptorProto): Uint8Array {
  const bare = clone(FileDescriptorProtoSchema, file);
  delete bare.sourceCodeInfo;
  return toBinary(FileDescriptorProtoSchema, bare);
}
