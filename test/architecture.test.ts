import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, normalize, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "node:test";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/** Who may import whom: workspace packages and third-party packages, by package folder. */
const allowed: Record<string, readonly string[]> = {
  protocol: [],
  websocket: ["node"],
  hub: ["node", "@sluice/websocket"],
  socketio: ["node", "@sluice/hub", "@sluice/websocket"],
  rpc: ["node", "@sluice/protocol", "@sluice/websocket", "@bufbuild/protobuf"],
  gateway: [
    "node",
    "@sluice/protocol",
    "@sluice/websocket",
    "@sluice/hub",
    "@sluice/rpc",
    "@sluice/socketio",
    "@bufbuild/protobuf",
    "commander",
    "jose",
    "pino",
    "pino-pretty",
    "sirv",
    "yaml",
    "zod",
  ],
  client: ["@sluice/protocol", "@bufbuild/protobuf", "@connectrpc/connect"],
  testkit: [
    "node",
    "@sluice/hub",
    "@sluice/protocol",
    "@sluice/websocket",
    "@bufbuild/protobuf",
    "@grpc/grpc-js",
    "@grpc/proto-loader",
    "@grpc/reflection",
    "playwright-core",
  ],
};

interface Import {
  readonly from: string;
  readonly specifier: string;
  readonly typeOnly: boolean;
}

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => join(entry.parentPath, entry.name));
}

function importsOf(file: string): Import[] {
  const text = readFileSync(file, "utf8");
  const statement = /^(?:import|export)\s+(type\s+)?(?:[^"';]*?\sfrom\s+)?"([^"]+)"/gm;
  const dynamic = /\bimport\("([^"]+)"\)/g;
  const found: Import[] = [];
  for (const match of text.matchAll(statement)) {
    found.push({ from: file, specifier: match[2] ?? "", typeOnly: match[1] !== undefined });
  }
  for (const match of text.matchAll(dynamic)) {
    found.push({ from: file, specifier: match[1] ?? "", typeOnly: false });
  }
  return found;
}

function packageOf(specifier: string): string {
  if (specifier.startsWith("node:") || builtinModules.includes(specifier)) return "node";
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

const packages = readdirSync(join(root, "packages"));

test("every package is in the table of who may import whom", () => {
  assert.deepEqual(packages.toSorted(), Object.keys(allowed).toSorted());
});

for (const name of packages) {
  const source = join(root, "packages", name, "src");
  const imports = filesUnder(source).flatMap(importsOf);

  test(`${name} imports only what it may`, () => {
    for (const { from, specifier } of imports) {
      const where = `${relative(root, from)} imports ${specifier}`;
      if (specifier.startsWith(".")) {
        const target = normalize(join(dirname(from), specifier));
        assert.ok(target.startsWith(source), `${where}: outside its own package`);
        assert.ok(specifier.endsWith(".ts"), `${where}: without the .ts extension`);
      } else {
        assert.ok(allowed[name]?.includes(packageOf(specifier)), `${where}: not in the table`);
      }
    }
  });

  test(`${name} has no cycle of value imports`, () => {
    const edges = new Map<string, string[]>();
    for (const { from, specifier, typeOnly } of imports) {
      if (typeOnly || !specifier.startsWith(".")) continue;
      const to = normalize(join(dirname(from), specifier));
      edges.set(from, [...(edges.get(from) ?? []), to]);
    }
    const done = new Set<string>();
    const visit = (file: string, path: readonly string[]): void => {
      assert.ok(
        !path.includes(file),
        `cycle: ${[...path, file].map((each) => relative(source, each)).join(" → ")}`,
      );
      if (done.has(file)) return;
      for (const next of edges.get(file) ?? []) visit(next, [...path, file]);
      done.add(file);
    };
    for (const file of edges.keys()) visit(file, []);
  });
}

test("nothing outside the packages reaches into their sources", () => {
  for (const folder of ["examples", "bench", "conformance"]) {
    for (const { from, specifier } of filesUnder(join(root, folder)).flatMap(importsOf)) {
      assert.ok(!/packages\//.test(specifier), `${relative(root, from)} imports ${specifier}`);
      assert.ok(
        !/^@sluice\/[^/]+\/src/.test(specifier),
        `${relative(root, from)} imports ${specifier}: not a public name`,
      );
    }
  }
});
