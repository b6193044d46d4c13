import { Code } from "@sluice/protocol";
import type { Backend, Call, CallListener } from "../call/call.ts";
import type { Metadata } from "../call/metadata.ts";
import { noMetadata } from "../call/metadata.ts";
import { createStatus, type Status } from "../call/status.ts";
import { RpcError } from "../error.ts";
import type { RequestBody, Transcoder, UrlFields } from "./transcoder.ts";

/** What a JSON wire is told of its call. In order: `headers` at most once, `message`s, `end` once and last. */
export interface JsonCallListener<Reply> {
  headers(metadata: Metadata): void;
  /** One response message, as `JsonCallStart.read` makes it. */
  message(reply: Reply): void;
  /** After a `write` that answered false: there is room again. */
  drain(): void;
  end(status: Status, trailers: Metadata): void;
}

/** What a JSON wire knows of its call when it begins. */
export interface JsonCallStart<Reply> {
  readonly transcoder: Transcoder;
  readonly backend: Backend;
  /** Makes a reply of a response message; throws RpcError for one that cannot be read. */
  readonly read: (bytes: Uint8Array) => Reply;
  readonly url: UrlFields;
  readonly metadata: Metadata;
  /** Milliseconds; see `CallStart.timeout`. */
  readonly timeout?: number;
}

/**
 * A Call whose requests are JSON texts or other bodies: what the JSON dialects have in common.
 *
 * A method that takes one message is called when that message is there; one that takes a stream at once. What
 * cannot be transcoded ends the call: a request with INVALID_ARGUMENT, a response with INTERNAL.
 */
export class JsonCall<Reply> implements CallListener {
  readonly #start: JsonCallStart<Reply>;
  readonly #listener: JsonCallListener<Reply>;
  readonly #streamed: boolean;
  #call: Call | undefined;
  #paused = false;
  #ended = false;

  constructor(start: JsonCallStart<Reply>, listener: JsonCallListener<Reply>) {
    this.#start = start;
    this.#listener = listener;
    const { kind } = start.transcoder.binding.method;
    this.#streamed = kind === "client_streaming" || kind === "bidi_streaming";
    if (this.#streamed) this.#open();
  }

  /** Whether the method takes a stream of messages. */
  get streamed(): boolean {
    return this.#streamed;
  }

  /** Sends the message of one body, or of none (undefined). Answers whether to go on, as `Call.send`. */
  write(body: RequestBody | undefined): boolean {
    if (this.#ended) return true;
    if (!this.#streamed && this.#call !== undefined) {
      this.cancel(
        createStatus(
          Code.INVALID_ARGUMENT,
          `${this.#start.transcoder.binding.method.path} takes one message only`,
        ),
      );
      return true;
    }
    let bytes: Uint8Array;
    try {
      bytes = this.#start.transcoder.requestFrom(body, this.#start.url, this.#streamed);
    } catch (error) {
      this.cancel(statusFromError(error, Code.INVALID_ARGUMENT));
      return true;
    }
    const call = this.#call ?? this.#open();
    const goOn = call.send(bytes);
    if (!this.#streamed) call.halfClose();
    return goOn;
  }

  /** No further JSON follows. A method that takes one message and got none is called with what the URL says. */
  halfClose(): void {
    if (this.#ended) return;
    if (this.#streamed) this.#call?.halfClose();
    else if (this.#call === undefined) this.write(undefined);
  }

  cancel(status: Status = createStatus(Code.CANCELLED, "the client cancelled the call")): void {
    if (this.#ended) return;
    if (this.#call === undefined) this.end(status, noMetadata);
    else this.#call.cancel(status);
  }

  pause(): void {
    this.#paused = true;
    this.#call?.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#call?.resume();
  }

  headers(metadata: Metadata): void {
    this.#listener.headers(metadata);
  }

  message(bytes: Uint8Array): void {
    let reply: Reply;
    try {
      reply = this.#start.read(bytes);
    } catch (error) {
      this.cancel(statusFromError(error, Code.INTERNAL));
      return;
    }
    this.#listener.message(reply);
  }

  drain(): void {
    this.#listener.drain();
  }

  end(status: Status, trailers: Metadata): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#listener.end(status, trailers);
  }

  #open(): Call {
    const { backend, metadata, timeout, transcoder } = this.#start;
    const start = {
      method: transcoder.binding.method,
      metadata,
      ...(timeout === undefined ? {} : { timeout }),
    };
    this.#call = backend.open(start, this);
    if (this.#paused) this.#call.pause();
    return this.#call;
  }
}

/** The status of an error on the way between JSON and protobuf; one that nobody expected is INTERNAL. */
export function statusFromError(error: unknown, code: Code): Status {
  if (!(error instanceof RpcError)) {
    return { code: Code.INTERNAL, message: "the gateway failed at this message", cause: error };
  }
  return createStatus(error.code === "message_too_large" ? Code.RESOURCE_EXHAUSTED : code, error.message);
}
