import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { FanoutSubjectName } from "./fanout-wires.ts";
import { nextMessage } from "./next-message.ts";

/** What a server process can be asked. Each question gets one {@link FanoutServerAnswer}, in order. */
export type FanoutServerQuestion =
  | { readonly ask: "cpu" | "memory" | "members" }
  | { readonly ask: "publish"; readonly times: number };

/** The fields that belong to the question. */
export interface FanoutServerAnswer {
  readonly port?: number;
  /** µs since the process started. */
  readonly cpu?: number;
  /** Bytes that the operating system has given. */
  readonly rss?: number;
  /** Bytes used of the heap, and of buffers outside it. */
  readonly used?: number;
  readonly members?: number;
}

/** A subject in a process of its own. */
export class FanoutServerProcess {
  readonly port: number;
  readonly #name: FanoutSubjectName;
  readonly #child: ChildProcess;

  private constructor(name: FanoutSubjectName, port: number, child: ChildProcess) {
    this.port = port;
    this.#name = name;
    this.#child = child;
  }

  /** Starts the process and waits until it listens. Rejects when it ends before that. */
  static async start(name: FanoutSubjectName): Promise<FanoutServerProcess> {
    const child = fork(new URL("fanout-server.ts", import.meta.url), [name], {
      execArgv: [...process.execArgv, "--expose-gc"],
    });
    const { port } = await nextMessage<FanoutServerAnswer>(name, child);
    if (port === undefined) throw new Error(`${name}: the server process did not tell its port`);
    return new FanoutServerProcess(name, port, child);
  }

  /** CPU time of the process so far, in µs. */
  async cpu(): Promise<number> {
    const { cpu = 0 } = await this.#ask({ ask: "cpu" });
    return cpu;
  }

  /** Memory of the process after a collection, in bytes. */
  async memory(): Promise<{ readonly rss: number; readonly used: number }> {
    const { rss = 0, used = 0 } = await this.#ask({ ask: "memory" });
    return { rss, used };
  }

  /** How many are in the room. */
  async members(): Promise<number> {
    const { members = 0 } = await this.#ask({ ask: "members" });
    return members;
  }

  /** Publishes so many messages to the room, all in one tick. */
  async publish(times: number): Promise<void> {
    await this.#ask({ ask: "publish", times });
  }

  /** Ends the process and waits for its end. */
  async stop(): Promise<void> {
    const ended = once(this.#child, "exit");
    this.#child.disconnect();
    await ended;
  }

  async #ask(question: FanoutServerQuestion): Promise<FanoutServerAnswer> {
    this.#child.send(question);
    return await nextMessage<FanoutServerAnswer>(this.#name, this.#child);
  }
}
