import { setImmediate as turn } from "node:timers/promises";
import { fromBinary, fromJson, toBinary, toJson, type JsonObject } from "@bufbuild/protobuf";
import {
  createClientMultiplex,
  MULTIPLEX_PROTOCOL,
  noMetadata,
  type Call,
  type CallListener,
  type CallStart,
  type ClientMultiplex,
  type Metadata,
  type MultiplexLimits,
  type Status,
} from "@sluice/protocol";
import type { Schema } from "@sluice/rpc";
import { connectWebSocket, type WebSocketConnection, type WebSocketHandlers } from "@sluice/websocket";

/** How a client connects. */
export interface MultiplexClientOptions {
  readonly limits?: Partial<MultiplexLimits>;
  readonly headers?: Record<string, string>;
  readonly goAway?: (reason: string) => void;
  /** Opens the WebSocket; default: over HTTP/1.1. */
  readonly connect?: (handlers: WebSocketHandlers) => Promise<WebSocketConnection>;
}

/** What came of a call. */
export interface MultiplexReply {
  readonly status: Status;
  readonly headers: Metadata | undefined;
  readonly trailers: Metadata;
  readonly messages: readonly JsonObject[];
}

/** A call that is open, of which a test sees everything. */
export class OpenCall implements CallListener {
  readonly messages: Uint8Array[] = [];
  readonly ended: Promise<Status>;
  headersSeen: Metadata | undefined;
  trailers: Metadata = noMetadata;
  onMessage: ((bytes: Uint8Array) => void) | undefined;
  onDrain: (() => void) | undefined;
  #end: ((status: Status) => void) | undefined;
  #call: Call | undefined;

  constructor() {
    this.ended = new Promise((resolve) => (this.#end = resolve));
  }

  get call(): Call {
    if (this.#call === undefined) throw new Error("the call is not open");
    return this.#call;
  }

  opened(call: Call): this {
    this.#call = call;
    return this;
  }

  headers(metadata: Metadata): void {
    this.headersSeen = metadata;
  }

  message(bytes: Uint8Array): void {
    if (this.onMessage === undefined) this.messages.push(bytes.slice());
    else this.onMessage(bytes);
  }

  drain(): void {
    this.onDrain?.();
  }

  end(status: Status, trailers: Metadata): void {
    this.trailers = trailers;
    this.#end?.(status);
  }
}

/** The client's side of `sluice.v1` on a real socket. */
export class MultiplexClient {
  readonly connection: WebSocketConnection;
  readonly multiplex: ClientMultiplex;
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;

  private constructor(
    connection: WebSocketConnection,
    multiplex: ClientMultiplex,
    closed: MultiplexClient["closed"],
  ) {
    this.connection = connection;
    this.multiplex = multiplex;
    this.closed = closed;
  }

  static async connect(url: string, options: MultiplexClientOptions = {}): Promise<MultiplexClient> {
    const { limits = {}, headers = {}, goAway } = options;
    let multiplex: ClientMultiplex | undefined;
    let tellClosed: ((closed: { code: number; reason: string }) => void) | undefined;
    const closed: MultiplexClient["closed"] = new Promise((resolve) => (tellClosed = resolve));
    const handlers: WebSocketHandlers = {
      open(connection) {
        multiplex = createClientMultiplex(connection, {
          limits,
          defer: setImmediate,
          ...(goAway === undefined ? {} : { goAway }),
        });
      },
      message: (_connection, data) => multiplex?.receive(data),
      drain: () => multiplex?.drain(),
      close: (_connection, { code, reason }) => {
        multiplex?.closed(code, reason);
        tellClosed?.({ code, reason });
      },
    };
    const connection = await (options.connect?.(handlers) ??
      connectWebSocket(url, { handlers, headers, protocols: [MULTIPLEX_PROTOCOL] }));
    if (multiplex === undefined) throw new Error("the WebSocket did not open");
    return new MultiplexClient(connection, multiplex, closed);
  }

  /** Opens a call; messages are what its encoding says. */
  open(start: CallStart): OpenCall {
    const open = new OpenCall();
    return open.opened(this.multiplex.open(start, open));
  }

  /** Makes a whole call with JSON objects, on the wire as JSON or, with a schema, as protobuf. */
  async call(
    start: CallStart,
    requests: readonly JsonObject[],
    { schema }: { readonly schema?: Schema } = {},
  ): Promise<MultiplexReply> {
    const method = schema?.methods.get(`/${start.method}`);
    const registry = schema?.registry;
    const open = this.open({ ...start, encoding: method === undefined ? "json" : "protobuf" });
    for (const request of requests) {
      const bytes =
        method === undefined || registry === undefined
          ? Buffer.from(JSON.stringify(request))
          : toBinary(method.input, fromJson(method.input, request, { registry }));
      open.call.send(bytes);
    }
    open.call.halfClose();
    const status = await open.ended;
    const messages = open.messages.map((bytes) =>
      method === undefined || registry === undefined
        ? (JSON.parse(Buffer.from(bytes).toString("utf8")) as JsonObject)
        : (toJson(method.output, fromBinary(method.output, bytes), { registry }) as JsonObject),
    );
    return { status, headers: open.headersSeen, trailers: open.trailers, messages };
  }

  close(): Promise<unknown> {
    this.multiplex.close();
    return this.closed;
  }
}

/** Resolves once a condition holds, which is asked once a turn of the event loop. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const end = performance.now() + 5000;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`${what}: this did not happen within 5 s`);
    await turn();
  }
}
