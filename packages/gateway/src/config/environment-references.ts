import { ConfigError } from "./config-error.ts";

/** What is set in the environment of a process. */
export type Environment = Readonly<Record<string, string | undefined>>;

const reference = /\$\$\{|\$\{(?:([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\})?/g;

/**
 * Puts variables in the place of `${NAME}`, and of `${NAME:-default}`, whose default holds where the variable is not
 * set or empty. `$${` is `${`. What a variable has is not looked at again. Throws ConfigError for a variable that is
 * not set, and for what is no reference.
 */
export function resolveReferences(
  text: string,
  environment: Environment,
  used: (name: string) => void = () => {},
): string {
  return text.replace(reference, (all: string, name: string | undefined, otherwise: string | undefined) => {
    if (all === "$${") return "${";
    if (name === undefined) {
      throw problem(
        "${ begins the name of a variable, as in ${NAME} or ${NAME:-default}; write $${ for the characters",
      );
    }
    used(name);
    const value = Object.hasOwn(environment, name) ? environment[name] : undefined;
    if (otherwise !== undefined) return value === undefined || value === "" ? otherwise : value;
    if (value !== undefined) return value;
    throw problem(`the variable ${name} is not set; set it, or give a default, as in \${${name}:-default}`);
  });
}

function problem(message: string): ConfigError {
  return new ConfigError([{ place: undefined, message }]);
}
