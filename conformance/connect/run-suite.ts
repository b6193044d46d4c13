import { spawn } from "node:child_process";
import { once } from "node:events";
import { countOf } from "./count.ts";
import type { Suite } from "./suite.ts";

/** One run of the suite. */
export interface SuiteRun {
  /** What is under test. */
  readonly mode: "client" | "server";
  /** The folder with `config.yaml` and `known-failures.txt`. */
  readonly fileOf: (name: string) => string;
  /** The program under test, a file for Node. */
  readonly program: string;
  /** Further arguments of the suite, such as `--trace`. */
  readonly args: readonly string[];
  /** What the program wants to know, beside the suite's own. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Runs the suite and prints what it says; resolves with how many cases passed, and with its exit code. */
export async function runSuite(
  { runner, environment }: Suite,
  run: SuiteRun,
): Promise<{ passed: number; total: number; code: number }> {
  const args = [
    "--mode",
    run.mode,
    "--max-servers",
    "1",
    "--conf",
    run.fileOf("config.yaml"),
    "--known-failing",
    `@${run.fileOf("known-failures.txt")}`,
    ...run.args,
    "--",
    process.execPath,
    run.program,
  ];
  const suite = spawn(runner, args, {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...environment, ...run.environment },
  });
  let said = "";
  suite.stdout.on("data", (chunk: Buffer) => {
    said += chunk.toString();
    process.stdout.write(chunk);
  });
  const [code] = (await once(suite, "close")) as [number | null];
  return { ...countOf(said), code: code ?? 1 };
}
