/**
 * `npm run conformance:multiplex`: runs connectrpc/conformance in its client mode. The client under test is a client of
 * Connect-ES with the transport of @sluice/client: each call goes over a WebSocket to a gateway, and from there to the
 * suite's reference server as gRPC. First with protobuf on the WebSocket, then with JSON. Further arguments go to the suite,
 * such as `--run 'Errors/**'` or `--trace`.
 * Exits with 1 when a case fails that is not in `known-failures.txt`, or one passes that is.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { countOf } from "../connect/count.ts";
import { installSuite } from "../connect/suite.ts";

const fileOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

const { runner, environment } = await installSuite();
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
  const args = [
    "--mode",
    "client",
    "--max-servers",
    "1",
    "--conf",
    fileOf("config.yaml"),
    "--known-failing",
    `@${fileOf("known-failures.txt")}`,
    ...process.argv.slice(2),
    "--",
    process.execPath,
    client,
  ];
  const suite = spawn(runner, args, {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...environment, FORMAT: format },
  });
  let said = "";
  suite.stdout.on("data", (chunk: Buffer) => {
    said += chunk.toString();
    process.stdout.write(chunk);
  });
  const [code] = (await once(suite, "close")) as [number | null];
  const { passed, total } = countOf(said);
  counts.push(`@sluice/client with ${format}, through sluice: ${passed} of ${total} pass`);
  if (code !== 0) process.exitCode = code ?? 1;
}
console.log(counts.join("\n"));
