import { Code } from "@sluice/protocol";
import { createCodec, createStatus, parseJson, RpcError, type Backend, type Schema } from "@sluice/rpc";
import type { CallClient, ClientCall, ClientCallListener, ClientCallStart } from "./call-client.ts";

/** A client whose messages are protobuf bytes: JSON on this side, any backend on the other. */
export class BackendClient implements CallClient {
  readonly #backend: Backend;
  readonly #schema: Schema;

  constructor(backend: Backend, schema: Schema) {
    this.#backend = backend;
    this.#schema = schema;
  }

  open(start: ClientCallStart, listener: ClientCallListener): ClientCall {
    const { registry } = this.#schema;
    const input = createCodec(start.method.input, { registry, strict: true });
    const output = createCodec(start.method.output, { registry });
    const call = this.#backend.open(start, {
      headers: (metadata) => listener.headers(metadata),
      message: (bytes) => listener.message(output.jsonFromBytes(bytes)),
      drain: () => undefined,
      end: (status, trailers) => listener.end(status, trailers),
    });
    return {
      send: (json) => {
        try {
          call.send(input.bytesFromJson(parseJson(json)));
        } catch (error) {
          if (!(error instanceof RpcError)) throw error;
          call.cancel(createStatus(Code.INVALID_ARGUMENT, error.message));
        }
      },
      halfClose: () => call.halfClose(),
      cancel: () => call.cancel(),
    };
  }

  close(): Promise<void> {
    return this.#backend.close(0);
  }
}
