import type { AnyDesc, DescFile } from "@bufbuild/protobuf";

// The numbers of the fields in descriptor.proto that hold what a path leads through.
const inFile = { message: 4, enum: 5, service: 6 };
const inMessage = { field: 2, message: 3, enum: 4 };
const method = 2;
const enumValue = 2;

const commentsOfFiles = new WeakMap<DescFile, ReadonlyMap<string, string>>();

/**
 * The comment before a declaration of a `.proto` file, or the one behind it in its line; empty where the
 * descriptors have no comments (those of reflection have none).
 * Source: google/protobuf/descriptor.proto, SourceCodeInfo.
 */
export function commentOf(desc: AnyDesc): string {
  const path = pathOf(desc);
  return path === undefined ? "" : (commentsOf(fileOf(desc)).get(path.join(".")) ?? "");
}

function fileOf(desc: AnyDesc): DescFile {
  if (desc.kind === "file") return desc;
  return "file" in desc ? desc.file : desc.parent.file;
}

function commentsOf(file: DescFile): ReadonlyMap<string, string> {
  let comments = commentsOfFiles.get(file);
  if (comments === undefined) {
    const found = new Map<string, string>();
    for (const { path, leadingComments, trailingComments } of file.proto.sourceCodeInfo?.location ?? []) {
      const text = leadingComments === "" ? trailingComments : leadingComments;
      if (text !== "") found.set(path.join("."), text.replace(/^ /gm, "").trim());
    }
    commentsOfFiles.set(file, (comments = found));
  }
  return comments;
}

function pathOf(desc: AnyDesc): readonly number[] | undefined {
  switch (desc.kind) {
    case "message":
    case "enum": {
      if (desc.parent === undefined) {
        const siblings = desc.kind === "message" ? desc.file.messages : desc.file.enums;
        return under([], inFile[desc.kind], indexOf(siblings, desc));
      }
      const siblings = desc.kind === "message" ? desc.parent.nestedMessages : desc.parent.nestedEnums;
      return under(pathOf(desc.parent), inMessage[desc.kind], indexOf(siblings, desc));
    }
    case "service":
      return under([], inFile.service, indexOf(desc.file.services, desc));
    case "rpc":
      return under(pathOf(desc.parent), method, indexOf(desc.parent.methods, desc));
    case "field":
      return under(pathOf(desc.parent), inMessage.field, indexOf(desc.parent.fields, desc));
    case "enum_value":
      return under(pathOf(desc.parent), enumValue, indexOf(desc.parent.values, desc));
    case "file":
    case "oneof":
    case "extension":
      return undefined;
  }
}

function under(parent: readonly number[] | undefined, field: number, index: number): number[] | undefined {
  return parent === undefined ? undefined : [...parent, field, index];
}

function indexOf(siblings: readonly AnyDesc[], desc: AnyDesc): number {
  return siblings.indexOf(desc);
}
