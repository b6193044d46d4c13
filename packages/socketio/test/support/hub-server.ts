import { Hub, type HubOptions, type Message, type Session } from "@sluice/hub";
import { acceptInto, createSseHandler } from "@sluice/hub";
import { connectWebSocket, type WebSocketConnection } from "@sluice/websocket";
import type { ServerOptions, SocketHubOptions } from "../../src/index.ts";
import { Inbox } from "./inbox.ts";
import { IoServer } from "./io-server.ts";

/** What a client said to the hub. */
export interface Said {
  readonly session: Session;
  readonly message: Message;
}

/** A server whose sockets are sessions of a hub, which raw WebSockets and event streams on the same port have too. */
export class HubServer {
  readonly hub: Hub;
  readonly server: IoServer;
  readonly #sockets: WebSocketConnection[] = [];

  private constructor(hub: Hub, server: IoServer) {
    this.hub = hub;
    this.server = server;
  }

  static async start(
    hubOptions: HubOptions = {},
    options: Partial<ServerOptions> = {},
    socketHub: Omit<SocketHubOptions, "hub"> = {},
  ): Promise<HubServer> {
    const hub = new Hub(hubOptions);
    const server = await IoServer.start({ ...options, hub: { hub, ...socketHub } });
    const { httpServer } = server.io;
    const events = createSseHandler(hub);
    const upgrade = acceptInto(hub);
    httpServer?.on("request", (request, response) => {
      if (request.url?.startsWith("/events") === true) events(request, response);
    });
    httpServer?.on("upgrade", (request, socket, head) => {
      if (request.url?.startsWith("/ws") === true) upgrade(request, socket, head);
    });
    return new HubServer(hub, server);
  }

  /** What clients say to the hub from now on, each answered as taken. */
  said(): Inbox<Said> {
    const inbox = new Inbox<Said>();
    this.hub.onReceive((session, message, answer) => {
      inbox.add({ session, message });
      answer({ ok: true });
    });
    return inbox;
  }

  /** A raw WebSocket, and the texts that it is told; bytes in hexadecimal. */
  async openRaw(protocols: readonly string[] = []): Promise<Inbox<string>> {
    const inbox = new Inbox<string>();
    const socket = await connectWebSocket(`ws://127.0.0.1:${this.server.port}/ws`, {
      protocols,
      handlers: {
        message: (_connection, data, isBinary) => inbox.add(data.toString(isBinary ? "hex" : "utf8")),
      },
    });
    this.#sockets.push(socket);
    return inbox;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.terminate();
    await this.server.close();
    await this.hub.close();
  }
}
