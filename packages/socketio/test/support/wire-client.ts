import type { TestContext } from "node:test";
import { connectClient, type WebSocketClient } from "./engine.ts";

/** A client on a WebSocket that says what a test has it say. */
export class WireClient {
  readonly #client: WebSocketClient;

  private constructor(client: WebSocketClient) {
    this.#client = client;
  }

  /** Connects to a server of Socket.IO, and takes its opening packet. The client ends with the test. */
  static async connect(context: TestContext, port: number, revision: 3 | 4 = 4): Promise<WireClient> {
    const url = `http://127.0.0.1:${port}/socket.io/?EIO=${revision}&transport=websocket`;
    const client = await connectClient(url);
    context.after(() => client.connection.close());
    await client.messages.next();
    return new WireClient(client);
  }

  /** Connects, and joins the namespace `/`. */
  static async join(context: TestContext, port: number): Promise<WireClient> {
    const client = await WireClient.connect(context, port);
    client.send("40");
    await client.next();
    return client;
  }

  /** Sends Engine.IO packets, each in a message. */
  send(...packets: (string | Uint8Array)[]): void {
    for (const packet of packets) this.#client.connection.send(packet);
  }

  /** The next Engine.IO packet. */
  next(): Promise<string | Buffer> {
    return this.#client.messages.next();
  }

  /** Closes the connection. */
  close(): void {
    this.#client.connection.close();
  }

  /** How the connection ends. */
  async end(): Promise<{ code: number; reason: string }> {
    const { code, reason } = await this.#client.closed.next();
    return { code, reason };
  }
}
