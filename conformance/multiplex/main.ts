/**
 * `npm run conformance:multiplex`: runs connectrpc/conformance in its client mode. The client under test is a client of
 * Connect-ES with the transport of @sluice/client: each call goes over a WebSocket to a gateway, and from there to the
 * suite's reference server as gRPC. First with protobuf on the WebSocket, then with JSON. Further arguments go to the suite,
 * such as `--run 'Errors/**'` or `--trace`.
 * Exits with 1 when a case fails that is not in `known-failures.txt`, or one passes that is.
 */
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { runSuite } from "../connect/run-suite.ts";
import { installSuite } from "../connect/suite.ts";

const fileOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

const suite = await installSuite();
const client = fileOf("../out/multiplex-client.mjs");
await build({
  entryPoints: [fileOf("client.ts")],
  outfile: client,
  bundle: true,
  platform: "node",
  format: "esm",
  conditions: ["@sluice/source"],
  external: ["@bufbuild/*", "@connectrpc/*", "commander", "pino", "pino-pretty", "protoc", "sirv", "yaml"],
  logLevel: "error",
});
const counts: string[] = [];
for (const format of ["protobuf", "JSON"]) {
  const { passed, total, code } = await runSuite(suite, {
    mode: "client",
    fileOf,
    program: client,
    args: process.argv.slice(2),
    environment: { FORMAT: format },
  });
  counts.push(`@sluice/client with ${format}, through sluice: ${passed} of ${total} pass`);
  if (code !== 0) process.exitCode = code;
}
console.log(counts.join("\n"));
