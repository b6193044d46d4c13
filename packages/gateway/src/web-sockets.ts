import { MULTIPLEX_PROTOCOL } from "@sluice/protocol";
import {
  GrpcWebSocketsDialect,
  grpcWebSocketsProtocol,
  MultiplexDialect,
  RestWebSocketDialect,
  type GrpcWebSocketsOptions,
  type MultiplexOptions,
  type MultiplexSocketLimits,
  type RestWebSocketOptions,
  type Status,
  type WebSocketRequest,
} from "@sluice/rpc";

/** What the dialects on WebSockets need. */
export interface WebSocketsOptions
  extends RestWebSocketOptions, GrpcWebSocketsOptions, Omit<MultiplexOptions, "limits"> {
  readonly multiplex?: MultiplexSocketLimits;
}

/** The dialects on WebSockets: which one it is, the client says with the subprotocols that it offers. */
export class WebSockets {
  readonly #rest: RestWebSocketDialect;
  readonly #grpc: GrpcWebSocketsDialect;
  readonly #multiplex: MultiplexDialect;

  constructor({ multiplex, ...options }: WebSocketsOptions) {
    this.#rest = new RestWebSocketDialect(options);
    this.#grpc = new GrpcWebSocketsDialect(options);
    this.#multiplex = new MultiplexDialect({
      ...options,
      ...(multiplex === undefined ? {} : { limits: multiplex }),
    });
  }

  /** How many WebSockets are open. */
  get size(): number {
    return this.#rest.size + this.#grpc.size + this.#multiplex.size;
  }

  /** How many calls are open on those that carry many. */
  get multiplexCalls(): number {
    return this.#multiplex.calls;
  }

  /** Answers a request for a WebSocket. */
  accept(webSocket: WebSocketRequest): void {
    const offered = webSocket.request.headers["sec-websocket-protocol"] ?? "";
    const protocols = offered.split(",").map((each) => each.trim());
    if (protocols.includes(MULTIPLEX_PROTOCOL)) this.#multiplex.accept(webSocket);
    else if (protocols.some((each) => each.toLowerCase() === grpcWebSocketsProtocol))
      this.#grpc.accept(webSocket);
    else this.#rest.accept(webSocket);
  }

  /** Takes no more calls where a socket carries many; those sockets close when their last call has ended. */
  goAway(): void {
    this.#multiplex.goAway();
  }

  /** Ends every call with `status`, or cancels it, and closes every WebSocket. */
  closeAll(status: Status): void {
    this.#rest.closeAll(status.message);
    this.#grpc.endAll(status);
    this.#multiplex.closeAll(status.message);
  }
}
