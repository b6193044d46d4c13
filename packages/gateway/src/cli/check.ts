import type { Command } from "commander";
import { backendSources } from "../config/backend-sources.ts";
import { configSchemaText } from "../config/config-json-schema.ts";
import { describeConfig } from "../config/describe-config.ts";
import { ConfigError } from "../config/config-error.ts";
import { identityErrorAt } from "../config/identity-problem.ts";
import { loadConfig, type LoadedConfig } from "../config/load-config.ts";
import { nameOf } from "../config/problem-sentences.ts";
import { sessionOptions } from "../config/session-options.ts";
import { createAuthenticator } from "../identity/authenticator.ts";
import type { IdentityOptions } from "../identity/identity-options.ts";
import { noServer } from "../schema-source.ts";
import { endWithReader } from "./end-with-reader.ts";
import { certificateFiles } from "./listener-tls.ts";
import { usualFile } from "./serve.ts";

/** Adds `sluice check`. */
export function addCheck(program: Command): void {
  program
    .command("check")
    .summary("check a configuration file")
    .description(
      "Reads a configuration as serve would, with the variables of the environment, and says what it understood, or " +
        "everything that is wrong. It connects to nothing.",
    )
    .argument("[file]", "the configuration", usualFile)
    .option("--schema", "write the JSON Schema of the file instead, for editors")
    .action(check);
}

async function check(file: string, { schema }: { readonly schema?: boolean }): Promise<void> {
  endWithReader();
  if (schema === true) {
    process.stdout.write(configSchemaText());
    return;
  }
  const loaded = await checked(file).catch((error: unknown) => {
    if (!(error instanceof ConfigError)) throw error;
    // Nothing before it: this is how editors and CI find the place.
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
    return undefined;
  });
  if (loaded === undefined) return;
  const lines = [...describeConfig(loaded.config), ...loaded.warnings.map((each) => `warning: ${each}`)];
  process.stdout.write(`${file} is valid\n${lines.map((line) => `  ${line}\n`).join("")}`);
}

async function checked(file: string): Promise<LoadedConfig> {
  const loaded = loadConfig({ file, environment: process.env });
  certificateFiles(loaded)?.read();
  await checkKeys(sessionOptions(loaded)?.identity, loaded);
  await checkSchemas(loaded);
  return loaded;
}

/** Reads the keys of tokens, but for those that come from a URL. */
async function checkKeys(identity: IdentityOptions | undefined, { errorAt }: LoadedConfig): Promise<void> {
  if (identity === undefined || identity.jwt.jwks !== undefined) return;
  try {
    (await createAuthenticator(identity)).close();
  } catch (error) {
    throw identityErrorAt(error, errorAt);
  }
}

/** Loads the schemas that come from files. */
async function checkSchemas(loaded: LoadedConfig): Promise<void> {
  const sources = backendSources(loaded);
  try {
    for (const { name, load, isReflected } of sources) {
      if (isReflected) continue;
      await load(noServer).catch((error: unknown) => {
        const path = ["backends", name];
        throw loaded.errorAt(
          path,
          `${nameOf(path)}: ${error instanceof Error ? error.message : String(error)}`,
        );
      });
    }
  } finally {
    await Promise.all(sources.map(({ backend }) => backend.close(0)));
  }
}
