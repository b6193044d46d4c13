import { readFileSync } from "node:fs";
import type { JsonValue } from "@sluice/rpc";
import { LineCounter, parseDocument } from "yaml";
import { CliError } from "./cli-error.ts";

/** Reads a service configuration in YAML or JSON. Throws CliError with file, line and column. */
export function readServiceConfig(file: string): JsonValue {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new CliError(`--http-rules: cannot read ${file}`, { cause: error });
  }
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false });
  const [error] = document.errors;
  if (error !== undefined) {
    const { line, col } = lineCounter.linePos(error.pos[0]);
    throw new CliError(`${file}:${line}:${col}: ${error.message}`);
  }
  return document.toJS({ maxAliasCount: 100 }) as JsonValue;
}
