import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { ConfigError, describeProblem } from "../../src/config/config-error.ts";
import { loadConfig, type ConfigSources, type LoadedConfig } from "../../src/config/load-config.ts";

/** A folder for the configuration files of one test file. */
export class ConfigFolder {
  readonly path: string = mkdtempSync(join(tmpdir(), "sluice-config-"));

  constructor() {
    after(() => rmSync(this.path, { recursive: true }));
  }

  /** Writes a file and answers its path. */
  write(text: string | Buffer, name = "sluice.yaml"): string {
    const file = join(this.path, name);
    writeFileSync(file, text);
    return file;
  }

  /** Loads a configuration of this text. */
  load(text: string | Buffer, sources: Partial<ConfigSources> = {}): LoadedConfig {
    return loadConfig({ file: this.write(text), environment: {}, ...sources });
  }

  /** What is wrong with a configuration of this text: `line:column: sentence` each, or `name: sentence`. */
  problems(text: string | Buffer, sources: Partial<ConfigSources> = {}): readonly string[] {
    try {
      this.load(text, sources);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return error.problems.map((each) =>
        firstLineOf(describeProblem(each)).replace(`${this.path}/sluice.yaml:`, "").trim(),
      );
    }
    return [];
  }
}

function firstLineOf(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}

/** The least that is a configuration. */
export const least = "backends: { orders: { target: localhost:50051 } }\n";
