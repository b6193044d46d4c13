import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import { type AcceptOptions, acceptWebSocket, type WebSocketConnection } from "../../src/index.ts";

/** A server of the engine on a free port, closed when the test ends. */
export interface Listening {
  readonly port: number;
  readonly url: string;
  readonly http: Server;
  /** The connections in the order in which they came. */
  readonly connections: WebSocketConnection[];
}

/** Starts a server that accepts every upgrade with the given options. */
export async function listen(context: TestContext, options: AcceptOptions): Promise<Listening> {
  const connections: WebSocketConnection[] = [];
  const http = createServer();
  http.on("upgrade", (request, socket, head) => {
    const connection = acceptWebSocket(request, socket, head, options);
    if (connection !== undefined) connections.push(connection);
  });
  const port = await start(context, http);
  context.after(() => {
    for (const connection of connections) connection.terminate();
  });
  return { port, url: `ws://127.0.0.1:${port}`, http, connections };
}

/** Lets a server listen on a free port of this machine until the test ends. */
export async function start(context: TestContext, server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  context.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}
