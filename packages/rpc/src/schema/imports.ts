import { clone, create } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, type FileDescriptorProto } from "@bufbuild/protobuf/wkt";
import { declaredTypes, typeReferences } from "./descriptor-walk.ts";
import { wellKnownFiles, wellKnownTypes } from "./well-known-files.ts";

type Files = ReadonlyMap<string, FileDescriptorProto>;

function byName(files: readonly FileDescriptorProto[]): Files {
  return new Map([...wellKnownFiles, ...files.map((file) => [file.name, file] as const)]);
}

/** The names of all files that a file imports, at any distance; its own only where imports form a cycle. */
function importedBy(file: FileDescriptorProto, files: Files): Set<string> {
  const found = new Set<string>();
  const ahead = [...file.dependency];
  for (let name = ahead.pop(); name !== undefined; name = ahead.pop()) {
    if (found.has(name)) continue;
    found.add(name);
    ahead.push(...(files.get(name)?.dependency ?? []));
  }
  return found;
}

/** Takes imports out of a file. */
export function removeImports(file: FileDescriptorProto, names: ReadonlySet<string>): void {
  const kept = [...file.dependency.keys()].filter((index) => !names.has(file.dependency[index] ?? ""));
  if (kept.length === file.dependency.length) return;
  const moved = (indexes: readonly number[]): number[] =>
    indexes.map((index) => kept.indexOf(index)).filter((index) => index >= 0);
  file.publicDependency = moved(file.publicDependency);
  file.weakDependency = moved(file.weakDependency);
  file.dependency = kept.flatMap((index) => file.dependency[index] ?? []);
}

/** Adds an import for each type that a file names but neither declares nor imports. Types have full names. */
export function addMissingImports(files: readonly FileDescriptorProto[]): void {
  const fileOfType = new Map(wellKnownTypes);
  for (const file of files) for (const { name } of declaredTypes(file)) fileOfType.set(name, file.name);
  const all = byName(files);
  for (const file of files) {
    let imported = importedBy(file, all);
    for (const { name } of typeReferences(file)) {
      const needed = fileOfType.get(name.slice(1));
      if (needed === undefined || needed === file.name || imported.has(needed)) continue;
      file.dependency.push(needed);
      imported = importedBy(file, all);
    }
  }
}

/**
 * Cuts files that import each other in a cycle into one file for each type and service. Such cycles come from
 * servers that merge the files of a package; between the types themselves there is none.
 */
export function splitCycles(files: readonly FileDescriptorProto[]): FileDescriptorProto[] {
  const all = byName(files);
  const cyclic = new Set(
    files.filter((file) => importedBy(file, all).has(file.name)).map(({ name }) => name),
  );
  if (cyclic.size === 0) return [...files];
  const pieces = files.flatMap((file) => {
    const parts = cyclic.has(file.name) ? split(file) : [file];
    for (const part of parts) removeImports(part, cyclic);
    return parts;
  });
  addMissingImports(pieces);
  return pieces;
}

function split(file: FileDescriptorProto): FileDescriptorProto[] {
  const { dependency, options, syntax, edition } = file;
  const piece = (name: string, part: Partial<FileDescriptorProto>): FileDescriptorProto => {
    const named = `${file.name}/${name}`;
    const head = create(FileDescriptorProtoSchema, {
      name: named,
      package: file.package,
      dependency,
      syntax,
      edition,
    });
    if (options !== undefined) head.options = options;
    return clone(FileDescriptorProtoSchema, Object.assign(head, part));
  };
  return [
    ...file.messageType.map((each) => piece(each.name, { messageType: [each] })),
    ...file.enumType.map((each) => piece(each.name, { enumType: [each] })),
    ...file.extension.map((each) => piece(each.name, { extension: [each] })),
    ...file.service.map((each) => piece(each.name, { service: [each] })),
  ];
}
