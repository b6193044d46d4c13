import { IdentityError } from "../identity/identity-error.ts";
import type { OptionProblem } from "../identity/validate-options.ts";
import type { LoadedConfig } from "./load-config.ts";
import type { ValueProblem } from "./problem-sentences.ts";

/** What identity finds wrong with its options, at the key of the configuration that says it. */
export function problemOfIdentity({ option, message }: OptionProblem): ValueProblem {
  return {
    path: ["identity", ...option.split(".").map(withoutUnit)],
    isKey: false,
    message: `identity: ${message.replace(/\b\w+(?:Ms|Bytes)\b/g, withoutUnit)}`,
  };
}

/** The error of a configuration whose keys of tokens cannot be used; any other error as it is. */
export function identityErrorAt(error: unknown, errorAt: LoadedConfig["errorAt"]): unknown {
  if (!(error instanceof IdentityError) || error.code !== "options_invalid") return error;
  const { path, message } = problemOfIdentity({ option: error.option ?? "jwt", message: error.message });
  return errorAt(path, message);
}

/** Options have their unit in their names, keys of the file in their values. */
function withoutUnit(name: string): string {
  return name.replace(/(?:Ms|Bytes)$/, "");
}
