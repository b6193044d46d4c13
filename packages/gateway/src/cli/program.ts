import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { addCall } from "./call/call-command.ts";
import { addCheck } from "./check.ts";
import { describeError } from "./cli-error.ts";
import { addEcho } from "./echo.ts";
import { addMethods } from "./methods.ts";
import { addOpenApi } from "./openapi.ts";
import { addServe } from "./serve.ts";

/**
 * Runs the command `sluice` with the arguments of a command line (without node and script). Sets the exit code:
 * 0, 1 for what could not be done, 2 for what was given wrong.
 */
export async function runProgram(args: readonly string[]): Promise<void> {
  const program = new Command("sluice")
    .description("One gateway between browsers and gRPC backends.")
    .version(versionOfPackage(), "-V, --version")
    .showHelpAfterError("(sluice --help shows what there is)")
    .exitOverride();
  addServe(program);
  addCheck(program);
  addMethods(program);
  addCall(program);
  addOpenApi(program);
  addEcho(program);
  // The commands were made before and do not inherit it.
  for (const command of program.commands)
    command.exitOverride().showHelpAfterError(`(sluice ${command.name()} --help shows what there is)`);
  try {
    await program.parseAsync([...args], { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) {
      // Commander has told it already.
      process.exitCode = error.exitCode === 0 ? 0 : 2;
      return;
    }
    const { exitCode, message } = describeError(error);
    process.stderr.write(`sluice: ${message}\n`);
    process.exitCode = exitCode;
  }
}

function versionOfPackage(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
