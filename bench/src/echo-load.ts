import type { Socket } from "node:net";
import { openConnection } from "./connection.ts";
import type { Load } from "./contest.ts";
import type { Conversation } from "./conversation.ts";

/** Where and how an echo load connects. */
export interface EchoLoadOptions {
  readonly port: number;
  readonly connections: number;
  /** False for the bare `net` subject, which has no handshake. */
  readonly upgrade: boolean;
  /** `Sec-WebSocket-Extensions` to offer. */
  readonly extensions?: string;
  /** Called once for each connection. */
  readonly createConversation: () => Conversation;
}

interface Talker {
  readonly socket: Socket;
  readonly conversation: Conversation;
}

/** Several connections, each sending its next request as soon as the one before is answered. */
export class EchoLoad implements Load {
  readonly #talkers: Talker[] = [];
  #deadline = 0;
  #messages = 0;
  #running = 0;
  #failure: Error | undefined;
  #settle: (error?: Error) => void = () => {};

  private constructor() {}

  /** Opens the connections. Rejects when the server refuses one. */
  static async open(options: EchoLoadOptions): Promise<EchoLoad> {
    const load = new EchoLoad();
    for (let opened = 0; opened < options.connections; opened++) await load.#connect(options);
    return load;
  }

  run(milliseconds: number): Promise<number> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    this.#messages = 0;
    this.#running = this.#talkers.length;
    this.#deadline = performance.now() + milliseconds;
    return new Promise((resolve, reject) => {
      this.#settle = (error) => {
        if (error === undefined) resolve(this.#messages);
        else reject(error);
      };
      for (const { socket, conversation } of this.#talkers) socket.write(conversation.nextRequest());
    });
  }

  close(): void {
    this.#settle = () => {};
    for (const { socket } of this.#talkers) socket.destroy();
  }

  async #connect({ port, upgrade, extensions, createConversation }: EchoLoadOptions): Promise<void> {
    const conversation = createConversation();
    const fail = (error: unknown): void => {
      this.#failure ??= error instanceof Error ? error : new Error(String(error));
      this.#settle(this.#failure);
      socket?.destroy();
    };
    let socket: Socket | undefined;
    socket = await openConnection({
      port,
      upgrade,
      ...(extensions !== undefined && { extensions }),
      onBytes: (bytes) => {
        try {
          if (!conversation.receive(bytes)) return;
        } catch (error) {
          fail(error);
          return;
        }
        this.#messages += conversation.messages;
        if (performance.now() < this.#deadline) socket?.write(conversation.nextRequest());
        else if (--this.#running === 0) this.#settle();
      },
      onError: fail,
    });
    this.#talkers.push({ socket, conversation });
  }
}
