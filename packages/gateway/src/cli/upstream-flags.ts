import { CliError } from "./cli-error.ts";

/** A backend as `--upstream` names it. */
export interface NamedTarget {
  /** What stands before `=`, or else the target. */
  readonly name: string;
  readonly target: string;
}

/** Reads one `--upstream [NAME=]TARGET` and adds it to those before. */
export function addUpstream(text: string, before: readonly NamedTarget[] = []): readonly NamedTarget[] {
  const [, name = text, target = text] = /^([\w.-]+)=(.+)$/s.exec(text) ?? [];
  if (before.some((each) => each.name === name)) {
    throw new CliError(
      `two backends are called ${name}: give each --upstream a name of its own, as in --upstream NAME=${target}; several addresses of one backend are separated by commas`,
    );
  }
  return [...before, { name, target }];
}

/**
 * Those of the values of a flag `[NAME=]VALUE` that are for one backend. A value without a name is for the only one
 * there is. Throws CliError where it is not clear whose a value is.
 */
export function valuesFor(
  { name }: NamedTarget,
  flag: string,
  values: readonly string[] | undefined,
  upstreams: readonly NamedTarget[],
): readonly string[] | undefined {
  const own: string[] = [];
  for (const value of values ?? []) {
    const owner = upstreams.find((each) => value.startsWith(`${each.name}=`));
    if (owner === undefined && upstreams.length > 1) {
      const [first = { name: "NAME" }] = upstreams;
      throw new CliError(
        `${flag} ${value}: say for which backend, with its name, as in ${flag} ${first.name}=${value} (--upstream NAME=HOST:PORT gives it one)`,
      );
    }
    if (owner === undefined) own.push(value);
    else if (owner.name === name) own.push(value.slice(name.length + 1));
  }
  return own.length === 0 ? undefined : own;
}
