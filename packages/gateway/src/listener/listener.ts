import {
  createServer as createHttp1Server,
  type IncomingMessage,
  type Server as Http1Server,
} from "node:http";
import {
  createServer as createHttp2Server,
  type Http2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from "node:http2";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import {
  webSocketRequestFromConnect,
  webSocketRequestFromUpgrade,
  type HttpRequest,
  type HttpResponse,
  type WebSocketRequest,
} from "@sluice/rpc";
import { isHttp2WebSocket } from "@sluice/websocket";
import { AddressCounts } from "./address-counts.ts";
import { Http2Sessions } from "./http2-sessions.ts";
import { defaultListenerLimits, type ListenerLimits } from "./limits.ts";
import { OpenResponses } from "./open-responses.ts";
import { Pipeline } from "./pipeline.ts";
import { sniffProtocol } from "./sniff-protocol.ts";
import { TlsAcceptor, type ListenerTls } from "./tls-acceptor.ts";
import { asksForWebSocket, headWithoutUpgrade } from "./without-upgrade.ts";

/** What the listener hands on. */
export interface ListenerHandlers {
  /** A request of HTTP/1.1 or HTTP/2. */
  request(request: HttpRequest, response: HttpResponse): void;
  /** A request for a WebSocket, over HTTP/1.1 or HTTP/2. */
  webSocket(request: WebSocketRequest): void;
  /** A handler has thrown, and its request was answered with 500; or no connection could be accepted. */
  failed(error: unknown): void;
  /** A connection was closed at once, because its address has too many. */
  refused(address: string): void;
}

/** What a listener has open. */
export interface ListenerCounts {
  /** Connections, WebSockets among them. */
  readonly connections: number;
  /** Requests of HTTP that were not answered in full, or whose answer was not read in full. */
  readonly requests: number;
}

/** How long a connection is silent before TCP asks whether its peer is still there, in milliseconds. */
const tcpKeepAliveMs = 30_000;

/** How much of one HTTP/2 request may be under way, and of all of a connection together, in bytes. */
const streamWindowBytes = 256 * 1024;
const connectionWindowBytes = 4 * 1024 * 1024;

/** How many megabytes Node may hold for one HTTP/2 connection before it refuses further requests on it. */
const maxSessionMemory = 64;

/** One port for HTTP/1.1, HTTP/2 and WebSocket: with TLS, or without it and HTTP/2 by prior knowledge. */
export class Listener {
  readonly #handlers: ListenerHandlers;
  readonly #limits: ListenerLimits;
  readonly #server: Server;
  readonly #http1: Http1Server;
  readonly #http2: Http2Server;
  readonly #sockets = new Set<Socket>();
  /** Those of the sockets that have not said what they speak. */
  readonly #silent = new Set<Socket>();
  readonly #sessions = new Http2Sessions();
  readonly #responses = new OpenResponses();
  readonly #addresses: AddressCounts;
  /** Undefined: connections have no TLS. */
  readonly #tls: TlsAcceptor | undefined;
  #sweep: NodeJS.Timeout | undefined;
  #draining = false;

  /** With `tls` it speaks TLS; throws OpenSSL's error where certificate and key are none. */
  constructor(handlers: ListenerHandlers, limits: Partial<ListenerLimits> = {}, tls?: ListenerTls) {
    this.#handlers = handlers;
    this.#limits = { ...defaultListenerLimits, ...limits };
    const { headMs, maxPipelined, maxStreams, maxConnectionsPerAddress, maxHeaderBytes } = this.#limits;
    this.#tls = tls === undefined ? undefined : new TlsAcceptor(tls, this.#limits.firstBytesMs);
    this.#addresses = new AddressCounts(maxConnectionsPerAddress);
    this.#http1 = createHttp1Server({
      // A stream from a client may take longer than any request timeout; heads have theirs.
      requestTimeout: 0,
      maxHeaderSize: maxHeaderBytes,
      headersTimeout: headMs,
      connectionsCheckingInterval: headMs / 2,
    });
    const pipeline = new Pipeline(maxPipelined);
    this.#http1.on("request", (request, response) => {
      pipeline.inTurn(request, response, () => {
        if (this.#draining) response.setHeader("connection", "close");
        response.on("close", () => this.#closeIdle());
        this.#request(request, response);
      });
    });
    this.#http1.on("upgrade", (request, socket, head) => this.#upgrade(request, socket, head));
    // It never listens itself, but only then begins to look at the time.
    this.#http1.emit("listening");
    this.#http2 = createHttp2Server({
      maxSessionMemory,
      // Bytes are the limit, not how many headers they make.
      maxHeaderListPairs: Math.ceil(maxHeaderBytes / 32),
      // More than a backend may answer, with what the dialects add; Node would end the whole connection.
      maxSendHeaderBlockLength: 3 * maxHeaderBytes + 16_384,
      settings: {
        maxConcurrentStreams: maxStreams,
        initialWindowSize: streamWindowBytes,
        maxHeaderListSize: maxHeaderBytes,
        enableConnectProtocol: true,
      },
    });
    this.#http2.on("request", (request, response) => {
      this.#sessions.addStream(request.stream);
      this.#request(request, response);
    });
    this.#http2.on("connect", (request, response) => this.#connect(request, response));
    this.#http2.on("session", (session) => {
      this.#sessions.add(session);
      session.setLocalWindowSize(connectionWindowBytes);
    });
    const tcp = { noDelay: true, keepAlive: true, keepAliveInitialDelay: tcpKeepAliveMs };
    this.#server = createServer(tcp, (socket) => this.#accept(socket));
  }

  /** What is open at this moment. */
  get counts(): ListenerCounts {
    return { connections: this.#sockets.size, requests: this.#responses.size };
  }

  /** Begins to listen; resolves with the address. Rejects with the error of `net.Server`, such as EADDRINUSE. */
  listen(host: string, port: number): Promise<AddressInfo> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, host, () => {
        this.#server.off("error", reject);
        this.#server.on("error", (error) => this.#handlers.failed(error));
        this.#sweepRegularly();
        resolve(this.#server.address() as AddressInfo);
      });
    });
  }

  /** Shows another certificate to the next connections; throws as the constructor, and goes on as before. */
  renewCertificate(tls: ListenerTls): void {
    this.#tls?.renew(tls);
  }

  /** Stops accepting, and lets every connection end with the requests that it has. Resolves when all have. */
  drain(): Promise<void> {
    this.#draining = true;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#silent) socket.destroy();
    this.#sessions.close();
    this.#closeIdle();
    return closed;
  }

  /** Ends every connection that is still open. */
  destroy(): void {
    clearInterval(this.#sweep);
    this.#http1.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #accept(socket: Socket): void {
    // A connection that is gone again has none.
    const address = socket.remoteAddress ?? "";
    if (!this.#addresses.take(address)) {
      socket.destroy();
      this.#handlers.refused(address);
      return;
    }
    this.#sockets.add(socket);
    this.#silent.add(socket);
    socket.on("close", () => {
      this.#addresses.leave(address);
      this.#sockets.delete(socket);
      this.#silent.delete(socket);
    });
    const found = (protocol: "http1" | "http2", ready: Socket): void => {
      this.#silent.delete(socket);
      (protocol === "http2" ? this.#http2 : this.#http1).emit("connection", ready);
    };
    if (this.#tls === undefined)
      sniffProtocol(socket, this.#limits.firstBytesMs, (protocol) => found(protocol, socket));
    else this.#tls.accept(socket, found);
  }

  #request(request: HttpRequest, response: HttpResponse): void {
    this.#responses.add(response);
    try {
      this.#handlers.request(request, response);
    } catch (error) {
      this.#handlers.failed(error);
      if (response.headersSent) {
        response.destroy();
      } else {
        response.statusCode = 500;
        response.end();
      }
    }
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (!asksForWebSocket(request)) {
      socket.unshift(Buffer.concat([headWithoutUpgrade(request), head]));
      this.#http1.emit("connection", socket);
      return;
    }
    try {
      this.#handlers.webSocket(webSocketRequestFromUpgrade(request, socket, head));
    } catch (error) {
      this.#handlers.failed(error);
      socket.destroy();
    }
  }

  #connect(request: Http2ServerRequest, response: Http2ServerResponse): void {
    const { stream } = request;
    this.#sessions.addStream(stream);
    if (!isHttp2WebSocket(request.headers)) {
      response.writeHead(405).end();
      return;
    }
    try {
      this.#handlers.webSocket(webSocketRequestFromConnect(request));
    } catch (error) {
      this.#handlers.failed(error);
      stream.destroy();
    }
  }

  #sweepRegularly(): void {
    const { aliveMs, idleMs, stallMs } = this.#limits;
    const every = Math.min(aliveMs, idleMs, stallMs) / 4;
    if (every === Infinity) return;
    this.#sweep = setInterval(() => {
      const now = performance.now();
      this.#sessions.endDead(now, aliveMs);
      this.#sessions.closeIdle(now, idleMs);
      this.#responses.endStalled(now, stallMs);
    }, every).unref();
  }

  #closeIdle(): void {
    if (this.#draining) setImmediate(() => this.#http1.closeIdleConnections());
  }
}
