import { fork, type ChildProcess } from "node:child_process";
import { nextMessage } from "./next-message.ts";

/** What the receivers can be asked. `echo` is answered when every connection has its reply. */
export type ReceiverQuestion =
  | { readonly ask: "expect"; readonly frames: number }
  | { readonly ask: "echo"; readonly bytes: number };

/** `received` comes when as many frames have come as were expected. */
export interface ReceiverAnswer {
  readonly received?: number;
}

/** Clients of one server, in a process of their own. */
export class ReceiverProcess {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Starts the process and waits until all its connections are open. */
  static async start(
    port: number,
    connections: number,
    upgrade: boolean,
    extensions?: string,
  ): Promise<ReceiverProcess> {
    const args = [String(port), String(connections), upgrade ? "upgrade" : "bare"];
    if (extensions !== undefined) args.push(extensions);
    const child = fork(new URL("receivers.ts", import.meta.url), args);
    await nextMessage<ReceiverAnswer>("receivers", child);
    return new ReceiverProcess(child);
  }

  /** Prepares for `frames` frames on all connections together. Await it before they are sent. */
  async expect(frames: number): Promise<void> {
    this.#child.send({ ask: "expect", frames } satisfies ReceiverQuestion);
    await nextMessage<ReceiverAnswer>("receivers", this.#child);
  }

  /** Waits until the expected frames have come. Call it before they are sent. */
  async received(): Promise<void> {
    await nextMessage<ReceiverAnswer>("receivers", this.#child);
  }

  /** Has every connection send one message of `bytes` bytes and waits until each has got one back. */
  async echo(bytes: number): Promise<void> {
    this.#child.send({ ask: "echo", bytes } satisfies ReceiverQuestion);
    await this.received();
  }

  /** Ends the process. */
  stop(): void {
    this.#child.disconnect();
  }
}
