import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import * as protocol from "../src/index.ts";

/** What a page loads to use these exports, minified. */
async function bundle(names: string): Promise<string> {
  const resolveDir = fileURLToPath(new URL("../src", import.meta.url));
  const { outputFiles } = await build({
    stdin: { contents: `export { ${names} } from "./index.ts"`, resolveDir },
    bundle: true,
    minify: true,
    format: "esm",
    platform: "neutral",
    target: "es2022",
    write: false,
  });
  return outputFiles[0]!.text;
}

test("the exports are these", () => {
  assert.deepEqual(Object.keys(protocol), [
    "Code",
    "FRAME_HEADER_BYTES",
    "FrameType",
    "MAX_CHUNK_BYTES",
    "MAX_WEB_SOCKET_MESSAGE_BYTES",
    "MULTIPLEX_PROTOCOL",
    "MultiplexCloseCode",
    "base64FromBytes",
    "bytesFromBase64",
    "codeFromHttpStatus",
    "createClientMultiplex",
    "createServerMultiplex",
    "defaultMultiplexLimits",
    "httpStatusFromCode",
    "isCode",
    "nameOfCode",
    "noMetadata",
    "resolveMultiplexLimits",
  ]);
});

test("a client's side takes about 7 kB of a page", async () => {
  const bytes = gzipSync(await bundle("createClientMultiplex"), { level: 9 }).length;
  assert.ok(bytes < 7200, `${bytes} bytes`);
});

test("who needs only status codes loads nothing else", async () => {
  const text = await bundle("Code, nameOfCode");
  assert.ok(text.length < 500, `${text.length} bytes`);
});
