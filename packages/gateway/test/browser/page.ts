/** What runs in the page of `browser.test.ts`: it hangs its functions on the window. */
import { createFileRegistry, fromBinary, type JsonObject } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { ConnectError, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { GrpcWebClientBase, MethodDescriptor, MethodType } from "grpc-web";
import { RpcClient, type Callable } from "../rpc-client.ts";

/** Where the gateway is, and its schema as a descriptor set in base64. */
export interface PageOptions {
  readonly baseUrl: string;
  readonly descriptors: string;
}

/** What the clients of Connect-ES found. */
export interface ConnectFindings {
  readonly unary: readonly JsonObject[];
  readonly stream: readonly JsonObject[];
  readonly header: string | null;
  readonly trailer: string | null;
  readonly error: { code: number; message: string; details: number; trailer: string | null };
  readonly late: number;
  readonly cancelled: number;
}

function callableFrom(descriptors: string): Callable {
  const bytes = Uint8Array.from(atob(descriptors), (each) => each.charCodeAt(0));
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, bytes));
  return { registry, services: [...registry].filter((type) => type.kind === "service") };
}

async function failure(work: Promise<unknown>): Promise<ConnectError> {
  return work.then(
    () => Promise.reject(new Error("the call did not fail")),
    (error: unknown) => ConnectError.from(error),
  );
}

async function findWith(client: RpcClient): Promise<ConnectFindings> {
  const request = { headers: { "x-head": "1" }, trailers: { "x-trail": "2" } };
  const metadata = await client.call("Metadata", [request], { headers: { "x-one": "1" } });
  const details = [{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "LOST" }];
  const fail = { status: { code: 5, message: "no € such", details }, trailers: { "x-why": "so" } };
  const error = await failure(client.call("Fail", [fail]));
  const controller = new AbortController();
  const cancelled = failure(
    client.call("Repeat", [{ text: "endless" }], {
      signal: controller.signal,
      onMessage: () => controller.abort(),
    }),
  );
  return {
    unary: (await client.call("Say", [{ text: "hällo" }])).messages,
    stream: (await client.call("Repeat", [{ text: "a", count: 3 }])).messages,
    header: metadata.headers.get("x-head"),
    trailer: metadata.trailers.get("x-trail"),
    error: {
      code: error.code,
      message: error.rawMessage,
      details: error.details.length,
      trailer: error.metadata.get("x-why"),
    },
    late: (await failure(client.call("Sleep", [{}], { timeoutMs: 100 }))).code,
    cancelled: (await cancelled).code,
  };
}

async function withConnectWeb(
  { baseUrl, descriptors }: PageOptions,
  dialect: "connect" | "grpc-web",
  useBinaryFormat: boolean,
): Promise<ConnectFindings> {
  const schema = callableFrom(descriptors);
  const options = { baseUrl, useBinaryFormat, jsonOptions: { registry: schema.registry } };
  const transport: Transport =
    dialect === "connect" ? createConnectTransport(options) : createGrpcWebTransport(options);
  return findWith(new RpcClient(transport, schema));
}

/** What the npm package grpc-web found; messages are bytes in hexadecimal. */
export interface GrpcWebFindings {
  readonly unary: string;
  readonly stream: readonly string[];
  readonly error: { code: number; message: string; trailer: string | undefined };
}

function same(bytes: Uint8Array): Uint8Array {
  return bytes;
}

function descriptorOf(name: string, type: string): MethodDescriptor<Uint8Array, Uint8Array> {
  const path = `/sluice.test.v1.Echo/${name}`;
  return new MethodDescriptor(path, type, Uint8Array, Uint8Array, same, same);
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (each) => Number.parseInt(each, 16));
}

async function withGrpcWeb({ baseUrl }: PageOptions, format: "text" | "binary"): Promise<GrpcWebFindings> {
  const client = new GrpcWebClientBase({ format });
  const unary = async (name: string, request: string): Promise<Uint8Array> =>
    client.unaryCall(
      `${baseUrl}/sluice.test.v1.Echo/${name}`,
      bytesOf(request),
      {},
      descriptorOf(name, MethodType.UNARY),
    );
  const stream: string[] = [];
  // The package streams in its text format alone.
  if (format === "text") {
    const repeat = client.serverStreaming(
      `${baseUrl}/sluice.test.v1.Echo/Repeat`,
      bytesOf("0a01611003"),
      {},
      descriptorOf("Repeat", MethodType.SERVER_STREAMING),
    );
    repeat.on("data", (message) => stream.push(hex(message)));
    await new Promise<void>((resolve, reject) => {
      repeat.on("end", resolve);
      repeat.on("error", reject);
    });
  }
  // FailRequest{status: {code: 7, message: "no"}, trailers: {"k": "v"}}
  const error = await unary("Fail", "0a06080712026e6f12060a016b120176").then(
    () => Promise.reject(new Error("the call did not fail")),
    (failed: { code: number; message: string; metadata: Record<string, string> }) => failed,
  );
  return {
    unary: hex(await unary("Say", "0a026869")),
    stream,
    error: { code: error.code, message: error.message, trailer: error.metadata["k"] },
  };
}

Object.assign(globalThis, { withConnectWeb, withGrpcWeb });
