import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** What Node needs to run the sources of this workspace as they are. */
export const sourceFlags: readonly string[] = ["--import", "tsx", "--conditions=@sluice/source"];

/** The examples of a package, and what they do. */
export interface ReadmeSuiteOptions {
  /** The folder of the package's tests, with a slash at its end; `examples/` is in it, the README above. */
  readonly tests: URL;
  /** What each example prints; undefined for one that is not to be run here. */
  readonly printed: Readonly<Record<string, string | undefined>>;
  /** Variables that the examples find in their environment; asked for at each of them. */
  readonly environment?: () => Readonly<Record<string, string>>;
}

/** Tests that a README shows every example as it is, and that they print what they should. */
export function readmeSuite({ tests, printed, environment = () => ({}) }: ReadmeSuiteOptions): void {
  const readme = readFileSync(new URL("../README.md", tests), "utf8");
  const examples = new URL("examples/", tests);

  test("shows every example there is", () => {
    assert.deepEqual(readdirSync(examples).toSorted(), Object.keys(printed).toSorted());
  });

  for (const [name, expected] of Object.entries(printed)) {
    const file = new URL(name, examples);

    test(`shows ${name} as it is`, () => {
      assert.ok(readme.includes(`\`\`\`ts\n${readFileSync(file, "utf8")}\`\`\``), `${name} differs`);
    });

    if (expected === undefined) continue;
    test(`shows ${name}, which runs`, async () => {
      const { stdout } = await promisify(execFile)(process.execPath, [...sourceFlags, fileURLToPath(file)], {
        env: { ...process.env, ...environment() },
      });
      assert.equal(stdout, expected);
    });
  }
}
