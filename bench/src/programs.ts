import { execFile } from "node:child_process";
import { cp, mkdir, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";
import { shopOrder } from "./order.ts";

const run = promisify(execFile);

const fileOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const out = fileOf("../out");
const bin = join(out, "bin");
/** What Go has the code of already. */
const annotations = ["google/api/annotations.proto", "google/api/http.proto"];
const goModule = "sluice.example/bench";

/** What the gateways under measure are made of; paths of files. */
export interface Programs {
  /** The gRPC server behind them, in Go; its argument is `order`. */
  readonly backend: string;
  /** grpc-gateway; its argument is the address of the backend. */
  readonly goGateway: string;
  /** The gRPC server that gives back each message of `Echo.Converse`, in Go. */
  readonly echo: string;
  /** grpcwebproxy, in Go; its argument is the address of the backend. */
  readonly grpcwebproxy: string;
  /** grpc-websocket-proxy before grpc-gateway, in Go; its argument is the address of the backend. */
  readonly wsproxy: string;
  /** The gateways in JavaScript; their arguments are the name of one, the address of the backend, and `descriptors`. */
  readonly nodeGateway: string;
  /** The descriptor set of `shop.proto` and `echo.proto`. */
  readonly descriptors: string;
  /** The order that the backend answers with, as JSON. */
  readonly order: string;
}

/** Builds the programs, and generates the code that the Go ones need. Rejects with what to do without Go. */
export async function buildPrograms(): Promise<Programs> {
  await run("go", ["version"]).catch(() => {
    throw new Error(
      "grpc-gateway and the backend are built with Go 1.26 or later (https://go.dev/dl), and there is no go on the path",
    );
  });
  const orderFile = join(out, "order.json");
  const descriptors = join(out, "shop.binpb");
  await mkdir(bin, { recursive: true });
  await writeFile(orderFile, JSON.stringify(shopOrder));
  await buildGo(descriptors);
  const nodeGateway = await buildNode();
  return {
    backend: join(bin, "backend"),
    goGateway: join(bin, "gateway"),
    echo: join(bin, "echo"),
    grpcwebproxy: join(bin, "grpcwebproxy"),
    wsproxy: join(bin, "wsproxy"),
    nodeGateway,
    descriptors,
    order: orderFile,
  };
}

/** Generates into a copy of the module, so that no generated code lies among the sources. */
async function buildGo(descriptors: string): Promise<void> {
  const cwd = join(out, "go");
  const go = async (...args: string[]): Promise<void> => {
    await run("go", args, { cwd, env: { ...process.env, GOBIN: bin }, maxBuffer: 1 << 26 });
  };
  await rm(cwd, { recursive: true, force: true });
  await cp(fileOf("../go"), cwd, { recursive: true });
  await mkdir(join(cwd, "shop"));
  await go("install", "tool");
  await compile(descriptors, join(cwd, "shop"));
  await go("build", "-o", bin, "./backend", "./gateway", "./echo", "./grpcwebproxy", "./wsproxy");
}

async function compile(descriptors: string, folder: string): Promise<void> {
  const { resolve } = createRequire(import.meta.url);
  const protoc = dirname(resolve("protoc/package.json"));
  const files = ["shop.proto", "order.proto", "echo.proto"];
  const options = [
    "paths=source_relative",
    ...files.map((file) => `M${file}=${goModule}/shop`),
    ...annotations.map((file) => `M${file}=google.golang.org/genproto/googleapis/api/annotations`),
  ].join();
  const plugins = ["go", "go-grpc", "grpc-gateway"].flatMap((name) => [
    `--plugin=protoc-gen-${name}=${join(bin, `protoc-gen-${name}`)}`,
    `--${name}_out=${folder}`,
    `--${name}_opt=${options}`,
  ]);
  await run(process.execPath, [
    join(protoc, "protoc.cjs"),
    `--proto_path=${fileOf("protos")}`,
    `--proto_path=${join(dirname(resolve("@sluice/rpc/package.json")), "proto")}`,
    `--proto_path=${join(protoc, "include")}`,
    "--include_imports",
    `--descriptor_set_out=${descriptors}`,
    ...plugins,
    ...files,
  ]);
}

/** Compiled, because tsx marks every function with a name at run time, which the hand-written gateways would pay for. */
async function buildNode(): Promise<string> {
  await build({
    entryPoints: [fileOf("gateways/main.ts")],
    outdir: join(out, "gateways"),
    outExtension: { ".js": ".mjs" },
    bundle: true,
    splitting: true,
    packages: "external",
    platform: "node",
    format: "esm",
    logLevel: "error",
  });
  return join(out, "gateways", "main.mjs");
}
