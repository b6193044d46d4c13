import type { FileDescriptorProto } from "@bufbuild/protobuf/wkt";
import { RpcError } from "../error.ts";
import type { DescriptorSource } from "./descriptor-source.ts";
import { descriptorBytes } from "./descriptor-bytes.ts";
import { declaredNames, declaredTypes, typeReferences } from "./descriptor-walk.ts";
import { sortByImports } from "./imports.ts";
import { mendDescriptors } from "./mend.ts";
import { jsonFileNames, wellKnownFiles } from "./well-known-files.ts";

interface OriginalFile {
  readonly file: FileDescriptorProto;
  /** The name of its source. */
  readonly origin: string;
}

/** Files by name. */
type Files = Map<string, OriginalFile>;

/** Descriptors that are whole: every import and every type is there, once. */
export interface LinkedFiles {
  /** Every file behind those that it imports; ours among them. */
  readonly sorted: readonly FileDescriptorProto[];
  /** The files of the sources, in their order. */
  readonly given: readonly FileDescriptorProto[];
}

function invalid(message: string): RpcError {
  return new RpcError("descriptor_invalid", message);
}

function place({ file, origin }: OriginalFile): string {
  return `${file.name} (${origin})`;
}

/** Joins descriptors to a whole, with our own files where they import one that is missing. */
export function linkDescriptors(sources: readonly DescriptorSource[]): LinkedFiles {
  const files = merge(sources);
  const given = [...files.values()].map(({ file }) => file);
  addImported(files);
  const declared = checkDeclarations(files);
  addUnimported(files, declared);
  checkTypes(files);
  return { sorted: sort(files), given };
}

function merge(sources: readonly DescriptorSource[]): Files {
  const files: Files = new Map();
  for (const source of sources) {
    for (const file of mendDescriptors(source.files)) {
      if (jsonFileNames.has(file.name)) continue;
      const added = { file, origin: source.name };
      const known = files.get(file.name);
      if (known === undefined) files.set(file.name, added);
      // Everyone has another edition of google's files; they differ in ways that do not matter.
      else if (!wellKnownFiles.has(file.name) && !isSame(known.file, file)) {
        throw invalid(`${place(known)} and ${place(added)} differ: two files cannot have the same name`);
      }
    }
  }
  return files;
}

function isSame(one: FileDescriptorProto, other: FileDescriptorProto): boolean {
  return Buffer.compare(descriptorBytes(one), descriptorBytes(other)) === 0;
}

function addImported(files: Files): void {
  // What is added meanwhile is visited too.
  for (const importing of files.values()) {
    for (const name of importing.file.dependency) {
      if (files.has(name)) continue;
      const file = wellKnownFiles.get(name);
      if (file === undefined) {
        throw invalid(
          `${place(importing)} imports ${name}, which is missing. A descriptor set has to contain all that it ` +
            `imports: protoc --include_imports --descriptor_set_out=FILE`,
        );
      }
      files.set(name, { file, origin: "built in" });
    }
  }
}

/** Answers where everything is declared. */
function checkDeclarations(files: Files): Map<string, OriginalFile> {
  const declared = new Map<string, OriginalFile>();
  for (const each of files.values()) {
    for (const name of declaredNames(each.file)) {
      const known = declared.get(name);
      if (known !== undefined) {
        throw invalid(`${name} is declared twice: in ${place(known)} and in ${place(each)}`);
      }
      declared.set(name, each);
    }
  }
  return declared;
}

/** Adds the well-known files that nothing imports, for the messages that an Any may hold. */
function addUnimported(files: Files, declared: ReadonlyMap<string, OriginalFile>): void {
  for (const [name, file] of wellKnownFiles) {
    if (files.has(name)) continue;
    if ([...declaredNames(file)].some((each) => declared.has(each))) continue;
    if (file.dependency.every((each) => files.has(each))) files.set(name, { file, origin: "built in" });
  }
}

function checkTypes(files: Files): void {
  const types = new Set<string>();
  for (const { file } of files.values()) for (const { name } of declaredTypes(file)) types.add(`.${name}`);
  for (const each of files.values()) {
    for (const { where, name } of typeReferences(each.file)) {
      if (types.has(name)) continue;
      throw invalid(`${place(each)}: ${where} has the type ${name || '""'}, which no file declares`);
    }
  }
}

function sort(files: Files): readonly FileDescriptorProto[] {
  const { sorted, stuck } = sortByImports([...files.values()].map(({ file }) => file));
  if (stuck.length === 0) return sorted;
  const names = stuck.slice(0, 10).flatMap(({ name }) => files.get(name) ?? []);
  throw invalid(`These files import each other in a circle: ${names.map(place).join(", ")}`);
}
