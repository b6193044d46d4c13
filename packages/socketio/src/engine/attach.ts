import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Http2SecureServer, Http2Server } from "node:http2";
import type { Server as SecureServer } from "node:https";
import type { Duplex } from "node:stream";

/** A server of Node's `http`, `https` or `http2`. */
export type AttachableServer = Server | SecureServer | Http2Server | Http2SecureServer;

/** Which requests of a server are the engine's. */
export interface AttachOptions {
  /** The beginning of their path. Default `/engine.io`. */
  readonly path?: string;
  /** Whether a slash must follow the path. Default true. */
  readonly addTrailingSlash?: boolean;
  /** Whether upgrades that nobody takes are ended, which Node does only where nobody listens for them. Default true. */
  readonly destroyUpgrade?: boolean;
  /** Milliseconds after which that is done. Default 1,000. */
  readonly destroyUpgradeTimeout?: number;
}

/** What requests are handed to. */
export interface RequestTaker {
  handleRequest(request: IncomingMessage, response: ServerResponse): void;
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  close(): unknown;
}

/** Hands an engine its requests, before all listeners that the server has so far; those get all others. */
export function attachEngine(engine: RequestTaker, attached: AttachableServer, options: AttachOptions): void {
  // Requests of http2 are made to look like those of http.
  const server = attached as Server;
  const { path = "/engine.io", addTrailingSlash = true } = options;
  const { destroyUpgrade = true, destroyUpgradeTimeout = 1000 } = options;
  const prefix = path.replace(/\/$/, "") + (addTrailingSlash ? "/" : "");
  const isEngines = ({ url = "" }: IncomingMessage): boolean => url.startsWith(prefix);

  const others = server.listeners("request") as ((
    request: IncomingMessage,
    response: ServerResponse,
  ) => void)[];
  server.removeAllListeners("request");
  server.on("request", (request, response) => {
    if (isEngines(request)) engine.handleRequest(request, response);
    else for (const other of others) other.call(server, request, response);
  });
  server.on("upgrade", (request, socket, head) => {
    if (isEngines(request)) engine.handleUpgrade(request, socket, head);
    else if (destroyUpgrade) endUnlessAnswered(socket, destroyUpgradeTimeout);
  });
  server.on("close", () => engine.close());
}

function endUnlessAnswered(socket: Duplex, milliseconds: number): void {
  const timer = setTimeout(() => {
    const isAnswered = "bytesWritten" in socket && Number(socket.bytesWritten) > 0;
    if (!socket.writable || isAnswered) return;
    socket.on("error", () => socket.destroy());
    socket.end();
  }, milliseconds);
  timer.unref();
}
