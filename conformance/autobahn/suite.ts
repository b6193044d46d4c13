import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findPython27, output } from "./python.ts";

const requirements = fileURLToPath(new URL("requirements.txt", import.meta.url));

/** Needed before the others can be built, hence not in requirements.txt. */
const buildRequirements = ["setuptools==44.0.0", "incremental==16.10.1"];

/** The last virtualenv that itself runs on Python 2.7. It brings a pip that does too. */
const virtualenv = "virtualenv==20.15.1";

/**
 * Installs the suite from PyPI into a virtual environment under `folder`, unless it is there already.
 * Resolves to the path of its program, `wstest`.
 */
export async function installSuite(folder: string): Promise<string> {
  const environment = join(folder, "environment");
  const wstest = join(environment, "bin", "wstest");
  const receipt = join(environment, "installed.txt");
  const wanted = [virtualenv, ...buildRequirements, await readFile(requirements, "utf8")].join("\n");
  if ((await readFile(receipt, "utf8").catch(() => "")) === wanted) return wstest;

  const python = await findPython27();
  console.log(`Installing the Autobahn|Testsuite for ${python}`);
  await rm(environment, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const tools = join(folder, "tools");
  await output(python, ["-m", "pip", "install", "--quiet", "--upgrade", "--target", tools, virtualenv]);
  await output(python, [
    "-c",
    "import sys; sys.path.insert(0, sys.argv.pop(1)); import virtualenv; virtualenv.cli_run(sys.argv[1:])",
    tools,
    environment,
  ]);
  const pip = join(environment, "bin", "pip");
  await output(pip, ["install", "--quiet", ...buildRequirements]);
  await output(pip, ["install", "--quiet", "--no-deps", "--no-build-isolation", "-r", requirements]);
  await writeFile(receipt, wanted);
  return wstest;
}
