import { fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, type FileDescriptorProto } from "@bufbuild/protobuf/wkt";
import { nameOfCode } from "@sluice/protocol";
import type { Backend } from "../call/call.ts";
import type { Metadata } from "../call/metadata.ts";
import { RpcError } from "../error.ts";
import { removeImports } from "./imports.ts";
import { ReflectionStream, type ReflectionAnswer, type ReflectionQuestion } from "./reflection-stream.ts";
import { createSchema, type Schema } from "./schema.ts";
import { wellKnownFiles } from "./well-known-files.ts";

/** How a server is asked for its schema. */
export interface ReflectOptions {
  /** Milliseconds that all of it may take. Default: 10 000. */
  readonly timeoutMs?: number;
  /** Sent with the call, for servers that show their schema only to some. */
  readonly metadata?: Metadata;
  /** Gives up; the promise rejects with `reflection_unavailable`. */
  readonly signal?: AbortSignal;
  /** How many bytes of descriptors are accepted. Default: 64 MiB. */
  readonly maxBytes?: number;
  /** For errors: the server's address. */
  readonly name?: string;
  /** Told of each service that the server lists but cannot describe; the schema then lacks it. */
  readonly onProblem?: (problem: RpcError) => void;
}

/** Questions that are asked without waiting for each other. */
const concurrency = 8;

/**
 * Asks a server for its schema with grpc.reflection.v1, then v1alpha. The reflection service itself is left out.
 * Throws RpcError: `reflection_unavailable` where the call fails (trying again may help), `reflection_unsupported`
 * where the server has no such service, `reflection_invalid` where its answers make no sense.
 * Source: https://github.com/grpc/grpc/blob/master/doc/server-reflection.md
 */
export async function reflectSchema(backend: Backend, options: ReflectOptions = {}): Promise<Schema> {
  const deadline = performance.now() + (options.timeoutMs ?? 10_000);
  try {
    return await reflectWith("v1", backend, deadline, options);
  } catch (error) {
    if (!(error instanceof RpcError && error.code === "reflection_unsupported")) throw error;
    return reflectWith("v1alpha", backend, deadline, options);
  }
}

async function reflectWith(
  version: "v1" | "v1alpha",
  backend: Backend,
  deadline: number,
  options: ReflectOptions,
): Promise<Schema> {
  const { name = "the backend", metadata, signal } = options;
  const timeoutMs = Math.max(1, Math.ceil(deadline - performance.now()));
  const stream = new ReflectionStream(backend, version, { name, timeoutMs, ...(metadata && { metadata }) });
  const abort = (): void => stream.cancel();
  signal?.addEventListener("abort", abort);
  if (signal?.aborted === true) abort();
  try {
    const schema = await new Reflection(stream, name, options).schema();
    stream.close();
    return schema;
  } catch (error) {
    stream.cancel();
    throw error;
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}

/** Runs `work` on everything in a queue that may grow meanwhile, a few at a time. */
async function drain<Item>(queue: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const items = queue.values();
  const worker = async (): Promise<void> => {
    for (const item of items) await work(item);
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
}

/** The descriptors of one server while they are collected. */
class Reflection {
  readonly #stream: ReflectionStream;
  readonly #name: string;
  readonly #maxBytes: number;
  readonly #onProblem: (problem: RpcError) => void;
  readonly #files = new Map<string, FileDescriptorProto>();
  readonly #services = new Set<string>();
  #bytes = 0;

  constructor(stream: ReflectionStream, name: string, options: ReflectOptions) {
    this.#stream = stream;
    this.#name = name;
    this.#maxBytes = options.maxBytes ?? 64 * 1024 * 1024;
    this.#onProblem = options.onProblem ?? (() => {});
  }

  async schema(): Promise<Schema> {
    const listed = await this.#listServices();
    const problems: RpcError[] = [];
    await drain(listed, async (service) => {
      if (!this.#services.has(service)) await this.#add({ case: "fileContainingSymbol", value: service });
      if (!this.#services.has(service)) {
        problems.push(this.#invalid(`it lists the service ${service}, but cannot describe it`));
      }
    });
    const [problem] = problems;
    if (problem !== undefined && problems.length === listed.length) throw problem;
    for (const each of problems) this.#onProblem(each);
    await this.#addImports();
    return this.#createSchema(new Set(listed));
  }

  async #listServices(): Promise<readonly string[]> {
    const answer = await this.#stream.ask({ case: "listServices", value: "*" });
    if (answer.case === "errorResponse") {
      const { errorCode, errorMessage } = answer.value;
      throw this.#invalid(`it cannot list its services: ${nameOfCode(errorCode)}: ${errorMessage}`);
    }
    if (answer.case !== "listServicesResponse") throw this.#unexpected(answer);
    const names = new Set(answer.value.service.map(({ name }) => name));
    return [...names].filter((name) => !name.startsWith("grpc.reflection."));
  }

  /** Asks for the imports that are missing and for theirs; where the server has none of that name, it is cut. */
  async #addImports(): Promise<void> {
    const asked = new Set<string>();
    const queue: string[] = [];
    const enqueue = (): void => {
      for (const { dependency } of this.#files.values()) {
        for (const name of dependency) {
          if (asked.has(name) || this.#files.has(name) || wellKnownFiles.has(name)) continue;
          asked.add(name);
          queue.push(name);
        }
      }
    };
    enqueue();
    while (queue.length > 0) {
      await drain(queue.splice(0), async (value) => {
        if (!this.#files.has(value)) await this.#add({ case: "fileByFilename", value });
      });
      enqueue();
    }
    // Such an import was for options only, or the server knows the file under another name; types decide that.
    const unavailable = new Set([...asked].filter((name) => !this.#files.has(name)));
    for (const file of this.#files.values()) removeImports(file, unavailable);
  }

  /** Adds the files of an answer; an error for an answer is no file. */
  async #add(question: ReflectionQuestion): Promise<void> {
    const answer = await this.#stream.ask(question);
    if (answer.case === "errorResponse") return;
    if (answer.case !== "fileDescriptorResponse") throw this.#unexpected(answer);
    for (const bytes of answer.value.fileDescriptorProto) {
      const file = this.#parse(bytes, question.value);
      if (this.#files.has(file.name)) continue;
      this.#bytes += bytes.length;
      if (this.#bytes > this.#maxBytes) {
        throw this.#invalid(`its descriptors are more than the ${this.#maxBytes} bytes that are accepted`);
      }
      this.#files.set(file.name, file);
      const scope = file.package === "" ? "" : `${file.package}.`;
      for (const { name } of file.service) this.#services.add(scope + name);
    }
  }

  #parse(bytes: Uint8Array, question: string): FileDescriptorProto {
    try {
      return fromBinary(FileDescriptorProtoSchema, bytes);
    } catch (cause) {
      throw this.#invalid(`what it answers for ${question} is not a file descriptor`, cause);
    }
  }

  #createSchema(services: ReadonlySet<string>): Schema {
    const source = { name: `reflection of ${this.#name}`, files: [...this.#files.values()], services };
    try {
      return createSchema(source);
    } catch (cause) {
      throw cause instanceof RpcError ? new RpcError("reflection_invalid", cause.message, cause) : cause;
    }
  }

  #unexpected(answer: ReflectionAnswer): RpcError {
    return this.#invalid(
      `it answers another question than the one it was asked (${answer.case ?? "nothing"})`,
    );
  }

  #invalid(what: string, cause?: unknown): RpcError {
    return new RpcError("reflection_invalid", `${this.#name}: server reflection: ${what}`, cause);
  }
}
