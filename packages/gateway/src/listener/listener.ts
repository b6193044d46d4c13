import {
  createServer as createHttp1Server,
  type IncomingMessage,
  type Server as Http1Server,
} from "node:http";
import { createServer as createHttp2Server, type Http2Server, type ServerHttp2Session } from "node:http2";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { HttpRequest, HttpResponse } from "@sluice/rpc";
import { sniffProtocol } from "./sniff-protocol.ts";

/** What the listener hands on. */
export interface ListenerHandlers {
  /** A request of HTTP/1.1 or HTTP/2. */
  request(request: HttpRequest, response: HttpResponse): void;
  /** An HTTP/1.1 upgrade request; the handler answers on the socket. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

/** How long a client may take to say what it wants, in milliseconds; then its connection is closed. */
const firstBytesTimeout = 10_000;

/** One port for HTTP/1.1, HTTP/2 without TLS (by prior knowledge) and WebSocket. */
export class Listener {
  readonly #server: Server;
  readonly #http1: Http1Server;
  readonly #http2: Http2Server;
  readonly #sockets = new Set<Socket>();
  readonly #sessions = new Set<ServerHttp2Session>();
  #draining = false;

  constructor(handlers: ListenerHandlers) {
    // A stream from a client may take longer than any request timeout; headers have theirs.
    this.#http1 = createHttp1Server({ requestTimeout: 0 });
    this.#http1.on("request", (request, response) => {
      if (this.#draining) response.setHeader("connection", "close");
      response.on("close", () => this.#closeIdle());
      handlers.request(request, response);
    });
    this.#http1.on("upgrade", (request, socket, head) => handlers.upgrade(request, socket, head));
    this.#http2 = createHttp2Server();
    this.#http2.on("request", (request, response) => handlers.request(request, response));
    this.#http2.on("session", (session) => {
      this.#sessions.add(session);
      session.on("close", () => this.#sessions.delete(session));
      // A broken session closes; what it means for its calls, their streams say.
      session.on("error", () => undefined);
    });
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket));
  }

  /** Begins to listen; resolves with the address. Rejects with the error of `net.Server`, such as EADDRINUSE. */
  listen(host: string, port: number): Promise<AddressInfo> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, host, () => {
        this.#server.off("error", reject);
        resolve(this.#server.address() as AddressInfo);
      });
    });
  }

  /** Stops accepting, and lets every connection end with the requests that it has. Resolves when all have. */
  drain(): Promise<void> {
    this.#draining = true;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const session of this.#sessions) session.close();
    this.#closeIdle();
    return closed;
  }

  /** Ends every connection that is still open. */
  destroy(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    sniffProtocol(socket, firstBytesTimeout, (protocol) => {
      if (this.#draining) socket.destroy();
      else if (protocol === "http2") this.#http2.emit("connection", socket);
      else this.#http1.emit("connection", socket);
    });
  }

  #closeIdle(): void {
    if (this.#draining) setImmediate(() => this.#http1.closeIdleConnections());
  }
}
