import { clone, create } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, type FileDescriptorProto } from "@bufbuild/protobuf/wkt";
import { declaredTypes, typeReferences } from "./descriptor-walk.ts";
import { wellKnownFiles, wellKnownTypes } from "./well-known-files.ts";

type Files = ReadonlyMap<string, FileDescriptorProto>;

function byName(files: readonly FileDescriptorProto[]): Files {
  return new Map([...wellKnownFiles, ...files.map((file) => [file.name, file] as const)]);
}

/** The names of all files that a file imports, at any distance; its own only where imports form a circle. */
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
    const near = new Set([file.name, ...file.dependency]);
    let far: ReadonlySet<string> | undefined;
    for (const { name } of typeReferences(file)) {
      const needed = fileOfType.get(name.slice(1));
      if (needed === undefined || near.has(needed)) continue;
      far ??= importedBy(file, all);
      if (far.has(needed)) continue;
      file.dependency.push(needed);
      near.add(needed);
      far = undefined;
    }
  }
}

/**
 * Puts every file behind those that it imports; `stuck` are the files of a circle of imports and their importers.
 * Without recursion, because a chain of imports can be longer than the stack.
 */
export function sortByImports(files: readonly FileDescriptorProto[]): {
  readonly sorted: readonly FileDescriptorProto[];
  readonly stuck: readonly FileDescriptorProto[];
} {
  const present = new Set(files.map(({ name }) => name));
  const importers = new Map<string, FileDescriptorProto[]>();
  const missing = new Map<string, number>();
  for (const file of files) {
    const imports = [...new Set(file.dependency)].filter((name) => present.has(name));
    missing.set(file.name, imports.length);
    for (const name of imports) {
      const known = importers.get(name);
      if (known === undefined) importers.set(name, [file]);
      else known.push(file);
    }
  }
  const sorted = files.filter(({ name }) => missing.get(name) === 0);
  // What is added meanwhile is visited too.
  for (const { name } of sorted) {
    for (const importer of importers.get(name) ?? []) {
      const left = (missing.get(importer.name) ?? 0) - 1;
      missing.set(importer.name, left);
      if (left === 0) sorted.push(importer);
    }
  }
  return { sorted, stuck: files.filter(({ name }) => (missing.get(name) ?? 0) > 0) };
}

/**
 * Cuts files that import each other in a circle into one file for each type and service. Such circles come from
 * servers that merge the files of a package; between the types themselves there is none.
 */
export function splitCircles(files: readonly FileDescriptorProto[]): FileDescriptorProto[] {
  const { stuck } = sortByImports(files);
  if (stuck.length === 0) return [...files];
  const all = byName(files);
  const circular = new Set(
    stuck.filter((file) => importedBy(file, all).has(file.name)).map(({ name }) => name),
  );
  const pieces = files.flatMap((file) => {
    const parts = circular.has(file.name) ? split(file) : [file];
    for (const part of parts) removeImports(part, circular);
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
