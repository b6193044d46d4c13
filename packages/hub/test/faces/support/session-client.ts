import type { TestContext } from "node:test";
import { WsClient } from "./ws-client.ts";

/** What the server said, as JSON. */
export type Said = Record<string, unknown>;

/** A client of `sluice.session.v1`, as far as tests need one. */
export class SessionClient {
  readonly ws: WsClient;
  #ids = 0;

  private constructor(ws: WsClient) {
    this.ws = ws;
  }

  /** Opens a WebSocket, and says nothing. */
  static async open(context: TestContext, target: number | string, path?: string): Promise<SessionClient> {
    const protocols = ["sluice.session.v1"];
    return new SessionClient(
      await WsClient.connect(context, target, path === undefined ? { protocols } : { protocols, path }),
    );
  }

  /** Opens a WebSocket and a session; answers with it and what the server greeted it with. */
  static async connect(
    context: TestContext,
    target: number | string,
    connect: object = {},
  ): Promise<{ readonly client: SessionClient; readonly connected: Said }> {
    const client = await SessionClient.open(context, target);
    client.say({ connect });
    const { connected } = await client.next();
    return { client, connected: connected as Said };
  }

  say(message: object): void {
    this.ws.send(JSON.stringify(message));
  }

  /** Sends a command with an id, and answers that id. */
  ask(command: object): number {
    this.#ids++;
    this.say({ ...command, id: this.#ids });
    return this.#ids;
  }

  /** What the server says next. */
  async next(): Promise<Said> {
    const message = await this.ws.next();
    if (typeof message !== "string") throw new Error("the server sent a binary message");
    return JSON.parse(message) as Said;
  }

  async take(count: number): Promise<Said[]> {
    const all: Said[] = [];
    while (all.length < count) all.push(await this.next());
    return all;
  }

  /** Sends a command, of which the next that the server says is the answer. */
  async call(command: object): Promise<Said> {
    this.ask(command);
    return this.next();
  }
}
