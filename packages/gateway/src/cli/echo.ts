import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { acceptWebSocket, CloseCode, type WebSocketConnection } from "@sluice/websocket";
import type { Command } from "commander";
import { listenError } from "./cli-error.ts";
import { onShutdown } from "./on-shutdown.ts";
import { portFromText, urlOf } from "./parse-value.ts";

/** Adds `sluice echo`. */
export function addEcho(program: Command): void {
  program
    .command("echo")
    .summary("a WebSocket echo server, to try clients with")
    .description("Sends every WebSocket message back as it came, text or binary.")
    .option("--host <host>", "the address to listen on", "127.0.0.1")
    .option("--port <port>", "the port to listen on; 0 picks a free one", portFromText, 9001)
    .action(echo);
}

async function echo({ host, port }: { host: string; port: number }): Promise<void> {
  const connections = new Set<WebSocketConnection>();
  const server = createServer((_request, response) => {
    response.writeHead(426, { connection: "Upgrade", upgrade: "websocket" });
    response.end("This is a WebSocket echo server; connect with a WebSocket client.\n");
  });
  server.on("upgrade", (request, socket, head) => {
    const connection = acceptWebSocket(request, socket, head, {
      origin: "any",
      handlers: {
        message(peer, data, isBinary) {
          const goOn = isBinary ? peer.send(data) : peer.sendText(data);
          if (!goOn) peer.pause();
        },
        drain: (peer) => peer.resume(),
        close: (peer) => connections.delete(peer),
      },
    });
    if (connection !== undefined) connections.add(connection);
  });
  onShutdown(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
        for (const connection of connections)
          connection.close(CloseCode.GOING_AWAY, "the server is shutting down");
      }),
  );
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  }).catch((error: unknown) => {
    throw listenError(error, host, port);
  });
  process.stdout.write(`sluice: echo is at ${urlOf("ws", server.address() as AddressInfo)}\n`);
}
