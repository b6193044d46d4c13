import { fork, type ChildProcess } from "node:child_process";
import { nextMessage } from "../next-message.ts";
import type { ExchangeName } from "./client.ts";

/**
 * `expect` announces events to each client, and is answered at once, and again when they have come to all; `exchange`
 * has clients ask so often together, and is answered when all is answered.
 */
export type ClientsQuestion =
  | { readonly ask: "expect"; readonly events: number }
  | { readonly ask: "exchange"; readonly name: ExchangeName; readonly times: number };

/** Clients of one server, in a process of their own. */
export class SocketIoClientsProcess {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Starts the process and waits until all are connected. */
  static async start(port: number, count: number): Promise<SocketIoClientsProcess> {
    const child = fork(new URL("clients.ts", import.meta.url), [String(port), String(count)]);
    await nextMessage("clients", child);
    return new SocketIoClientsProcess(child);
  }

  /** Prepares for so many events. Await it before they are emitted. */
  async expect(events: number): Promise<void> {
    await this.#ask({ ask: "expect", events });
  }

  /** Waits until the events have come to all. Call it before they are emitted. */
  async told(): Promise<void> {
    await nextMessage("clients", this.#child);
  }

  /** Clients ask so often together, one after the other, and some at a time; waits for all answers. */
  async exchange(name: ExchangeName, times: number): Promise<void> {
    await this.#ask({ ask: "exchange", name, times });
  }

  /** Ends the process. */
  stop(): void {
    this.#child.disconnect();
  }

  async #ask(question: ClientsQuestion): Promise<void> {
    this.#child.send(question);
    await nextMessage("clients", this.#child);
  }
}
