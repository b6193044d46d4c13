import { Code } from "@sluice/protocol";
import {
  Heartbeat,
  type AcceptOptions,
  type HeartbeatOptions,
  type WebSocketConnection,
  type WebSocketHandlers,
} from "@sluice/websocket";
import { noMetadata } from "../call/metadata.ts";
import type { CallReport } from "../call/report.ts";
import { createStatus, type Status } from "../call/status.ts";
import { defaultMaxMessageBytes } from "../rest/rest-handler.ts";
import { defaultBodyMs } from "../wire/body-deadline.ts";
import { pathOf, reporter } from "../wire/dialect.ts";
import type { DirectorySource } from "../wire/directory.ts";
import { metadataOfSocket } from "../wire/socket-metadata.ts";
import { readSocketCredentials } from "../wire/socket-credentials.ts";
import type { WebSocketRequest } from "../wire/web-socket-request.ts";
import { GrpcWebSocketsCall } from "./grpc-websockets-call.ts";
import { maxHeaderBytes } from "./header-block.ts";

/** What the dialect of one gRPC-Web call on one WebSocket needs. */
export interface GrpcWebSocketsOptions {
  readonly methods: DirectorySource;
  /** Which pages may connect; default: those of the gateway's own origin. Other clients send no Origin. */
  readonly origin?: NonNullable<AcceptOptions["origin"]>;
  /** The largest message of a client, in bytes; default 4 MiB. */
  readonly maxMessageBytes?: number;
  /**
   * Milliseconds for the headers, and for the message of a method that takes one; default 300 000. Over it:
   * DEADLINE_EXCEEDED.
   */
  readonly bodyMs?: number;
  /** How clients are asked whether they live; default: every 25 seconds, with 20 seconds to answer. */
  readonly heartbeat?: Partial<HeartbeatOptions>;
  /** Told of each call, and of each refused handshake, when it has ended. */
  readonly report?: (report: CallReport) => void;
}

/** The subprotocol of `@improbable-eng/grpc-web` and the clients that followed it; in any case of letters. */
export const grpcWebSocketsProtocol = "grpc-websockets";

/** The dialect `grpc-websockets`: gRPC-Web on a WebSocket, all four kinds of calls, each on a socket of its own. */
export class GrpcWebSocketsDialect {
  readonly #options: GrpcWebSocketsOptions;
  readonly #limits: { readonly maxMessageBytes: number };
  readonly #calls = new Map<WebSocketConnection, GrpcWebSocketsCall>();
  readonly #handlers: WebSocketHandlers;

  constructor(options: GrpcWebSocketsOptions) {
    this.#options = options;
    // With room for the status that refuses a message which is somewhat too large.
    this.#limits = { maxMessageBytes: (options.maxMessageBytes ?? defaultMaxMessageBytes) + maxHeaderBytes };
    this.#handlers = new Heartbeat(options.heartbeat).watch({
      message: (connection, data, isBinary) => this.#calls.get(connection)?.receive(data, isBinary),
      drain: (connection) => this.#calls.get(connection)?.resume(),
      close: (connection, closed) => {
        const call = this.#calls.get(connection);
        this.#calls.delete(connection);
        call?.cancel(createStatus(Code.CANCELLED, `the client closed the WebSocket (${closed.code})`));
      },
    });
  }

  /** How many WebSockets are open. */
  get size(): number {
    return this.#calls.size;
  }

  /** Answers a request for a WebSocket whose client offers `grpc-websockets`; its path is that of the method. */
  accept(webSocket: WebSocketRequest): void {
    const { request } = webSocket;
    const { maxMessageBytes = defaultMaxMessageBytes, bodyMs = defaultBodyMs, origin } = this.#options;
    const report = reporter(this.#options, "grpc-websockets", request);
    const connection = webSocket.accept({
      handlers: this.#handlers,
      protocols: (offered) => offered.find((each) => each.toLowerCase() === grpcWebSocketsProtocol),
      limits: this.#limits,
      ...(origin === undefined ? {} : { origin }),
      refused: ({ status, message }) =>
        report(createStatus(status === 403 ? Code.PERMISSION_DENIED : Code.INVALID_ARGUMENT, message)),
    });
    if (connection === undefined) return;
    const credentials = readSocketCredentials(request);
    const found = this.#options.methods().find(pathOf(request));
    // What is wrong is told in the way in which the client can read it: as the status of a call.
    const call = new GrpcWebSocketsCall(connection, {
      entry: "code" in credentials ? credentials : found,
      metadata: "code" in credentials ? noMetadata : metadataOfSocket(request, credentials),
      maxMessageBytes,
      bodyMs,
      report: (status) => report(status, "code" in found ? undefined : found.method),
    });
    this.#calls.set(connection, call);
  }

  /** Ends every call with a status, and closes its WebSocket. */
  endAll(status: Status): void {
    for (const call of this.#calls.values()) call.cancel(status);
  }
}
