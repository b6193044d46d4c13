import type { TestContext } from "node:test";
import { WebSocket } from "ws";
import { Queue } from "./queue.ts";

/** How a connection ended. */
export interface Ended {
  readonly code: number;
  readonly reason: string;
}

/** A client of another implementation of WebSocket, the package `ws`. */
export class WsClient {
  readonly socket: WebSocket;
  /** Texts, and binary messages as bytes, in their order. */
  readonly messages = new Queue<string | Buffer>();
  readonly closed: Promise<Ended>;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on("message", (data: Buffer, isBinary) => this.messages.push(isBinary ? data : data.toString()));
    this.closed = new Promise((resolve) => {
      socket.on("close", (code, reason) => resolve({ code, reason: reason.toString() }));
    });
    socket.on("error", () => {});
  }

  /** Connects, and waits until the handshake is done. Rejects with the message of a refusal. */
  static async connect(
    context: TestContext,
    target: number | string,
    options: {
      readonly path?: string;
      readonly protocols?: string[];
      readonly headers?: Record<string, string>;
    } = {},
  ): Promise<WsClient> {
    const { path = "/", protocols = [], headers = {} } = options;
    const authority = typeof target === "number" ? `127.0.0.1:${target}` : target;
    const socket = new WebSocket(`ws://${authority}${path}`, protocols, {
      headers,
      perMessageDeflate: false,
    });
    context.after(() => socket.terminate());
    const client = new WsClient(socket);
    await new Promise((resolve, reject) => {
      socket.once("open", resolve);
      socket.once("error", reject);
    });
    return client;
  }

  /** Sends a text or bytes. */
  send(data: string | Uint8Array): void {
    this.socket.send(data);
  }

  /** The next message. */
  next(): Promise<string | Buffer> {
    return this.messages.next();
  }

  /** Ends the connection without a closing handshake, and waits until it is over. */
  async cut(): Promise<void> {
    this.socket.terminate();
    await this.closed;
  }
}
