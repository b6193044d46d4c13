// Bundles test files into a folder, each with all that it imports of the workspace, and prints where each has gone.
// Loading the sources one by one, hundreds of modules through the hooks of `tsx`, takes longer than most tests do.
import { readFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { build, type Plugin } from "esbuild";

/** Files bundled at once, as each bundle of a batch is held in memory until it is written. */
const batchSize = 48;

/** Leaves to Node what is not of the workspace, and each module its own place, where it finds fixtures. */
const workspaceSources: Plugin = {
  name: "workspace-sources",
  setup: (bundle) => {
    bundle.onResolve({ filter: /^[^./]/ }, ({ path, kind }) =>
      kind === "entry-point" || path.startsWith("@sluice/") ? undefined : { path, external: true },
    );
    bundle.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      const places = { url: pathToFileURL(path).href, dirname: dirname(path) };
      const text = await readFile(path, "utf8");
      const contents = text.replaceAll(/\bimport\.meta\.(url|dirname)\b/g, (_, name: keyof typeof places) =>
        JSON.stringify(places[name]),
      );
      return { loader: "ts", contents };
    });
  },
};

const [folder = "", ...named] = process.argv.slice(2);
const files = named.map((file) => resolve(file));
for (let start = 0; start < files.length; start += batchSize) {
  await build({
    entryPoints: files.slice(start, start + batchSize),
    outbase: process.cwd(),
    outdir: folder,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    conditions: ["@sluice/source"],
    keepNames: true,
    sourcemap: true,
    sourcesContent: false,
    logLevel: "warning",
    plugins: [workspaceSources],
  });
}
for (const file of files) {
  console.log(join(folder, relative(process.cwd(), file).replace(/\.ts$/, ".mjs")));
}
