import { dirname, resolve } from "node:path";
import { ConfigError, type ConfigPath, type ConfigProblem } from "./config-error.ts";
import { configSchema, type Config } from "./config.ts";
import { keysAt } from "./config-json-schema.ts";
import { checkAcross } from "./check-across.ts";
import { resolveReferences, type Environment } from "./environment-references.ts";
import { environmentValues, type Override } from "./environment-values.ts";
import { nameOf, problemsFrom, type ValueProblem } from "./problem-sentences.ts";
import { YamlFile } from "./yaml-file.ts";

/** Where a configuration comes from. */
export interface ConfigSources {
  /** The file; undefined: none. */
  readonly file?: string | undefined;
  readonly environment: Environment;
  /** What takes the place of file and environment; the later ones of the earlier ones. */
  readonly flags?: readonly Override[];
  /** The names of backends that flags give. */
  readonly backendNames?: readonly string[];
}

/** A configuration and what there is to say of it. */
export interface LoadedConfig {
  readonly config: Config;
  /** The folder that relative paths of files begin at: that of the configuration file, or the working directory. */
  readonly folder: string;
  /** Sentences on what is no error, but probably a mistake. */
  readonly warnings: readonly string[];
  /** What a value is called where it is set: the name of a variable or a flag, or else its path. */
  readonly originOf: (path: ConfigPath) => string;
  /** A ConfigError that says where in the sources something is wrong. */
  readonly errorAt: (path: ConfigPath, message: string) => ConfigError;
}

/** Reads and checks a configuration: the file, then `SLUICE_…` variables, then flags. Throws ConfigError with all problems. */
export function loadConfig(sources: ConfigSources): LoadedConfig {
  const { file, environment, flags = [], backendNames = [] } = sources;
  const yaml = file === undefined ? undefined : YamlFile.read(file);
  const used = new Set<string>();
  const unresolved =
    yaml?.replaceTexts((text) => resolveReferences(text, environment, (name) => used.add(name))) ?? [];
  if (unresolved.length > 0) throw new ConfigError(unresolved);
  const fromEnvironment = environmentValues(environment, used);
  const overrides = [...fromEnvironment.overrides, ...flags];
  const data = overrides.reduce(withOverride, yaml?.data() ?? {});

  const overrideOf = (path: ConfigPath): Override | undefined =>
    overrides.findLast((each) => isWithin(path, each.path));
  const located = ({ path, isKey, message }: ValueProblem): ConfigProblem => {
    return { place: overrideOf(path)?.origin ?? yaml?.place(path, isKey), message };
  };
  const parsed = configSchema.safeParse(data);
  if (!parsed.success) throw new ConfigError(problemsFrom(parsed.error.issues, data, keysAt).map(located));
  const folder = file === undefined ? process.cwd() : dirname(resolve(file));
  const problems = checkAcross(parsed.data, { folder, backendNames });
  if (problems.length > 0) throw new ConfigError(problems.map(located));
  return {
    config: parsed.data,
    folder,
    warnings: fromEnvironment.warnings,
    originOf: (path) => overrideOf(path)?.origin ?? nameOf(path),
    errorAt: (path, message) => new ConfigError([located({ path, isKey: false, message })]),
  };
}

/** The data with one value in its place. Mappings that lead to it are made, also of a short form; a list stays wrong. */
function withOverride(data: unknown, { path, value }: Omit<Override, "origin">): unknown {
  const [first, ...rest] = path;
  if (first === undefined) return value;
  if (Array.isArray(data) || typeof data === "number") return data;
  const mapping = typeof data === "object" ? { ...(data as Record<string, unknown> | null) } : {};
  mapping[first] = withOverride(mapping[first], { path: rest, value });
  return mapping;
}

function isWithin(path: ConfigPath, outer: readonly string[]): boolean {
  return outer.every((step, index) => path[index] === step);
}
