import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import type { CpuTime, Measurable } from "./contest.ts";

/**
 * A program in any language with a control channel of lines of JSON: it begins with its port on stdout, answers each
 * line on stdin with its CPU time so far, and ends when stdin does.
 */
export class Program implements Measurable {
  readonly name: string;
  readonly port: number;
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;

  private constructor(
    name: string,
    port: number,
    child: ChildProcessByStdio<Writable, Readable, null>,
    lines: AsyncIterator<string>,
  ) {
    this.name = name;
    this.port = port;
    this.#child = child;
    this.#lines = lines;
  }

  /** Starts a program and waits until it listens. Rejects when it ends before that. */
  static async start(name: string, command: string, args: readonly string[]): Promise<Program> {
    const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    const { port } = await answerFrom<{ port: number }>(name, lines);
    return new Program(name, port, child, lines);
  }

  async cpu(): Promise<CpuTime> {
    this.#child.stdin.write("cpu\n");
    const { user, system } = await answerFrom<{ user: number; system: number }>(this.name, this.#lines);
    return { total: user + system, user };
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, "exit");
    this.#child.stdin.end();
    await ended;
  }
}

async function answerFrom<Answer>(name: string, lines: AsyncIterator<string>): Promise<Answer> {
  const line = await lines.next();
  if (line.done === true) throw new Error(`${name}: the process has ended`);
  return JSON.parse(line.value) as Answer;
}
