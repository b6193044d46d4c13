import type { Readable } from "node:stream";
import { Code, nameOfCode } from "@sluice/protocol";
import { JsonSplitter, type Metadata, type Method, type Schema, type Status } from "@sluice/rpc";
import { InvalidArgumentError, Option, type Command } from "commander";
import { endWithReader } from "../end-with-reader.ts";
import { CliError } from "../cli-error.ts";
import { secondsFromText } from "../parse-value.ts";
import { addSchemaOptions, schemaFromFlags, type SchemaFlags } from "../schema-options.ts";
import { tlsFromFlags } from "../tls-flags.ts";
import type { CallClient, ClientCall } from "./call-client.ts";
import { createCallClient, dialects, type Dialect } from "./create-call-client.ts";

interface CallFlags extends SchemaFlags {
  readonly dialect: Dialect;
  readonly data?: readonly string[];
  readonly header?: readonly string[];
  readonly timeout?: number;
  readonly verbose?: boolean;
}

/** The largest JSON text that is read from standard input. */
const maxInputBytes = 64 * 1024 * 1024;

/** Adds `sluice call`. */
export function addCall(program: Command): void {
  const command = program
    .command("call")
    .argument("<service/method>", "the method, as sluice methods lists it", methodFromText)
    .summary("make one call from the terminal")
    .description(
      "Makes one call: JSON messages in (from --data or standard input), a line of JSON for each reply out. " +
        "The exit code is 0, or 64 and the gRPC code of the failure.",
    );
  addSchemaOptions(command)
    .addOption(new Option("--dialect <dialect>", "how to call the server").choices(dialects).default("grpc"))
    .option("-d, --data <json...>", "the messages; default: standard input")
    .option("-H, --header <header...>", "metadata, as in 'authorization: Bearer abc'")
    .option("--timeout <seconds>", "the deadline of the call", secondsFromText)
    .option("-v, --verbose", "tell headers and trailers on standard error")
    .action(call);
}

async function call(path: string, flags: CallFlags): Promise<void> {
  endWithReader();
  const tls = tlsFromFlags(flags);
  const url = urlOf(flags, tls !== undefined);
  const metadata = metadataFromHeaders(flags.header ?? []);
  const schema = await schemaFromFlags(flags);
  const method = schema.methods.get(`/${path}`) ?? unknownMethod(path, schema);
  const client = createCallClient(flags.dialect, {
    url,
    schema,
    ...(tls === undefined ? {} : { tls }),
  });
  try {
    const status = await run(client, method, metadata, flags);
    if (status.code === Code.OK) return;
    process.stderr.write(`${nameOfCode(status.code)}: ${status.message}\n`);
    process.exitCode = 64 + status.code;
  } finally {
    await client.close();
  }
}

function run(client: CallClient, method: Method, metadata: Metadata, flags: CallFlags): Promise<Status> {
  const tell = (what: string, fields: Metadata): void => {
    if (flags.verbose !== true) return;
    for (const [name, value] of Object.entries(fields))
      process.stderr.write(`${what} ${name}: ${[value].flat().join(", ")}\n`);
  };
  return new Promise((resolve, reject) => {
    const start = {
      method,
      metadata,
      ...(flags.timeout === undefined ? {} : { timeout: flags.timeout * 1000 }),
    };
    const running = client.open(start, {
      headers: (headers) => tell("<", headers),
      message: (json) => process.stdout.write(`${json}\n`),
      end: (status, trailers) => {
        tell("<<", trailers);
        process.off("SIGINT", cancel);
        process.stdin.destroy();
        resolve(status);
      },
    });
    let count = 0;
    const send = (json: string): void => {
      if (++count > 1 && !isStreamed(method))
        throw new CliError(`${method.path} takes one message, but was given more`);
      running.send(json);
    };
    const cancel = (): void => {
      running.cancel();
      resolve({ code: Code.CANCELLED, message: "interrupted" });
    };
    process.once("SIGINT", cancel);
    if (flags.data !== undefined) {
      for (const json of flags.data) send(json);
      running.halfClose();
    } else if (process.stdin.isTTY && !isStreamed(method)) {
      running.halfClose();
    } else {
      sendAll(process.stdin, running, send, reject);
    }
  });
}

function sendAll(
  input: Readable,
  running: ClientCall,
  send: (json: string) => void,
  failed: (error: unknown) => void,
): void {
  const splitter = new JsonSplitter(maxInputBytes, send);
  const guard = (step: () => void): void => {
    try {
      step();
    } catch (error) {
      running.cancel();
      failed(error);
    }
  };
  input.on("data", (chunk: Buffer) => guard(() => splitter.push(chunk)));
  input.on("end", () =>
    guard(() => {
      splitter.end();
      running.halfClose();
    }),
  );
}

function urlOf({ upstream = [] }: SchemaFlags, isTls: boolean): URL {
  const [server] = upstream;
  if (server === undefined || upstream.length > 1)
    throw new CliError("say which one server: --upstream HOST:PORT");
  const { target } = server;
  try {
    return new URL(/^https?:\/\//.test(target) ? target : `${isTls ? "https" : "http"}://${target}`);
  } catch (error) {
    throw new CliError(`${target} is no address; give HOST:PORT, http://HOST:PORT or https://HOST:PORT`, {
      cause: error,
    });
  }
}

function methodFromText(text: string): string {
  const path = text.replace(/^\//, "").replace(/^([^/]+)\.([^./]+)$/, "$1/$2");
  if (!/^[^/]+\/[^/]+$/.test(path))
    throw new InvalidArgumentError("Give SERVICE/METHOD, as in shop.v1.Orders/Get.");
  return path;
}

function unknownMethod(path: string, schema: Schema): never {
  const [, name] = path.split("/");
  const similar = [...schema.methods.values()]
    .filter((method) => method.name === name)
    .map((method) => method.path.slice(1));
  const hint = similar.length > 0 ? `; did you mean ${similar.join(" or ")}?` : "; sluice methods lists them";
  throw new CliError(`the schema has no method ${path}${hint}`);
}

function metadataFromHeaders(headers: readonly string[]): Metadata {
  const metadata: Record<string, string[]> = {};
  for (const header of headers) {
    const colon = header.indexOf(":");
    if (colon <= 0) throw new CliError(`--header ${header}: write 'name: value'`);
    const name = header.slice(0, colon).trim().toLowerCase();
    (metadata[name] ??= []).push(header.slice(colon + 1).trim());
  }
  return metadata;
}

function isStreamed({ kind }: Method): boolean {
  return kind === "client_streaming" || kind === "bidi_streaming";
}
