import { singleValues } from "./config-json-schema.ts";
import { nearestName } from "./did-you-mean.ts";
import type { Environment } from "./environment-references.ts";

/** A value that takes the place of that of the file. */
export interface Override {
  readonly path: readonly string[];
  /** What it is called where it is given: a variable, a flag. */
  readonly origin: string;
  readonly value: unknown;
}

/** The values that variables of the environment give. */
export interface EnvironmentValues {
  readonly overrides: readonly Override[];
  /** Sentences on variables that look as if they were meant for this program, and are not known. */
  readonly warnings: readonly string[];
}

/** What Kubernetes sets for a service that is called sluice. */
const ofKubernetes = /^SLUICE_(?:SERVICE_(?:HOST|PORT)(?:_|$)|PORT(?:_\d+_(?:TCP|UDP)(?:_|$)|$))/;

/** The variable for a single value: `SLUICE_LIMITS_MESSAGE` for `limits.message`. */
export function variableFor(path: readonly string[]): string {
  const words = path.map((key) => key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase());
  return `SLUICE_${words.join("_")}`;
}

/** What `SLUICE_…` variables say; those of `used` are known because the file names them. */
export function environmentValues(environment: Environment, used: ReadonlySet<string>): EnvironmentValues {
  const known = new Map([...singleValues()].map((path) => [variableFor(path), path] as const));
  const overrides: Override[] = [];
  const warnings: string[] = [];
  for (const [name, value] of Object.entries(environment)) {
    // One that is empty is one that is not set, as compose files pass variables on.
    if (!name.startsWith("SLUICE_") || value === undefined || value === "") continue;
    const path = known.get(name);
    if (path !== undefined) overrides.push({ path, origin: name, value });
    else if (!used.has(name) && !ofKubernetes.test(name)) warnings.push(unknown(name, known.keys()));
  }
  return { overrides, warnings };
}

function unknown(name: string, known: Iterable<string>): string {
  const nearest = nearestName(name, known);
  return `the variable ${name} is not known${nearest === undefined ? "" : `; did you mean ${nearest}?`}`;
}
