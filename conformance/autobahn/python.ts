import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Runs a program to its end and resolves to what it wrote to standard output. */
export async function output(program: string, args: readonly string[]): Promise<string> {
  const { stdout } = await run(program, [...args], { maxBuffer: 1 << 26 });
  return stdout;
}

/**
 * Finds an interpreter of Python 2.7, the only one that the suite runs on: `$PYTHON27`, then `python2.7` and PyPy on
 * the path, then what pyenv has installed. Throws an `Error` that says how to get one.
 */
export async function findPython27(): Promise<string> {
  const named = process.env["PYTHON27"];
  const candidates =
    named === undefined ? ["python2.7", "pypy2.7", "pypy", ...(await pyenvPythons())] : [named];
  for (const candidate of candidates) {
    try {
      const version = await output(candidate, ["-c", "import sys; print('%d.%d' % sys.version_info[:2])"]);
      if (version.trim() === "2.7") return candidate;
    } catch {
      // Not there, or a shim without the version behind it: the next one may be.
    }
  }
  throw new Error(
    `no Python 2.7 found (tried ${candidates.join(", ")}). The Autobahn|Testsuite runs on nothing newer. ` +
      "Install one, for instance with `pyenv install 2.7.18`, or name it in PYTHON27",
  );
}

async function pyenvPythons(): Promise<string[]> {
  try {
    const versions = join((await output("pyenv", ["root"])).trim(), "versions");
    const names = await readdir(versions);
    return names
      .filter((name) => /^(pypy)?2\.7/.test(name))
      .map((name) => join(versions, name, "bin", "python"));
  } catch {
    return [];
  }
}
