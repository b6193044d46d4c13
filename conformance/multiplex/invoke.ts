import { setTimeout as wait } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { anyUnpack, type Any } from "@bufbuild/protobuf/wkt";
import type { DescMessage, DescMethod, DescService, Message, Registry } from "@bufbuild/protobuf";
import { type CallOptions, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import type { ClientCompatRequest, ClientResponseResult, Header, Reply } from "./types.ts";

const FULL_DUPLEX = 5;

/** A method of a client of Connect-ES, of any kind. */
type Invoke = (
  request: Message | AsyncIterable<Message> | undefined,
  options: CallOptions,
) => Promise<Reply> | AsyncIterable<Reply>;

/** Makes the call that the suite asks for, and answers what came of it. Rejects where there is no such call. */
export async function invoke(
  transport: Transport,
  service: DescService,
  request: ClientCompatRequest,
  registry: Registry,
): Promise<ClientResponseResult> {
  const method = service.methods.find(({ name }) => name === request.method);
  const payloadType = registry.getMessage("connectrpc.conformance.v1.ConformancePayload");
  if (payloadType === undefined) throw new Error("ConformancePayload is not in the suite's protos");
  const messages = request.requestMessages.map((any) => unpack(any, registry));
  const client = createClient(service, transport) as Record<string, Invoke | undefined>;
  const invokeMethod = client[method?.localName ?? ""];
  if (method === undefined || invokeMethod === undefined) {
    throw new Error(`${service.typeName} has no method ${request.method}`);
  }
  const call = new Call(invokeMethod, method, request, messages, payloadType);
  await call.run();
  return call.result;
}

function unpack(any: Any, registry: Registry): Message {
  const message = anyUnpack(any, registry);
  if (message === undefined) throw new Error(`${any.typeUrl} is not in the suite's protos`);
  return message;
}

/** One call, and what is told of it. */
class Call {
  readonly result: ClientResponseResult = {
    responseHeaders: [],
    payloads: [],
    responseTrailers: [],
    numUnsentRequests: 0,
  };
  readonly #invoke: Invoke;
  readonly #method: DescMethod;
  readonly #request: ClientCompatRequest;
  readonly #messages: readonly Message[];
  readonly #controller = new AbortController();
  readonly #headers: Headers;
  readonly #payloadType: DescMessage;
  /** Told when a reply has come, or none comes any more. */
  #replied: () => void = () => {};
  #isOver = false;

  constructor(
    client: Invoke,
    method: DescMethod,
    request: ClientCompatRequest,
    messages: readonly Message[],
    payloadType: DescMessage,
  ) {
    this.#payloadType = payloadType;
    this.#invoke = client;
    this.#method = method;
    this.#request = request;
    this.#messages = messages;
    this.#headers = new Headers();
    for (const { name, value } of request.requestHeaders)
      for (const each of value) this.#headers.append(name, each);
  }

  /** Makes the call as an application does, and resolves at its end. */
  async run(): Promise<void> {
    const { methodKind } = this.#method;
    const { cancel, requestDelayMs } = this.#request;
    const isStream = methodKind === "client_streaming" || methodKind === "bidi_streaming";
    const [only] = this.#messages;
    if (!isStream && (only === undefined || this.#messages.length !== 1)) {
      throw new Error(`${this.#method.name} takes one message`);
    }
    if (!isStream) await wait(requestDelayMs);
    try {
      const reply = this.#invoke(isStream ? this.#sendAll() : only, {
        signal: this.#controller.signal,
        headers: this.#headers,
        ...(this.#request.timeoutMs === undefined ? {} : { timeoutMs: this.#request.timeoutMs }),
        onHeader: (headers) => (this.result.responseHeaders = headersOf(headers)),
        onTrailer: (trailers) => (this.result.responseTrailers = headersOf(trailers)),
      });
      if (!isStream) void this.#cancelAfterSending();
      if (!(Symbol.asyncIterator in reply)) this.#take(await reply);
      else {
        for await (const each of reply) {
          this.#take(each);
          const timing = cancel?.cancelTiming;
          if (timing?.case === "afterNumResponses" && this.result.payloads.length === timing.value) {
            this.#controller.abort();
          }
          this.#replied();
        }
      }
    } catch (error) {
      this.#fail(error);
      // An error that comes without messages does not tell headers and trailers apart.
      if (this.result.responseHeaders.length === 0)
        this.result.responseHeaders = this.result.responseTrailers;
    }
    this.#isOver = true;
    this.#replied();
  }

  async *#sendAll(): AsyncGenerator<Message> {
    const { cancel, requestDelayMs, streamType } = this.#request;
    this.result.numUnsentRequests = this.#messages.length;
    for (const message of this.#messages) {
      await wait(requestDelayMs);
      if (this.#isOver) return;
      const replied = new Promise<void>((resolve) => (this.#replied = resolve));
      this.result.numUnsentRequests--;
      yield message;
      if (streamType === FULL_DUPLEX) await replied;
    }
    if (cancel?.cancelTiming.case === "beforeCloseSend") {
      this.#controller.abort();
      return;
    }
    void this.#cancelAfterSending();
  }

  async #cancelAfterSending(): Promise<void> {
    const { cancel } = this.#request;
    if (cancel === undefined || cancel.cancelTiming.case === "afterNumResponses") return;
    await wait(cancel.cancelTiming.case === "afterCloseSendMs" ? cancel.cancelTiming.value : 0);
    this.#controller.abort();
  }

  #take({ payload }: Reply): void {
    this.result.payloads.push(payload ?? create(this.#payloadType));
  }

  #fail(reason: unknown): void {
    const error = ConnectError.from(reason);
    const details = error.details.map((detail) => {
      if (!("type" in detail)) throw new TypeError("a detail that did not come from a server");
      return { typeUrl: `type.googleapis.com/${detail.type}`, value: detail.value };
    });
    this.result.error = { code: error.code, message: error.rawMessage, details };
    this.result.responseTrailers = headersOf(error.metadata);
  }
}

function headersOf(headers: Headers): Header[] {
  return [...headers].map(([name, value]) => ({ name, value: value.split(", ") }));
}
