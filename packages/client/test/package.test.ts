import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

for (const name of ["client", "protocol"]) {
  test(`@sluice/${name} is published with the sources that its maps lead to, and nothing of the build`, async () => {
    const cwd = fileURLToPath(new URL(`../../${name}`, import.meta.url));
    const { stdout } = await promisify(execFile)("npm", ["pack", "--dry-run", "--json"], { cwd });
    const [{ files }] = JSON.parse(stdout) as [{ readonly files: readonly { readonly path: string }[] }];
    const paths = files.map(({ path }) => path);
    assert.ok(paths.includes("src/index.ts"), paths.join(" "));
    assert.deepEqual(
      paths.filter(
        (path) => !/^(?:package\.json|README\.md|(?:src|dist)\/.*\.(?:ts|js|map)|vectors\/.*)$/.test(path),
      ),
      [],
    );
  });
}
