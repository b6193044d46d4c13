import { MULTIPLEX_PROTOCOL } from "@sluice/protocol";
import {
  MultiplexDialect,
  RestWebSocketDialect,
  type MultiplexOptions,
  type MultiplexSocketLimits,
  type RestWebSocketOptions,
  type WebSocketRequest,
} from "@sluice/rpc";

/** What the dialects on WebSockets need. */
export interface WebSocketsOptions extends RestWebSocketOptions, Omit<MultiplexOptions, "limits"> {
  readonly multiplex?: MultiplexSocketLimits;
}

/** The dialects on WebSockets: which one it is, the client says with the subprotocols that it offers. */
export class WebSockets {
  readonly #rest: RestWebSocketDialect;
  readonly #multiplex: MultiplexDialect;

  constructor({ multiplex, ...options }: WebSocketsOptions) {
    this.#rest = new RestWebSocketDialect(options);
    this.#multiplex = new MultiplexDialect({
      ...options,
      ...(multiplex === undefined ? {} : { limits: multiplex }),
    });
  }

  /** How many WebSockets are open. */
  get size(): number {
    return this.#rest.size + this.#multiplex.size;
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
    else this.#rest.accept(webSocket);
  }

  /** Takes no more calls where a socket carries many; those sockets close when their last call has ended. */
  goAway(): void {
    this.#multiplex.goAway();
  }

  /** Closes every WebSocket with 1001, and cancels their calls. */
  closeAll(reason: string): void {
    this.#rest.closeAll(reason);
    this.#multiplex.closeAll(reason);
  }
}
