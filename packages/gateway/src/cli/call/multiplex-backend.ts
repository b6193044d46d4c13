import { createClientMultiplex, MULTIPLEX_PROTOCOL, type ClientMultiplex } from "@sluice/protocol";
import type { Backend, Call, CallListener, CallStart } from "@sluice/rpc";
import { connectWebSocket, type WebSocketConnection } from "@sluice/websocket";
import type { CallClientOptions } from "./call-client.ts";

/** All calls on one WebSocket with `sluice.v1`, which is opened at once. */
export class MultiplexBackend implements Backend {
  readonly #multiplex: ClientMultiplex;
  #connection: WebSocketConnection | undefined;
  /** What is sent before the socket is open. */
  #waiting: Uint8Array[] = [];
  #isClosed = false;

  constructor({ url, tls }: Pick<CallClientOptions, "url" | "tls">) {
    this.#multiplex = createClientMultiplex(
      {
        send: (message) => this.#send(message),
        close: (code, reason) => {
          this.#isClosed = true;
          this.#connection?.close(code, reason);
        },
      },
      { defer: setImmediate },
    );
    void this.#connect(url, tls);
  }

  open({ method, metadata, timeout }: CallStart, listener: CallListener): Call {
    const start = { method: method.path.slice(1), metadata };
    return this.#multiplex.open(timeout === undefined ? start : { ...start, timeout }, listener);
  }

  close(): Promise<void> {
    this.#multiplex.close();
    return Promise.resolve();
  }

  #send(message: Uint8Array): boolean {
    if (this.#connection !== undefined) return this.#connection.send(message);
    this.#waiting.push(message.slice());
    return false;
  }

  async #connect(url: URL, tls: CallClientOptions["tls"]): Promise<void> {
    const target = new URL("/", url);
    target.protocol = target.protocol.replace("http", "ws");
    try {
      await connectWebSocket(target, {
        protocols: [MULTIPLEX_PROTOCOL],
        ...(tls === undefined ? {} : { tls }),
        handlers: {
          open: (connection) => this.#opened(connection),
          message: (_connection, data) => this.#multiplex.receive(data),
          drain: () => this.#multiplex.drain(),
          close: (_connection, { code, reason }) => this.#multiplex.closed(code, reason),
        },
      });
    } catch (error) {
      this.#multiplex.closed(1006, error instanceof Error ? error.message : String(error));
    }
  }

  #opened(connection: WebSocketConnection): void {
    this.#connection = connection;
    if (connection.protocol !== MULTIPLEX_PROTOCOL) {
      this.#multiplex.closed(1002, `the server does not speak ${MULTIPLEX_PROTOCOL}`);
      this.#isClosed = true;
    }
    if (this.#isClosed) return connection.close();
    for (const message of this.#waiting) connection.send(message);
    this.#waiting = [];
    this.#multiplex.drain();
  }
}
