import type { IncomingMessage } from "node:http";
import type {
  Http2ServerRequest,
  Http2ServerResponse,
  IncomingHttpHeaders,
  ServerHttp2Stream,
} from "node:http2";
import type { Duplex } from "node:stream";
import { isHttp2WebSocket } from "../accept-http2.ts";

/** An `http`, `https` or `http2` server of Node, or what has the same events. */
export interface AttachableServer {
  on(event: string, listener: (...args: never[]) => void): unknown;
  listenerCount(event: string): number;
  /** What only HTTP/2 servers have. */
  updateSettings?(settings: { readonly enableConnectProtocol: boolean }): void;
}

/** Who takes the requests. */
interface Taker {
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean;
  handleStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): boolean;
}

/** Hands on everything that may open a WebSocket, of both versions of HTTP. */
export function attachServer(server: AttachableServer, taker: Taker): void {
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    taker.handleUpgrade(request, socket, head);
  });
  if (server.updateSettings === undefined) return;
  server.updateSettings({ enableConnectProtocol: true });
  server.on("stream", (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    if (isHttp2WebSocket(headers)) taker.handleStream(stream, headers);
    else if (server.listenerCount("stream") === 1) {
      // Without this listener Node would have refused the stream.
      stream.respond({ ":status": 404 }, { endStream: true });
    }
  });
  // Beside a listener for requests, Node answers every CONNECT if nobody listens for them.
  server.on("connect", (request: Http2ServerRequest, response: Http2ServerResponse) => {
    if (!isHttp2WebSocket(request.headers) && server.listenerCount("connect") === 1) {
      response.writeHead(405).end();
    }
  });
}
