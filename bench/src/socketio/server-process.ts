import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { CpuTime } from "../contest.ts";
import { nextMessage } from "../next-message.ts";

/** The servers that are compared. */
export const socketIoSubjectNames = ["sluice", "socket.io"] as const;

/** One of {@link socketIoSubjectNames}. */
export type SocketIoSubjectName = (typeof socketIoSubjectNames)[number];

/** Narrows a command-line argument. Throws a `RangeError` that lists the names. */
export function socketIoSubjectNameFrom(text: string | undefined): SocketIoSubjectName {
  const name = socketIoSubjectNames.find((each) => each === text);
  if (name !== undefined) return name;
  throw new RangeError(`no server ${String(text)}: one of ${socketIoSubjectNames.join(", ")}`);
}

/** Memory of a process in bytes, after a collection. */
export interface ServerMemory {
  /** What the operating system has given. */
  readonly rss: number;
  /** What is used of the heap. */
  readonly heap: number;
}

/** What the server process is asked; each question gets one {@link ServerAnswer}, in order. */
export type ServerQuestion =
  | { readonly ask: "cpu" | "memory" | "sockets" | "gather" }
  | { readonly ask: "tell"; readonly events: number };

/** The fields that belong to the question. */
export interface ServerAnswer {
  readonly port?: number;
  /** Since the process started. */
  readonly cpu?: CpuTime;
  readonly memory?: ServerMemory;
  readonly sockets?: number;
}

/** The application on one of the servers, in a process of its own. */
export class SocketIoServerProcess {
  readonly port: number;
  readonly #name: SocketIoSubjectName;
  readonly #child: ChildProcess;

  private constructor(name: SocketIoSubjectName, port: number, child: ChildProcess) {
    this.port = port;
    this.#name = name;
    this.#child = child;
  }

  /** Starts the process and waits until it listens. Rejects when it ends before that. */
  static async start(name: SocketIoSubjectName): Promise<SocketIoServerProcess> {
    const child = fork(new URL("server.ts", import.meta.url), [name], {
      execArgv: [...process.execArgv, "--expose-gc"],
    });
    const { port } = await nextMessage<ServerAnswer>(name, child);
    if (port === undefined) throw new Error(`${name}: the server process did not tell its port`);
    return new SocketIoServerProcess(name, port, child);
  }

  /** CPU time of the process so far. */
  async cpu(): Promise<CpuTime> {
    const { cpu } = await this.#ask({ ask: "cpu" });
    if (cpu === undefined) throw new Error(`${this.#name}: the server process answered something else`);
    return cpu;
  }

  /** Memory of the process after a collection. */
  async memory(): Promise<ServerMemory> {
    const { memory } = await this.#ask({ ask: "memory" });
    if (memory === undefined) throw new Error(`${this.#name}: the server process answered something else`);
    return memory;
  }

  /** How many sockets are connected. */
  async sockets(): Promise<number> {
    const { sockets = Number.NaN } = await this.#ask({ ask: "sockets" });
    return sockets;
  }

  /** Has all sockets join one room. */
  async gather(): Promise<void> {
    await this.#ask({ ask: "gather" });
  }

  /** Emits so many events to the room, all in one tick. */
  async tell(events: number): Promise<void> {
    await this.#ask({ ask: "tell", events });
  }

  /** Ends the process and waits for its end. */
  async stop(): Promise<void> {
    const ended = once(this.#child, "exit");
    this.#child.disconnect();
    await ended;
  }

  async #ask(question: ServerQuestion): Promise<ServerAnswer> {
    this.#child.send(question);
    return await nextMessage<ServerAnswer>(this.#name, this.#child);
  }
}
