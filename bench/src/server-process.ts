import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { CpuTime, Measurable } from "./contest.ts";
import { nextMessage } from "./next-message.ts";
import type { SubjectName } from "./subject.ts";

/** What a server process can be asked. Each question gets one {@link Answer}, in order. */
export type Question =
  | { readonly ask: "cpu" | "memory" }
  | { readonly ask: "broadcast"; readonly bytes: number; readonly times: number };

/** The fields that belong to the question. CPU time is in µs since the process started, memory in bytes after a collection. */
export interface Answer {
  readonly port?: number;
  readonly user?: number;
  readonly system?: number;
  readonly rss?: number;
  readonly heap?: number;
  readonly external?: number;
}

/** Memory in bytes. */
export interface Memory {
  /** What the operating system has given. */
  readonly rss: number;
  /** What is used of the heap, and of buffers outside it. */
  readonly used: number;
}

/** A subject in a process of its own. */
export class ServerProcess implements Measurable {
  readonly name: SubjectName;
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(name: SubjectName, port: number, child: ChildProcess) {
    this.name = name;
    this.port = port;
    this.#child = child;
  }

  /** Starts the process and waits until it listens. Rejects when it ends before that. */
  static async start(name: SubjectName): Promise<ServerProcess> {
    const env = { ...process.env };
    if (name === "ws") env["WS_NO_BUFFER_UTIL"] = "1";
    const child = fork(new URL("server.ts", import.meta.url), [name], {
      env,
      execArgv: [...process.execArgv, "--expose-gc"],
    });
    const { port } = await nextMessage<Answer>(name, child);
    if (port === undefined) throw new Error(`${name}: the server process did not tell its port`);
    return new ServerProcess(name, port, child);
  }

  /** Asks one question. Rejects when the process ends before it answers. */
  async ask(question: Question): Promise<Answer> {
    this.#child.send(question);
    return await nextMessage<Answer>(this.name, this.#child);
  }

  async cpu(): Promise<CpuTime> {
    const { user = 0, system = 0 } = await this.ask({ ask: "cpu" });
    return { total: user + system, user };
  }

  /** Memory of the process after a collection. */
  async memory(): Promise<Memory> {
    const { rss = 0, heap = 0, external = 0 } = await this.ask({ ask: "memory" });
    return { rss, used: heap + external };
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, "exit");
    this.#child.disconnect();
    await ended;
  }
}
