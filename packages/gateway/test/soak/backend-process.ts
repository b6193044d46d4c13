/**
 * The backend of the soak, in a process of its own that is killed: arguments are its port, and the file in which it writes
 * down each Connect, Resume and Disconnect before it answers. What a session says, it publishes to the room that is named there.
 */
import { appendFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import {
  Server,
  ServerCredentials,
  type handleUnaryCall,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import type { BackendEvent } from "./backend.ts";
import type { Body } from "./member.ts";

interface Request {
  readonly session: {
    readonly id: string;
    readonly generation: number;
    readonly query: Readonly<Record<string, string>>;
    readonly face: string;
  };
  readonly payload: { readonly text?: string };
  readonly code?: number;
}

const [port = "0", file = ""] = process.argv.slice(2);

function note(hook: BackendEvent["hook"], { session, code }: Request): void {
  const { id, generation, query } = session;
  const event: BackendEvent = {
    life: process.pid,
    hook,
    session: id,
    generation,
    name: query["name"] ?? "",
    ...(code !== undefined && { code }),
  };
  // Behind this call, it stays written whatever becomes of the process.
  appendFileSync(file, `${JSON.stringify(event)}\n`);
}

const answers = {
  connect(request: Request): object {
    note("connect", request);
    const { query, face } = request.session;
    const room = query["room"];
    return room === undefined || face === "sse" ? {} : { effects: [{ join: { room } }] };
  },
  message({ payload }: Request): object {
    const { text = "" } = payload;
    const { id, room } = JSON.parse(text) as Body;
    return { effects: [{ publish: { room, payload: { text }, idempotencyKey: id } }] };
  },
  disconnect(request: Request): object {
    note("disconnect", request);
    return {};
  },
  resume(request: Request): object {
    note("resume", request);
    return {};
  },
};

function unary(answer: (request: Request) => object): handleUnaryCall<Request, object> {
  return ({ request }, reply) => reply(null, answer(request));
}

const { resolve } = createRequire(import.meta.url);
const definition = loadSync("sluice/session/v1/session.proto", {
  includeDirs: [
    fileURLToPath(new URL("../../proto", import.meta.url)),
    join(dirname(resolve("@sluice/rpc/package.json")), "proto"),
  ],
  longs: Number,
});
const server = new Server();
const implementation: UntypedServiceImplementation = Object.fromEntries(
  Object.entries(answers).map(([name, answer]) => [name, unary(answer)]),
);
server.addService(definition["sluice.session.v1.SessionHandler"] as ServiceDefinition, implementation);
server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, bound) => {
  if (error !== null) throw error;
  process.send?.(bound);
});
process.on("disconnect", () => process.exit());
