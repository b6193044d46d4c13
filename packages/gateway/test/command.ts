import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";

/** The file of the command `sluice`. `scripts/test` names a bundle of it, as it is started many times. */
export const commandFile: string =
  process.env["BUNDLED_COMMAND"] ?? fileURLToPath(new URL("../bin/sluice.js", import.meta.url));

/** The command `sluice` in a process of its own. */
export interface RunningCommand {
  readonly process: ChildProcessByStdio<null, Readable, Readable>;
  /** Resolves once standard output or standard error has what is looked for; rejects when it ends without. */
  until(pattern: RegExp): Promise<RegExpExecArray>;
  /** Resolves when the process has ended. */
  readonly ended: Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>;
}

/** Where a command runs, beside its arguments. */
export interface CommandSurroundings {
  /** Default: the working directory of the tests. */
  readonly cwd?: string;
  /** Variables beside those of the tests. Default: none. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts `sluice` with arguments. */
export function startCommand(...args: readonly string[]): RunningCommand {
  return startCommandIn({}, ...args);
}

/** Starts `sluice` with arguments in a folder, with variables of the environment. */
export function startCommandIn(
  { cwd, env }: CommandSurroundings,
  ...args: readonly string[]
): RunningCommand {
  const child = spawn(process.execPath, [commandFile, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    cwd,
    env: { ...process.env, ...env },
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (stdout += chunk));
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (stderr += chunk));
  const ended = once(child, "close").then(([code]) => ({ code: code as number | null, stdout, stderr }));
  const until = async (pattern: RegExp): Promise<RegExpExecArray> => {
    for (;;) {
      const match = pattern.exec(stdout) ?? pattern.exec(stderr);
      if (match !== null) return match;
      if (child.exitCode !== null) throw new Error(`ended without ${pattern}: ${stdout}${stderr}`);
      await Promise.race([once(child.stdout, "data"), once(child.stderr, "data"), ended]);
    }
  };
  return { process: child, until, ended };
}

/** Runs `sluice` with arguments to its end. */
export function runCommand(...args: readonly string[]): RunningCommand["ended"] {
  return startCommand(...args).ended;
}
