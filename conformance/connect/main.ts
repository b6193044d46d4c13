/**
 * `npm run conformance:connect`: runs connectrpc/conformance against the gateway in front of the suite's gRPC server,
 * which is grpc-go, or with `-- --backend connect-go` its other one. Further arguments go to the suite, such as
 * `--run 'Errors/**'` or `--trace`.
 * Exits with 1 when a case fails that is not in `known-failures.txt`, or one passes that is.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { countOf } from "./count.ts";
import { installSuite } from "./suite.ts";

const fileOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

const own = process.argv.slice(2);
const at = own.indexOf("--backend");
const { backend } = parseArgs({
  args: at < 0 ? [] : own.splice(at, 2),
  options: { backend: { type: "string", default: "grpc-go" } },
}).values;

const { runner, environment } = await installSuite();
// One file, because the suite waits only some seconds for a server to start.
const server = fileOf("../out/connect-server.mjs");
await build({
  entryPoints: [fileOf("server.ts")],
  outfile: server,
  bundle: true,
  platform: "node",
  format: "esm",
  conditions: ["@sluice/source"],
  external: ["@bufbuild/*", "commander", "pino", "pino-pretty", "protoc", "sirv"],
  logLevel: "error",
});
const args = [
  "--mode",
  "server",
  "--max-servers",
  "1",
  "--conf",
  fileOf("config.yaml"),
  "--known-failing",
  `@${fileOf("known-failures.txt")}`,
  ...own,
  "--",
  process.execPath,
  server,
];
const suite = spawn(runner, args, {
  stdio: ["ignore", "pipe", "inherit"],
  env: { ...process.env, ...environment, BACKEND: backend },
});
let said = "";
suite.stdout.on("data", (chunk: Buffer) => {
  said += chunk.toString();
  process.stdout.write(chunk);
});
const [code] = (await once(suite, "close")) as [number | null];
const { passed, total } = countOf(said);
console.log(`sluice in front of ${backend}: ${passed} of ${total} pass`);
process.exitCode = code ?? 1;
