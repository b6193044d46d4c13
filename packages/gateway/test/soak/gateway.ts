import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";

/** What the process of the gateway says first. */
export interface GatewayPorts {
  /** Where clients come. */
  readonly port: number;
  /** Where the push API is. */
  readonly pushPort: number;
}

/** What a gateway holds, after a collection. */
export interface GatewayHoldings {
  readonly sessions: number;
  readonly connections: number;
  readonly heapBytes: number;
}

/** The gateway in a process of its own, from a file sluice.yaml. */
export class GatewayProcess {
  readonly ports: GatewayPorts;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, ports: GatewayPorts) {
    this.#child = child;
    this.ports = ports;
  }

  /** Starts it with the configuration in a file. */
  static async start(file: string): Promise<GatewayProcess> {
    const child = fork(new URL("gateway-process.ts", import.meta.url), [file], {
      execArgv: ["--expose-gc", "--import", "tsx", "--conditions=@sluice/source"],
    });
    return new GatewayProcess(child, await answerOf<GatewayPorts>(child));
  }

  /** What it holds now. */
  async holdings(): Promise<GatewayHoldings> {
    const answer = answerOf<GatewayHoldings>(this.#child);
    this.#child.send("holdings");
    return await answer;
  }

  /** Ends it. */
  async stop(): Promise<void> {
    const ended = once(this.#child, "exit");
    this.#child.disconnect();
    await ended;
  }
}

async function answerOf<T>(child: ChildProcess): Promise<T> {
  return await new Promise<T>((resolve, reject) => {
    const onExit = (code: number | null): void => {
      child.off("message", onMessage);
      reject(new Error(`the gateway ended with code ${String(code)}`));
    };
    const onMessage = (message: unknown): void => {
      child.off("exit", onExit);
      resolve(message as T);
    };
    child.once("message", onMessage);
    child.once("exit", onExit);
  });
}
