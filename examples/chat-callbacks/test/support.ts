import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { createServer, type AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("..", import.meta.url));

/** How a backend is started: the program, and its arguments but for the address. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
}

/** The backend of `npm run backend`. */
export const typescript: Command = {
  program: process.execPath,
  args: ["--import", "tsx", "--conditions=@sluice/source", "src/backend.ts"],
};

/** The backend in Python, with a Python that has grpcio: that of scripts/setup, or the system's; undefined without one. */
export function findPython(): Command | undefined {
  const own = fileURLToPath(new URL("../../../.python/bin/python", import.meta.url));
  const program = [own, "python3"].find(
    (each) => spawnSync(each, ["-c", "import grpc, grpc_tools"]).status === 0,
  );
  return program === undefined ? undefined : { program, args: ["python/backend.py"] };
}

/** The chat as its README starts it, on free ports: a backend that comes and goes, and the gateway. */
export class Chat {
  readonly #command: Command;
  readonly #pushPort: number;
  #backend: ChildProcess | undefined;
  #backendAddress = "127.0.0.1:0";
  #gateway: ChildProcess | undefined;
  #url = "";

  private constructor(command: Command, pushPort: number) {
    this.#command = command;
    this.#pushPort = pushPort;
  }

  /** Starts both. */
  static async start(command: Command): Promise<Chat> {
    const chat = new Chat(command, await freePort());
    try {
      await chat.startBackend();
      await chat.#startGateway();
    } catch (error) {
      await chat.stop();
      throw error;
    }
    return chat;
  }

  /** Where the page is. */
  get url(): string {
    return this.#url;
  }

  /** Starts the backend, on the port that it had. */
  async startBackend(): Promise<void> {
    const { program, args } = this.#command;
    this.#backend = spawn(program, [...args, this.#backendAddress], {
      cwd: folder,
      env: { ...process.env, PUSH_ADDRESS: `127.0.0.1:${this.#pushPort}` },
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#backendAddress = /[\d.]+:\d+/.exec(await firstLine(this.#backend))?.[0] ?? "";
  }

  /** Kills the backend without a word. */
  async killBackend(): Promise<void> {
    await end(this.#backend, "SIGKILL");
  }

  /** Ends everything. */
  async stop(): Promise<void> {
    await end(this.#gateway, "SIGKILL");
    await end(this.#backend, "SIGKILL");
  }

  async #startGateway(): Promise<void> {
    const packageFolder = dirname(createRequire(import.meta.url).resolve("@sluice/gateway/package.json"));
    const sluice = join(packageFolder, "bin/sluice.js");
    this.#gateway = spawn(process.execPath, [sluice, "serve", "--config", "sluice.yaml"], {
      cwd: folder,
      env: {
        ...process.env,
        CHAT_BACKEND: this.#backendAddress,
        SLUICE_LISTEN: "127.0.0.1:0",
        SLUICE_PUSH_LISTEN: `127.0.0.1:${this.#pushPort}`,
        SLUICE_LOG_LEVEL: "silent",
      },
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#url = /http:\S+/.exec(await firstLine(this.#gateway))?.[0] ?? "";
  }
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error("the process has no standard output");
  const lines = createInterface(child.stdout);
  const [line] = (await Promise.race([once(lines, "line"), once(lines, "close")])) as [string?];
  if (line === undefined) throw new Error("the process ended without a word");
  return line;
}

async function end(child: ChildProcess | undefined, signal: NodeJS.Signals): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill(signal);
  await ended;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
