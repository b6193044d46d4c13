import { fork, type ChildProcess } from "node:child_process";
import { nextMessage } from "./next-message.ts";
import type { FollowerDialect } from "./shared-wires.ts";

/**
 * What followers are told. `expect` is answered twice: at once, and when the text has come to all; `rest` once: that the
 * connections will end, as they should.
 */
export type FollowerQuestion = { readonly ask: "expect"; readonly text: string } | { readonly ask: "rest" };

/** `received` comes when all have got what they wait for. */
export interface FollowerAnswer {
  readonly received?: number;
}

/** Clients that follow, in a process of their own. */
export class FollowerProcess {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Starts the process and waits until each of its clients has its first message. */
  static async start(port: number, count: number, dialect: FollowerDialect): Promise<FollowerProcess> {
    const args = [String(port), String(count), dialect];
    const child = fork(new URL("shared-followers.ts", import.meta.url), args);
    await nextMessage<FollowerAnswer>("followers", child);
    return new FollowerProcess(child);
  }

  /** Prepares for a text. Await it before that is published. */
  async expect(text: string): Promise<void> {
    await this.#ask({ ask: "expect", text });
  }

  /** Resolves when what was expected has come to all. Call it before that is published. */
  async received(): Promise<void> {
    await nextMessage<FollowerAnswer>("followers", this.#child);
  }

  /** Prepares for the end of the gateway. */
  async rest(): Promise<void> {
    await this.#ask({ ask: "rest" });
  }

  stop(): void {
    this.#child.disconnect();
  }

  async #ask(question: FollowerQuestion): Promise<void> {
    this.#child.send(question);
    await nextMessage<FollowerAnswer>("followers", this.#child);
  }
}
