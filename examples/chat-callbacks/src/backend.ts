// The backend: a gRPC server as any team may have it. `npm run backend -- [address]`, by default 127.0.0.1:50051.
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import {
  Server,
  ServerCredentials,
  type handleUnaryCall,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { connect, disconnect, message } from "./chat.ts";
import { createPush } from "./push.ts";

const { resolve } = createRequire(import.meta.url);
const protosOf = (name: string): string => join(dirname(resolve(`${name}/package.json`)), "proto");

const definition = loadSync(["sluice/session/v1/session.proto", "sluice/push/v1/push.proto"], {
  includeDirs: [protosOf("@sluice/gateway"), protosOf("@sluice/rpc")],
  longs: Number,
  // Empty maps are there too.
  objects: true,
});
const push = createPush(
  definition["sluice.push.v1.Push"] as ServiceDefinition,
  process.env["PUSH_ADDRESS"] ?? "127.0.0.1:8081",
);

function remind(session: string, seconds: number, payload: { readonly text: string }): void {
  setTimeout(() => push.send(session, payload), seconds * 1000).unref();
}

/** Answers each call with what `respond` makes of its request. */
function unary<Request, Response>(
  respond: (request: Request) => Response,
): handleUnaryCall<Request, Response> {
  return ({ request }, reply) => reply(null, respond(request));
}

const server = new Server();
const handlers = {
  connect: unary(connect),
  message: unary((request: Parameters<typeof message>[0]) => message(request, remind)),
  disconnect: unary(disconnect),
} satisfies UntypedServiceImplementation;
server.addService(definition["sluice.session.v1.SessionHandler"] as ServiceDefinition, handlers);
server.bindAsync(process.argv[2] ?? "127.0.0.1:50051", ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) throw error;
  process.stdout.write(`the chat is at 127.0.0.1:${port}\n`);
});
process.on("SIGTERM", () => server.forceShutdown());
