import { execFile } from "node:child_process";
import { access, mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);

const suite = "connectrpc.com/conformance";
const version = "v1.0.5";
/** Where the programs of the suite are installed. */
const bin = fileURLToPath(new URL("../out/bin", import.meta.url));

/** The suite, installed. */
export interface Suite {
  /** The program that runs the cases. */
  readonly runner: string;
  /** What `server.ts` wants to know of the suite. */
  readonly environment: Readonly<Record<"GRPC_SERVER" | "REFERENCE_SERVER" | "DESCRIPTORS", string>>;
}

/** Builds the programs of the suite with Go, where they are not there yet. Rejects with what to do without Go. */
export async function installSuite(): Promise<Suite> {
  await run("go", ["version"]).catch(() => {
    throw new Error(
      "the suite is built with Go 1.24 or later (https://go.dev/dl), and there is no go on the path",
    );
  });
  await mkdir(bin, { recursive: true });
  const names = ["connectconformance", "grpcserver", "referenceserver"];
  const [runner = "", grpcServer = "", referenceServer = ""] = names.map((name) => join(bin, name));
  if (!(await existAll([runner, grpcServer, referenceServer]))) {
    console.log(`Building ${suite}@${version}`);
    const programs = names.map((name) => `${suite}/cmd/${name}@${version}`);
    await run("go", ["install", ...programs], { env: { ...process.env, GOBIN: bin }, maxBuffer: 1 << 26 });
  }
  const { stdout } = await run("go", ["mod", "download", "-json", `${suite}@${version}`]);
  const { Dir } = JSON.parse(stdout) as { readonly Dir: string };
  const descriptors = await compileMessages(join(Dir, "proto"));
  return {
    runner,
    environment: { GRPC_SERVER: grpcServer, REFERENCE_SERVER: referenceServer, DESCRIPTORS: descriptors },
  };
}

/** Compiles the messages of the suite into a descriptor set; answers its path. */
async function compileMessages(include: string): Promise<string> {
  const protoc = createRequire(import.meta.url).resolve("protoc/package.json");
  const set = join(bin, "..", "connect.binpb");
  await run(process.execPath, [
    join(dirname(protoc), "protoc.cjs"),
    `--proto_path=${include}`,
    "--include_imports",
    `--descriptor_set_out=${set}`,
    "connectrpc/conformance/v1/service.proto",
    "connectrpc/conformance/v1/server_compat.proto",
    "connectrpc/conformance/v1/client_compat.proto",
  ]);
  return set;
}

async function existAll(paths: readonly string[]): Promise<boolean> {
  return Promise.all(paths.map((path) => access(path))).then(
    () => true,
    () => false,
  );
}
