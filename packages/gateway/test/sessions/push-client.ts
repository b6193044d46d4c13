import { create, fromBinary, toBinary, type MessageInitShape } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import { StatusSchema, type Status } from "../../src/sessions/generated/google/rpc/status_pb.ts";
import {
  Push,
  PublishRequestSchema,
  PublishStreamResponseSchema,
  type PublishStreamResponse,
} from "../../src/sessions/generated/sluice/push/v1/push_pb.ts";

type Methods = typeof Push.method;
type UnaryName = Exclude<keyof Methods, "publishStream">;
type Output<Name extends UnaryName> = ReturnType<typeof fromBinary<Methods[Name]["output"]>>;

/** How a call ended that did not end well. */
export interface PushFailure {
  readonly code: grpc.status;
  readonly message: string;
  /** The google.rpc.Status of its trailers. */
  readonly status: Status | undefined;
}

/** A client of the push API on @grpc/grpc-js. */
export class PushClient {
  readonly #client: grpc.Client;
  readonly #metadata = new grpc.Metadata();

  constructor(address: string, metadata: Readonly<Record<string, string>>) {
    this.#client = new grpc.Client(address, grpc.credentials.createInsecure());
    for (const [name, value] of Object.entries(metadata)) this.#metadata.set(name, value);
  }

  close(): void {
    this.#client.close();
  }

  /** Makes a call; rejects with a PushFailure. */
  call<Name extends UnaryName>(
    name: Name,
    request: MessageInitShape<Methods[Name]["input"]>,
  ): Promise<Output<Name>> {
    const { input, output } = Push.method[name];
    return this.bytes(Push.method[name].name, toBinary(input, create(input, request as never))).then(
      (bytes) => fromBinary(output, bytes) as Output<Name>,
    );
  }

  /** Makes a call with bytes, whatever they are. */
  bytes(method: string, request: Uint8Array): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(
        `/${Push.typeName}/${method}`,
        (bytes: Uint8Array) => Buffer.from(bytes),
        (bytes) => bytes,
        request,
        this.#metadata,
        (error, response) => {
          if (error !== null || response === undefined) reject(failureFrom(error));
          else resolve(response);
        },
      );
    });
  }

  /** Publishes a stream, heeding its back-pressure. */
  async publishStream(
    requests: Iterable<MessageInitShape<typeof PublishRequestSchema>>,
  ): Promise<PublishStreamResponse> {
    let settle!: (answer: { error: grpc.ServiceError | null; response?: Uint8Array | undefined }) => void;
    const answered = new Promise<Parameters<typeof settle>[0]>((resolve) => (settle = resolve));
    const call = this.#client.makeClientStreamRequest(
      `/${Push.typeName}/PublishStream`,
      (bytes: Uint8Array) => Buffer.from(bytes),
      (bytes) => bytes,
      this.#metadata,
      (error, response) => settle({ error, response }),
    );
    for (const request of requests) {
      const bytes = toBinary(PublishRequestSchema, create(PublishRequestSchema, request));
      if (!call.write(bytes)) await new Promise((resolve) => call.once("drain", resolve));
    }
    call.end();
    const { error, response } = await answered;
    if (error !== null || response === undefined) throw failureFrom(error);
    return fromBinary(PublishStreamResponseSchema, response);
  }
}

function failureFrom(error: grpc.ServiceError | null): PushFailure & Error {
  const [bytes] = error?.metadata.get("grpc-status-details-bin") ?? [];
  const status = bytes instanceof Buffer ? fromBinary(StatusSchema, bytes) : undefined;
  return Object.assign(new Error(error?.details), { code: error?.code ?? grpc.status.UNKNOWN, status });
}
