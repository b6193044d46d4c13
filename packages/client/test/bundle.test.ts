import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

/** What a page loads of an entry point, with its dependencies but those named, minified; its size with gzip. */
async function bundle(entry: string, external: string[]): Promise<{ bytes: number; text: string }> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(`../src/${entry}`, import.meta.url))],
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    // No platform has what a bundle for no platform at all may not import.
    platform: "neutral",
    target: "es2022",
    conditions: ["@sluice/source"],
    external,
    logLevel: "error",
  });
  const text = outputFiles[0]?.text ?? "";
  return { bytes: gzipSync(text, { level: 9 }).length, text };
}

/** Bytes, of the core and of the transport. */
const limits = { core: 12_000, transport: 12_500 };

test(`the core imports nothing, and has less than ${limits.core} bytes with gzip`, async (context) => {
  const { bytes, text } = await bundle("index.ts", []);
  context.diagnostic(`${bytes} bytes`);
  assert.ok(bytes < limits.core, `${bytes} bytes`);
  assert.doesNotMatch(text, /\bimport\b|\brequire\(|\bprocess\b|\bBuffer\b/);
});

test(`the transport has less than ${limits.transport} bytes with gzip, beside Connect-ES`, async (context) => {
  const { bytes, text } = await bundle("connect/index.ts", ["@connectrpc/*", "@bufbuild/*"]);
  context.diagnostic(`${bytes} bytes`);
  assert.ok(bytes < limits.transport, `${bytes} bytes`);
  const names = new Set([...text.matchAll(/from\s*"([^"]+)"/g)].map(([, name]) => name));
  assert.deepEqual(names, new Set(["@connectrpc/connect", "@connectrpc/connect/protocol"]));
});
