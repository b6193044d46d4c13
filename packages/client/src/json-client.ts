import { type CallStart, Code, type Metadata } from "@sluice/protocol";
import { CallError } from "./call-error.ts";
import { CallStream } from "./call-stream.ts";
import { Connection } from "./connection.ts";
import { metadataFromHeaders } from "./headers.ts";
import type { ConnectionOptions } from "./options.ts";

/** What a call may have beside its messages. */
export interface CallOptions {
  /** Request headers, such as `authorization`. Values of names that end in `-bin` are base64. */
  readonly headers?: HeadersInit;
  /** Milliseconds that the call may take. Default: no limit. Over it: DEADLINE_EXCEEDED, here and at the server. */
  readonly timeoutMs?: number;
  /** Aborting it ends the call with CANCELLED, here and at the server. */
  readonly signal?: AbortSignal;
  /** Is told the response's headers. */
  readonly onHeader?: (headers: Metadata) => void;
  /** Is told the response's trailers, of a call that ended with OK. Of others, they are in the error. */
  readonly onTrailer?: (trailers: Metadata) => void;
}

/**
 * A call with any number of replies, in the order in which they came. Iterating ends when the call has ended with OK,
 * and throws a `CallError` otherwise; leaving the loop cancels the call. While nobody asks for the next reply, the
 * server is held up.
 */
export interface JsonStream<Reply, Request = unknown> extends AsyncIterableIterator<Reply, undefined> {
  /**
   * Sends a request. Resolves when there is room for the next: true, or false where the call has ended meanwhile. Rejects
   * with an Error after `end`, and where the call was made with its only request.
   */
  send(request: Request): Promise<boolean>;
  /** Says that no further request follows. */
  end(): void;
  /** Ends the call, with CANCELLED. */
  cancel(): void;
  return(): Promise<IteratorReturnResult<undefined>>;
}

/** Calls methods by their names, with JSON as protobuf has it, without generated code. */
export interface JsonClient {
  /**
   * Makes a call that has one reply. `method` is `package.Service/Method`. `request` is one, or where the method is
   * client-streaming, an async iterable of them, which is asked for the next when there is room.
   * Rejects with a `CallError`, or with what the iterable threw.
   */
  call<Reply = unknown, Request = unknown>(
    method: string,
    request: Request | AsyncIterable<Request>,
    options?: CallOptions,
  ): Promise<Reply>;
  /**
   * Makes a call that has any number of replies. `request` is one, or an async iterable of them; without it, requests
   * are sent with `send` until `end`.
   */
  stream<Reply = unknown, Request = unknown>(
    method: string,
    request?: Request | AsyncIterable<Request>,
    options?: CallOptions,
  ): JsonStream<Reply, Request>;
  /** What the calls are made on. */
  readonly connection: Connection;
  /** Closes the connection; calls that are open end with UNAVAILABLE. */
  close(): void;
}

const encoder = /* @__PURE__ */ new TextEncoder();
const decoder = /* @__PURE__ */ new TextDecoder();

/** A client for calls with JSON: with a connection of its own, or on one that is there. */
export function createJsonClient(
  options: ConnectionOptions | { readonly connection: Connection },
): JsonClient {
  const connection = "connection" in options ? options.connection : new Connection(options);
  return {
    connection,
    close: () => connection.close(),
    async call<Reply>(method: string, request: unknown, callOptions: CallOptions = {}): Promise<Reply> {
      const stream = open(connection, method, request ?? {}, callOptions);
      // What a method answers is in its schema; its type is the caller's word.
      const reply = decode(stream, await stream.only()) as Reply;
      callOptions.onTrailer?.(stream.trailers);
      return reply;
    },
    stream<Reply, Request>(method: string, request?: unknown, callOptions: CallOptions = {}) {
      return jsonStream<Reply, Request>(open(connection, method, request, callOptions), callOptions);
    },
  };
}

function open(connection: Connection, method: string, request: unknown, options: CallOptions): CallStream {
  const { timeoutMs, headers, signal, onHeader } = options;
  const start: CallStart = {
    method: method.replace(/^\//, ""),
    metadata: metadataFromHeaders(headers),
    encoding: "json",
    ...(timeoutMs === undefined ? {} : { timeout: timeoutMs }),
  };
  const requests = isAsyncIterable(request) ? request : undefined;
  // Before the call is opened, because it may throw.
  const only = requests === undefined && request !== undefined ? encode(request) : undefined;
  const stream = new CallStream(connection, start, signal);
  if (onHeader !== undefined) stream.headers.then(onHeader, () => {});
  if (requests !== undefined) void stream.sendAll(requests, encode);
  else if (only !== undefined) stream.sendOnly(only);
  return stream;
}

function jsonStream<Reply, Request>(
  stream: CallStream,
  { onTrailer }: CallOptions,
): JsonStream<Reply, Request> {
  return {
    send: async (request) => stream.send(encode(request)),
    end: () => stream.halfClose(),
    cancel: () => stream.cancel(),
    async next() {
      const message = await stream.next();
      if (message !== undefined) return { done: false, value: decode(stream, message) as Reply };
      onTrailer?.(stream.trailers);
      return { done: true, value: undefined };
    },
    return() {
      stream.cancel();
      return Promise.resolve({ done: true, value: undefined });
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}

function encode(request: unknown): Uint8Array {
  return encoder.encode(JSON.stringify(request));
}

function decode(stream: CallStream, message: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(message));
  } catch (error) {
    const text = `the server answered what is no JSON: ${String(error)}`;
    const failure = new CallError({ code: Code.INTERNAL, message: text }, undefined, error);
    stream.fail(failure);
    throw failure;
  }
}
