import { stat } from "node:fs/promises";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { RpcError } from "../error.ts";
import { ownProtoFolder, protocFolder, runProtoc } from "./protoc.ts";
import { compileErrorFrom } from "./protoc-errors.ts";
import { createSchema, type Schema } from "./schema.ts";

/** How `.proto` files are to be compiled. */
export interface CompileOptions {
  /**
   * The folders in which imports are searched, in order. Default: the folder of each file, then the working
   * directory, which comes first where two files have the same name. A file that is in none of the folders
   * brings its own along.
   * google/protobuf, google/api and google/rpc are found last, without being named here.
   */
  readonly importPaths?: readonly string[];
}

/**
 * Compiles `.proto` files with all that they import to one schema, offline, with the npm package `protoc`.
 * A file is named from the working directory or from an import path.
 * Throws RpcError: `proto_unreadable` where a file, an import path or the compiler is not there, `proto_invalid`
 * where a file does not compile.
 */
export async function compileProtos(files: readonly string[], options: CompileOptions = {}): Promise<Schema> {
  const named = await Promise.all((options.importPaths ?? []).map(readableFolder));
  const found = await Promise.all(files.map((file) => readableFile(file, named)));
  const paths = [...new Set(found)];
  const importPaths = [...new Set(searched(paths, named))];
  const result = await runProtoc(paths, [...importPaths, ownProtoFolder, join(protocFolder(), "include")]);
  if (!result.ok) throw await compileErrorFrom(result.stderr, importPaths);
  return createSchema({ name: files.join(", "), files: result.set.file });
}

function searched(files: readonly string[], named: readonly string[]): string[] {
  if (named.length === 0) {
    const folders = files.map((file) => dirname(file));
    const alike = new Set(files.map((file) => basename(file))).size < files.length;
    return alike ? [process.cwd(), ...folders] : [...folders, process.cwd()];
  }
  const outside = files.filter((file) => !named.some((folder) => isBelow(file, folder)));
  return [...named, ...outside.map((file) => dirname(file))];
}

function isBelow(file: string, folder: string): boolean {
  const way = relative(folder, file);
  return way !== ".." && !way.startsWith(`..${sep}`);
}

function unreadable(what: string, cause?: unknown): RpcError {
  return new RpcError("proto_unreadable", what, cause);
}

async function readableFolder(folder: string): Promise<string> {
  const path = resolve(folder);
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw unreadable(`${folder}: the import path does not exist`);
  if (!found.isDirectory()) throw unreadable(`${folder}: the import path is not a folder`);
  // protoc reads these as a list of paths and as a mapping.
  if (/[:=]/.test(path)) throw unreadable(`${path}: an import path cannot have ":" or "=" in its name`);
  return path;
}

async function readableFile(file: string, importPaths: readonly string[]): Promise<string> {
  for (const folder of ["", ...importPaths]) {
    const path = resolve(folder, file);
    const found = await stat(path).catch(() => undefined);
    if (found === undefined) continue;
    if (!found.isFile()) throw unreadable(`${file}: this is not a file; name the .proto files in it`);
    return path;
  }
  const where = [process.cwd(), ...importPaths].join(", ");
  throw unreadable(`${file}: there is no such file; looked in ${where}`);
}
