import { fork, type ChildProcess } from "node:child_process";
import { nextMessage } from "../next-message.ts";
import type { ExchangeName } from "./client.ts";

/**
 * `expect` announces an event to each client, and is answered at once, and again when it has come to all; `once` has each
 * client ask once, `repeat` some of them again and again for some milliseconds: both are answered when all is answered.
 */
export type ClientsQuestion =
  | { readonly ask: "expect" }
  | { readonly ask: "once"; readonly name: ExchangeName }
  | { readonly ask: "repeat"; readonly name: ExchangeName; readonly milliseconds: number };

/** `exchanges` where clients asked. */
export interface ClientsAnswer {
  readonly exchanges?: number;
}

/** Clients of one server, in a process of their own. */
export class SocketIoClientsProcess {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Starts the process and waits until all are connected. */
  static async start(port: number, count: number): Promise<SocketIoClientsProcess> {
    const child = fork(new URL("clients.ts", import.meta.url), [String(port), String(count)]);
    await nextMessage<ClientsAnswer>("clients", child);
    return new SocketIoClientsProcess(child);
  }

  /** Prepares for an event. Await it before it is emitted. */
  async expect(): Promise<void> {
    await this.#ask({ ask: "expect" });
  }

  /** Waits until the event has come to all. Call it before it is emitted. */
  async told(): Promise<void> {
    await nextMessage<ClientsAnswer>("clients", this.#child);
  }

  /** Each client asks once; waits for all answers. */
  async once(name: ExchangeName): Promise<void> {
    await this.#ask({ ask: "once", name });
  }

  /** Some clients ask, each again as soon as it is answered. Resolves to how often. */
  async repeat(name: ExchangeName, milliseconds: number): Promise<number> {
    const { exchanges = Number.NaN } = await this.#ask({ ask: "repeat", name, milliseconds });
    return exchanges;
  }

  /** Ends the process. */
  stop(): void {
    this.#child.disconnect();
  }

  async #ask(question: ClientsQuestion): Promise<ClientsAnswer> {
    this.#child.send(question);
    return await nextMessage<ClientsAnswer>("clients", this.#child);
  }
}
