import { create, fromBinary, toBinary, type Message } from "@bufbuild/protobuf";
import type { GenMessage } from "@bufbuild/protobuf/codegenv2";
import { Code, nameOfCode } from "@sluice/protocol";
import type { Backend, Call, CallListener } from "../call/call.ts";
import { noMetadata, type Metadata } from "../call/metadata.ts";
import type { Status } from "../call/status.ts";
import { RpcError } from "../error.ts";
import type { Method } from "./method.ts";
import { methodFrom } from "./schema.ts";
import { ownRegistry } from "./well-known-files.ts";

/** The versions of the service; the same messages under two package names. */
export type ReflectionVersion = "v1" | "v1alpha";

/** What a client can ask of a server about its schema. */
export interface ReflectionQuestion {
  readonly case: "listServices" | "fileContainingSymbol" | "fileByFilename";
  readonly value: string;
}

/** What a server answers; `case` is undefined for an answer that this client does not know. */
export type ReflectionAnswer =
  | { case: "fileDescriptorResponse"; value: { fileDescriptorProto: Uint8Array[] } }
  | { case: "listServicesResponse"; value: { service: { name: string }[] } }
  | { case: "errorResponse"; value: { errorCode: number; errorMessage: string } }
  | { case: "allExtensionNumbersResponse"; value: unknown }
  | { case: undefined; value?: undefined };

type ReflectionRequest = Message & { messageRequest: ReflectionQuestion };
type ReflectionResponse = Message & { messageResponse: ReflectionAnswer };

/** How a stream of questions is opened. */
export interface ReflectionStreamOptions {
  /** For errors: whom is asked. */
  readonly name: string;
  readonly metadata?: Metadata;
  /** Milliseconds that all questions together may take. */
  readonly timeoutMs: number;
}

interface Asked {
  readonly resolve: (answer: ReflectionAnswer) => void;
  readonly reject: (error: RpcError) => void;
}

function reflectionMethod(version: ReflectionVersion): Method {
  const service = ownRegistry().getService(`grpc.reflection.${version}.ServerReflection`);
  const [method] = service?.methods ?? [];
  if (method === undefined) throw new Error(`the descriptors of reflection ${version} are missing`);
  return methodFrom(method);
}

/** One call of ServerReflectionInfo: questions, each of which gets its answer. */
export class ReflectionStream {
  readonly #name: string;
  readonly #method: Method;
  readonly #call: Call;
  readonly #asked: Asked[] = [];
  #failure: RpcError | undefined;

  constructor(backend: Backend, version: ReflectionVersion, options: ReflectionStreamOptions) {
    this.#name = options.name;
    this.#method = reflectionMethod(version);
    const listener: CallListener = {
      headers: () => {},
      message: (bytes) => this.#answered(bytes),
      drain: () => {},
      end: (status) => this.#fail(this.#errorFrom(status)),
    };
    const { metadata = noMetadata, timeoutMs: timeout } = options;
    this.#call = backend.open({ method: this.#method, metadata, timeout }, listener);
  }

  /** Asks without waiting for the answers to earlier questions. Rejects with an RpcError when the call ends. */
  ask(question: ReflectionQuestion): Promise<ReflectionAnswer> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) {
        reject(this.#failure);
        return;
      }
      this.#asked.push({ resolve, reject });
      const desc = this.#method.input as GenMessage<ReflectionRequest>;
      this.#call.send(toBinary(desc, create(desc, { messageRequest: question })));
    });
  }

  /** Says that there are no more questions. */
  close(): void {
    this.#call.halfClose();
  }

  /** Ends the call; every open question is rejected. */
  cancel(): void {
    this.#call.cancel();
  }

  #answered(bytes: Uint8Array): void {
    try {
      const response = fromBinary(this.#method.output as GenMessage<ReflectionResponse>, bytes);
      this.#asked.shift()?.resolve(response.messageResponse);
    } catch (cause) {
      this.#fail(this.#invalid("its answer is not a ServerReflectionResponse", cause));
      this.#call.cancel();
    }
  }

  #fail(error: RpcError): void {
    this.#failure ??= error;
    for (const { reject } of this.#asked.splice(0)) reject(this.#failure);
  }

  #errorFrom({ code, message }: Status): RpcError {
    if (code === Code.OK) return this.#invalid("it ended the call without an answer");
    if (code === Code.UNIMPLEMENTED) {
      const advice = "switch it on in the server, or give a descriptor set or .proto files";
      return new RpcError(
        "reflection_unsupported",
        `${this.#name}: the server has no reflection service; ${advice}`,
      );
    }
    const why = `${nameOfCode(code)}${message === "" ? "" : `: ${message}`}`;
    return new RpcError("reflection_unavailable", `${this.#name}: server reflection failed with ${why}`);
  }

  #invalid(what: string, cause?: unknown): RpcError {
    return new RpcError("reflection_invalid", `${this.#name}: server reflection: ${what}`, cause);
  }
}
