/**
 * The server under test, as the suite starts it: reads a ServerCompatRequest from stdin, starts the suite's own servers
 * and a gateway in front of them, and writes a ServerCompatResponse with the gateway's address to stdout.
 *
 * GRPC_SERVER and REFERENCE_SERVER are the programs, of grpc-go and of connect-go; BACKEND says which of them answers.
 * IdempotentUnary, which the former does not implement, is always the latter's. DESCRIPTORS is the descriptor set of
 * the suite's `.proto` files.
 */
import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { create, fromBinary, toBinary, type DescMessage, type Message } from "@bufbuild/protobuf";
import { createLogger, Gateway } from "@sluice/gateway";
import { createHttp2Backend, loadDescriptorSets, type Backend } from "@sluice/rpc";

type Asked = Message & { readonly messageReceiveLimit: number };
type Answer = Message & { readonly host: string; readonly port: number };
type Server = ChildProcessByStdio<Writable, Readable, null>;

const schema = await loadDescriptorSets([environment("DESCRIPTORS")]);
const requestType = typeOf("ServerCompatRequest");
const responseType = typeOf("ServerCompatResponse");

function environment(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set; run this with npm run conformance:connect`);
  return value;
}

function typeOf(name: string): DescMessage {
  const type = schema.registry.getMessage(`connectrpc.conformance.v1.${name}`);
  if (type === undefined) throw new Error(`${name} is not in the suite's protos`);
  return type;
}

/** Reads one message, which has four bytes of length before it. */
async function readMessage(stream: Readable): Promise<Uint8Array> {
  let held = Buffer.alloc(0);
  for await (const chunk of stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    held = Buffer.concat([held, chunk]);
    if (held.length >= 4 && held.length >= 4 + held.readUInt32BE(0)) {
      return held.subarray(4, 4 + held.readUInt32BE(0));
    }
  }
  throw new Error("the stream ended before a message");
}

function writeMessage(stream: Writable, message: Uint8Array): void {
  const prefix = Buffer.alloc(4);
  prefix.writeUInt32BE(message.length);
  stream.write(Buffer.concat([prefix, message]));
}

/** Starts one of the suite's servers, for gRPC over HTTP/2; answers it and its address. */
async function startServer(program: string, limit: number): Promise<[Server, string]> {
  const server = spawn(program, ["-port", "0"], { stdio: ["pipe", "pipe", "inherit"] });
  const message = create(requestType, { protocol: 2, httpVersion: 2, messageReceiveLimit: limit });
  writeMessage(server.stdin, toBinary(requestType, message));
  const { host, port } = fromBinary(responseType, await readMessage(server.stdout)) as Answer;
  return [server, `${host}:${port}`];
}

const { messageReceiveLimit } = fromBinary(requestType, await readMessage(process.stdin)) as Asked;
const [[grpcServer, grpcAddress], [referenceServer, referenceAddress]] = await Promise.all([
  startServer(environment("GRPC_SERVER"), messageReceiveLimit),
  startServer(environment("REFERENCE_SERVER"), messageReceiveLimit),
]);
const reference = createHttp2Backend(referenceAddress);
const main = environment("BACKEND") === "connect-go" ? reference : createHttp2Backend(grpcAddress);
const backend: Backend = {
  get acceptEncodings() {
    return main.acceptEncodings ?? new Set<string>();
  },
  open: (start, listener) =>
    (start.method.name === "IdempotentUnary" ? reference : main).open(start, listener),
  close: async (graceMs) => {
    await Promise.all([main.close(graceMs), reference.close(graceMs)]);
  },
};

const gateway = new Gateway({
  upstreams: [{ name: grpcAddress, backend, loadSchema: () => Promise.resolve(schema) }],
  log: createLogger("silent"),
  ...(messageReceiveLimit === 0 ? {} : { maxMessageBytes: messageReceiveLimit }),
});
const address = await gateway.start("127.0.0.1", 0);
const answer = create(responseType, { host: address.address, port: address.port });
writeMessage(process.stdout, toBinary(responseType, answer));

await once(process, "SIGTERM");
await gateway.close(0);
grpcServer.kill();
referenceServer.kill();
