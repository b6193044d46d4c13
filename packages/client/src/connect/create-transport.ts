import type {
  BinaryReadOptions,
  BinaryWriteOptions,
  JsonReadOptions,
  JsonWriteOptions,
  DescMethod,
} from "@bufbuild/protobuf";
import {
  type ContextValues,
  createContextValues,
  type Interceptor,
  type StreamRequest,
  type Transport,
  type UnaryRequest,
} from "@connectrpc/connect";
import {
  createClientMethodSerializers,
  createMethodUrl,
  runStreamingCall,
  runUnaryCall,
} from "@connectrpc/connect/protocol";
import type { CallStart } from "@sluice/protocol";
import { CallStream } from "../call-stream.ts";
import { Connection } from "../connection.ts";
import { headersFromMetadata, metadataFromHeaders } from "../headers.ts";
import type { ConnectionOptions } from "../options.ts";
import { throwConnectError } from "./connect-error.ts";
import { withFallback } from "./fallback.ts";

/** How calls of Connect-ES clients are made. */
export interface CallTransportOptions {
  /** Whether messages travel as protobuf; otherwise they are JSON. Default: true. */
  readonly useBinaryFormat?: boolean;
  /** Interceptors for all calls; the last one is applied first. Default: none. */
  readonly interceptors?: Interceptor[];
  /** For JSON. By default, unknown fields are ignored. */
  readonly jsonOptions?: Partial<JsonReadOptions & JsonWriteOptions>;
  /** For protobuf. */
  readonly binaryOptions?: Partial<BinaryReadOptions & BinaryWriteOptions>;
  /** Milliseconds that a call may take which has no `timeoutMs` of its own. Default: no limit. */
  readonly defaultTimeoutMs?: number;
  /**
   * Makes the calls where WebSockets do not get through: when an attempt has failed and none has ever succeeded. Such as
   * `createConnectTransport` or `createGrpcWebTransport` of @connectrpc/connect-web. Calls with streams of requests wait
   * for more attempts (`failFastAfter`), and then end with UNAVAILABLE, which says so. Default: none.
   */
  readonly fallback?: Transport;
}

/** The options of a transport: with a connection of its own, or on one that is there. */
export type TransportOptions = CallTransportOptions &
  (ConnectionOptions | { readonly connection: Connection });

/** A transport for clients of Connect-ES, over one WebSocket. */
export interface MultiplexTransport extends Transport {
  /** What the calls are made on. */
  readonly connection: Connection;
  /** Closes the connection; calls that are open end with UNAVAILABLE. */
  close(): void;
}

/**
 * A transport for clients of Connect-ES, with calls of all four kinds on one WebSocket, also in browsers. Throws a
 * TypeError or RangeError that names the option that is wrong. It connects at the first call.
 */
export function createTransport(options: TransportOptions): MultiplexTransport {
  const connection = "connection" in options ? options.connection : new Connection(options);
  const own = transportOn(connection, options);
  const { defaultTimeoutMs, fallback } = options;
  const transport = fallback === undefined ? own : withFallback(connection, own, fallback, defaultTimeoutMs);
  return { ...transport, connection, close: () => connection.close() };
}

function transportOn(connection: Connection, options: CallTransportOptions): Transport {
  const { useBinaryFormat = true, interceptors = [], jsonOptions, binaryOptions, defaultTimeoutMs } = options;
  const baseUrl = connection.url.replace(/^ws/, "http");
  const timeoutOf = (timeoutMs: number | undefined): number | undefined => {
    if (timeoutMs === undefined) return defaultTimeoutMs;
    // As in the other transports of Connect-ES, 0 lifts the default.
    return timeoutMs <= 0 ? undefined : timeoutMs;
  };
  const common = (method: DescMethod, header: HeadersInit | undefined, contextValues?: ContextValues) => ({
    service: method.parent,
    requestMethod: "POST",
    url: createMethodUrl(baseUrl, method),
    header: new Headers(header),
    contextValues: contextValues ?? createContextValues(),
  });
  const open = (request: UnaryRequest | StreamRequest, timeout: number | undefined): CallStream => {
    const { method, header, signal } = request;
    const start: CallStart = {
      method: `${method.parent.typeName}/${method.name}`,
      metadata: metadataFromHeaders(header),
      encoding: useBinaryFormat ? "protobuf" : "json",
      ...(timeout === undefined ? {} : { timeout }),
    };
    return new CallStream(connection, start, signal);
  };

  return {
    unary(method, signal, timeoutMs, header, message, contextValues) {
      const timeout = timeoutOf(timeoutMs);
      const { serialize, parse } = createClientMethodSerializers(
        method,
        useBinaryFormat,
        jsonOptions,
        binaryOptions,
      );
      return runUnaryCall({
        interceptors,
        ...(signal === undefined ? {} : { signal }),
        ...(timeout === undefined ? {} : { timeoutMs: timeout }),
        req: { ...common(method, header, contextValues), stream: false, method, message },
        next: async (request) => {
          // Before the call is opened, because it may throw.
          const bytes = serialize(request.message);
          const stream = open(request, timeout);
          stream.sendOnly(bytes);
          const reply = await stream.only().catch(throwConnectError);
          return {
            stream: false,
            service: request.service,
            method: request.method,
            header: headersFromMetadata(await stream.headers),
            message: parse(reply),
            trailer: headersFromMetadata(stream.trailers),
          };
        },
      });
    },
    stream(method, signal, timeoutMs, header, messages, contextValues) {
      const timeout = timeoutOf(timeoutMs);
      const { serialize, parse } = createClientMethodSerializers(
        method,
        useBinaryFormat,
        jsonOptions,
        binaryOptions,
      );
      return runStreamingCall({
        interceptors,
        ...(signal === undefined ? {} : { signal }),
        ...(timeout === undefined ? {} : { timeoutMs: timeout }),
        req: { ...common(method, header, contextValues), stream: true, method, message: messages },
        next: async (request) => {
          const stream = open(request, timeout);
          void stream.sendAll(request.message, serialize);
          const trailer = new Headers();
          return {
            stream: true,
            service: request.service,
            method: request.method,
            header: headersFromMetadata(await stream.headers.catch(throwConnectError)),
            message: replies(stream, parse, trailer),
            trailer,
          };
        },
      });
    },
  };
}

/** The replies of a call; its trailers are in `trailer` when the last one has been read. */
async function* replies<Reply>(
  stream: CallStream,
  parse: (message: Uint8Array) => Reply,
  trailer: Headers,
): AsyncGenerator<Reply, void, undefined> {
  try {
    for (;;) {
      const message = await stream.next().catch(throwConnectError);
      if (message === undefined) break;
      yield parse(message);
    }
    headersFromMetadata(stream.trailers, trailer);
  } finally {
    stream.cancel();
  }
}
