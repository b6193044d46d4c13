import { access } from "node:fs/promises";
import { relative, resolve } from "node:path";
import { RpcError } from "../error.ts";

const position = /^(?<file>.+?):(?<line>\d+):(?<column>\d+): (?<message>.*)$/;
const missing = /^(?<file>.+): File not found\.$/;
const unfound = / was not found or had errors\.$/;
const warning = /^(?:.+?:(?:\d+:\d+: )? ?)?warning: /i;

/** How many complaints of the compiler one error repeats. */
const maximumLines = 10;

/**
 * Makes an error of what protoc wrote to stderr: `proto_invalid` with one line `file:line:column: message` for each
 * complaint, the files as they are seen from the working directory; `proto_unreadable` where protoc itself failed.
 */
export async function compileErrorFrom(stderr: string, importPaths: readonly string[]): Promise<RpcError> {
  const lines = stderr.split("\n").filter((line) => line.trim() !== "" && !warning.test(line));
  const complaints: string[] = [];
  let missingImport = false;
  for (const line of lines) {
    const { file, line: row, column, message = "" } = position.exec(line)?.groups ?? {};
    if (file !== undefined)
      complaints.push(`${await pathOf(file, importPaths)}:${row}:${column}: ${message}`);
    else if (/^.+\.proto: /.test(line) && !missing.test(line)) complaints.push(line);
    missingImport ||= unfound.test(message);
  }
  if (complaints.length === 0) {
    return new RpcError("proto_unreadable", `The compiler for .proto files failed: ${lines.join("\n")}`);
  }
  const shown = complaints.slice(0, maximumLines);
  const rest = complaints.length - shown.length;
  if (rest > 0) shown.push(`and ${rest} more`);
  if (missingImport) {
    shown.push(
      `Imports were searched in ${importPaths.join(", ")}; add the folder that they start from (--proto-path)`,
    );
  }
  return new RpcError("proto_invalid", shown.join("\n"));
}

/** The path of a file that protoc names, which may be a name below an import path, for a person to read. */
async function pathOf(name: string, importPaths: readonly string[]): Promise<string> {
  for (const folder of importPaths) {
    const path = resolve(folder, name);
    const exists = await access(path).then(
      () => true,
      () => false,
    );
    if (!exists) continue;
    const near = relative(process.cwd(), path);
    return near.startsWith("..") ? path : near;
  }
  return name;
}
