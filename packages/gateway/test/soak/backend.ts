import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";

/** What the backend was told of a session. */
export interface BackendEvent {
  /** Which process of the backend wrote it. */
  readonly life: number;
  readonly hook: "connect" | "disconnect" | "resume";
  readonly session: string;
  readonly generation: number;
  /** The name of the member. */
  readonly name: string;
  /** The close code of a Disconnect. */
  readonly code?: number;
}

/** A gRPC backend in a process that can be killed, and comes back on the same port. */
export class Backend {
  readonly #file: string;
  #child: ChildProcess | undefined;
  #port = 0;

  /** `file` is where it writes down what it is told. */
  constructor(file: string) {
    this.#file = file;
  }

  get port(): number {
    return this.#port;
  }

  get isUp(): boolean {
    return this.#child !== undefined;
  }

  /** Starts it; resolves when it listens. */
  async start(): Promise<void> {
    const child = fork(new URL("backend-process.ts", import.meta.url), [String(this.#port), this.#file], {
      execArgv: ["--import", "tsx", "--conditions=@sluice/source"],
    });
    [this.#port] = (await once(child, "message")) as [number];
    this.#child = child;
  }

  /** Kills it as the kernel does when memory is short: without a word. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#child = undefined;
    child.kill("SIGKILL");
    await once(child, "exit");
  }

  /** All that it was told so far, in all its lives. */
  events(): readonly BackendEvent[] {
    if (!existsSync(this.#file)) return [];
    const lines = readFileSync(this.#file, "utf8").split("\n");
    return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as BackendEvent);
  }
}

/** What a backend knows of one session. */
interface Told {
  readonly connects: readonly BackendEvent[];
  readonly disconnects: readonly BackendEvent[];
}

/** How many sessions began and are not over. */
export function openSessions(events: readonly BackendEvent[]): number {
  return [...bySession(events).values()].filter(({ disconnects }) => disconnects.length === 0).length;
}

/**
 * What is wrong with what a backend was told: each session has one Connect and one Disconnect, in this order. Only where
 * the backend was killed may a call have come again, to its next life, because its answer had not left; or a Disconnect
 * stand alone, because the Connect had not arrived.
 */
export function backendProblems(events: readonly BackendEvent[]): readonly string[] {
  const wasKilled = new Set(events.map(({ life }) => life)).size > 1;
  const problems: string[] = [];
  for (const [session, { connects, disconnects }] of bySession(events)) {
    const name = connects[0]?.name ?? disconnects[0]?.name ?? "";
    for (const [what, told] of [
      ["Connect", connects],
      ["Disconnect", disconnects],
    ] as const) {
      const lives = new Set(told.map(({ life }) => life));
      const isLost = what === "Connect" && wasKilled;
      if (told.length === 0 && !isLost) problems.push(`session ${session} of ${name} has no ${what}`);
      if (lives.size < told.length) problems.push(`session ${session} of ${name} has a ${what} twice`);
    }
  }
  const over = new Set<string>();
  for (const { hook, session, name } of events) {
    if (hook === "disconnect") over.add(session);
    else if (over.has(session))
      problems.push(`session ${session} of ${name} has a ${hook} behind its Disconnect`);
  }
  return problems;
}

function bySession(events: readonly BackendEvent[]): Map<string, Told> {
  const sessions = new Map<string, { connects: BackendEvent[]; disconnects: BackendEvent[] }>();
  for (const event of events) {
    const told = sessions.get(event.session) ?? { connects: [], disconnects: [] };
    sessions.set(event.session, told);
    if (event.hook === "connect") told.connects.push(event);
    else if (event.hook === "disconnect") told.disconnects.push(event);
  }
  return sessions;
}
