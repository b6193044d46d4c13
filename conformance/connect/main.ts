/**
 * `npm run conformance:connect`: runs connectrpc/conformance against the gateway in front of the suite's gRPC server,
 * which is grpc-go, or with `-- --backend connect-go` its other one. Further arguments go to the suite, such as
 * `--run 'Errors/**'` or `--trace`.
 * Exits with 1 when a case fails that is not in `known-failures.txt`, or one passes that is.
 */
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { runSuite } from "./run-suite.ts";
import { installSuite } from "./suite.ts";

const fileOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

const own = process.argv.slice(2);
const at = own.indexOf("--backend");
const { backend } = parseArgs({
  args: at < 0 ? [] : own.splice(at, 2),
  options: { backend: { type: "string", default: "grpc-go" } },
}).values;

const suite = await installSuite();
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
const { passed, total, code } = await runSuite(suite, {
  mode: "server",
  fileOf,
  program: server,
  args: own,
  environment: { BACKEND: backend },
});
console.log(`sluice in front of ${backend}: ${passed} of ${total} pass`);
process.exitCode = code;
