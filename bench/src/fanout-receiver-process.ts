import { fork, type ChildProcess } from "node:child_process";
import type { FanoutSubjectName } from "./fanout-wires.ts";
import { nextMessage } from "./next-message.ts";

/**
 * `expect` announces so many messages to each member, and is answered at once, and again when all have come to all;
 * `latency` asks how late all were since it was asked before.
 */
export type FanoutReceiverQuestion =
  | { readonly ask: "expect"; readonly messages: number }
  | { readonly ask: "latency" };

/** From publishing to receipt, in ms. */
export interface Latency {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** `latency` where it was asked for. */
export interface FanoutReceiverAnswer {
  readonly latency?: Latency;
}

/** The members of a room, in a process of their own. */
export class FanoutReceiverProcess {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Starts the process and waits until all of them are in the room. */
  static async start(
    port: number,
    count: number,
    subject: FanoutSubjectName,
  ): Promise<FanoutReceiverProcess> {
    const child = fork(new URL("fanout-receivers.ts", import.meta.url), [
      String(port),
      String(count),
      subject,
    ]);
    await nextMessage<FanoutReceiverAnswer>("receivers", child);
    return new FanoutReceiverProcess(child);
  }

  /** Prepares for so many messages. Await it before they are published. */
  async expect(messages: number): Promise<void> {
    this.#child.send({ ask: "expect", messages } satisfies FanoutReceiverQuestion);
    await nextMessage<FanoutReceiverAnswer>("receivers", this.#child);
  }

  /** Waits until the expected messages have come to all. Call it before they are published. */
  async received(): Promise<void> {
    await nextMessage<FanoutReceiverAnswer>("receivers", this.#child);
  }

  /** How late all messages were since this was asked before. */
  async latency(): Promise<Latency> {
    this.#child.send({ ask: "latency" } satisfies FanoutReceiverQuestion);
    const { latency } = await nextMessage<FanoutReceiverAnswer>("receivers", this.#child);
    if (latency === undefined) throw new Error("the receivers answered something else");
    return latency;
  }

  /** Ends the process. */
  stop(): void {
    this.#child.disconnect();
  }
}
