import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { startEchoServer } from "@sluice/testkit";

const root = fileURLToPath(new URL("..", import.meta.url));
const run = promisify(execFile);
/** The packages that users install. */
const published = ["protocol", "websocket", "hub", "socketio", "rpc", "gateway", "client"];
let folder: string;

// What a user gets: built, packed, and installed into an empty folder, without the workspace around it.
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-package-"));
  await run("npm", ["run", "build"], { cwd: root });
  const folders = published.flatMap((name) => ["-w", `packages/${name}`]);
  const { stdout } = await run("npm", ["pack", "--json", "--pack-destination", folder, ...folders], {
    cwd: root,
  });
  const packed: unknown = JSON.parse(stdout);
  const tarballs = Object.values(packed as Record<string, { filename: string }>).map(
    ({ filename }) => `./${filename}`,
  );
  assert.equal(tarballs.length, published.length);
  await writeFile(join(folder, "package.json"), '{ "private": true, "type": "module" }');
  await run(
    "npm",
    ["install", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund", ...tarballs],
    {
      cwd: folder,
    },
  );
});
after(() => rm(folder, { recursive: true }));

test("npx sluice answers from the packed package, as in the workspace", async () => {
  const { version } = JSON.parse(await readFile(join(root, "packages/gateway/package.json"), "utf8")) as {
    version: string;
  };
  for (const cwd of [folder, root]) {
    const { stdout } = await run("npx", ["sluice", "--version"], { cwd });
    assert.equal(stdout, `${version}\n`);
  }
});

test("the packed gateway serves reflection and .proto files", async () => {
  const echo = await startEchoServer();
  for (const schema of [[], ["--proto", echo.protoPath, "--proto-path", ...echo.importPaths]]) {
    const sluice = spawn("npx", ["sluice", "serve", "--upstream", echo.address, "--port", "0", ...schema], {
      cwd: folder,
      stdio: ["ignore", "pipe", "inherit"],
      detached: true,
    });
    const [line] = (await once(sluice.stdout, "data")) as [Buffer];
    const url = /http:\S+/.exec(line.toString())?.[0] ?? "";
    assert.deepEqual(await (await fetch(`${url}/v1/say/hello`)).json(), { text: "hello" });
    const ended = once(sluice, "close");
    if (sluice.pid !== undefined) process.kill(-sluice.pid, "SIGTERM");
    await ended;
  }
  await echo.close();
});

test("the packed libraries can be imported, with their types", async () => {
  const script = `
    const empty = [];
    for (const name of ${JSON.stringify(published)}) {
      if (Object.keys(await import("@sluice/" + name)).length === 0) empty.push(name);
    }
    process.stdout.write(JSON.stringify(empty));`;
  const { stdout } = await run(process.execPath, ["--input-type=module", "-e", script], { cwd: folder });
  assert.deepEqual(JSON.parse(stdout), []);
  for (const name of published) {
    await readFile(join(folder, "node_modules/@sluice", name, "dist/index.d.ts"));
  }
});
