import {
  fromJson,
  toJson,
  type DescMethod,
  type DescService,
  type JsonObject,
  type Message,
  type Registry,
} from "@bufbuild/protobuf";
import type { Transport } from "@connectrpc/connect";

/** What can be called. */
export interface Callable {
  readonly services: Iterable<DescService>;
  readonly registry: Registry;
}

/** What came of a call. */
export interface Reply {
  readonly messages: readonly JsonObject[];
  readonly headers: Headers;
  readonly trailers: Headers;
}

/** What a call may have beside its messages. */
export interface CallOptions {
  readonly headers?: Record<string, string>;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Told of each message when it comes. */
  readonly onMessage?: (message: JsonObject) => void;
}

/** Makes calls with JSON objects over a transport of Connect-ES. */
export class RpcClient {
  readonly transport: Transport;
  readonly schema: Callable;

  constructor(transport: Transport, schema: Callable) {
    this.transport = transport;
    this.schema = schema;
  }

  /** A method of the echo server's services by its name, or one that no server has. */
  method(name: string): DescMethod {
    for (const service of this.schema.services) {
      const found = service.methods.find((each) => each.name === name);
      if (found !== undefined) return found;
    }
    return { ...this.method("Say"), name };
  }

  /** A message of a method's input. */
  message(name: string, json: JsonObject): Message {
    return fromJson(this.method(name).input, json, { registry: this.schema.registry });
  }

  /** Makes a call and resolves at its end; rejects with a ConnectError. */
  async call(
    name: string,
    requests: Iterable<JsonObject> | AsyncIterable<JsonObject>,
    options: CallOptions = {},
  ): Promise<Reply> {
    const method = this.method(name);
    const { signal, timeoutMs, headers, onMessage } = options;
    const messages: JsonObject[] = [];
    const take = (message: Message): void => {
      const json = toJson(method.output, message, { registry: this.schema.registry }) as JsonObject;
      messages.push(json);
      onMessage?.(json);
    };
    if (method.methodKind === "unary") {
      let message = this.message(name, {});
      for await (const request of requests) message = this.message(name, request);
      const reply = await this.transport.unary(method as never, signal, timeoutMs, headers, message);
      take(reply.message);
      return { messages, headers: reply.header, trailers: reply.trailer };
    }
    const input = this.#messages(name, requests);
    const reply = await this.transport.stream(method as never, signal, timeoutMs, headers, input as never);
    for await (const message of reply.message) take(message);
    return { messages, headers: reply.header, trailers: reply.trailer };
  }

  async *#messages(
    name: string,
    requests: Iterable<JsonObject> | AsyncIterable<JsonObject>,
  ): AsyncGenerator<Message> {
    for await (const request of requests) yield this.message(name, request);
  }
}
