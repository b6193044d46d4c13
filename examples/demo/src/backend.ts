// The backend: a gRPC server as any team may have it, which knows nothing of browsers or of Sluice.
import { createRequire } from "node:module";
import { dirname, join as joinPath } from "node:path";
import { fileURLToPath } from "node:url";
import { Server, ServerCredentials, type ServiceDefinition } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { join } from "./chat-room.ts";
import { collect, converse, repeat, say } from "./echo.ts";

const proto = fileURLToPath(new URL("../proto/demo.proto", import.meta.url));
// Where google/api/annotations.proto is.
const sharedProtos = joinPath(
  dirname(createRequire(import.meta.url).resolve("@sluice/rpc/package.json")),
  "proto",
);

const definition = loadSync(proto, {
  includeDirs: [sharedProtos],
  longs: Number,
  enums: String,
  defaults: true,
});

const server = new Server();
server.addService(definition["sluice.demo.v1.Echo"] as ServiceDefinition, { say, repeat, collect, converse });
server.addService(definition["sluice.demo.v1.Chat"] as ServiceDefinition, { join });
server.bindAsync(process.argv[2] ?? "127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) throw error;
  process.stdout.write(`${port}\n`);
});
process.on("SIGTERM", () => {
  server.forceShutdown();
  // The channel to the process that started this one would keep it.
  if (process.connected) process.disconnect();
});
// Ctrl-C reaches all processes of a terminal; this one ends when the demo says so.
process.on("SIGINT", () => undefined);
process.on("disconnect", () => server.forceShutdown());
