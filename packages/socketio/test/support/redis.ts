import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** Why there is no Redis here; false where there is one. */
export const isMissingRedis: string | false =
  spawnSync("redis-server", ["--version"]).error !== undefined && "there is no redis-server";

/** A Redis of a test's own. */
export class Redis {
  /** Where its socket is. */
  readonly path: string;
  readonly #process: ChildProcess;
  readonly #folder: string;

  private constructor(path: string, child: ChildProcess, folder: string) {
    this.path = path;
    this.#process = child;
    this.#folder = folder;
  }

  /** Starts it. */
  static async start(): Promise<Redis> {
    const folder = await mkdtemp(join(tmpdir(), "redis-"));
    const path = join(folder, "socket");
    const settings = ["--port", "0", "--unixsocket", path, "--dir", folder, "--save", ""];
    const child = spawn("redis-server", settings, { stdio: ["ignore", "pipe", "inherit"] });
    for await (const line of createInterface(child.stdout)) {
      if (line.includes("ready to accept connections")) return new Redis(path, child, folder);
    }
    throw new Error("redis-server did not start");
  }

  /** Ends it. */
  async close(): Promise<void> {
    this.#process.kill();
    await once(this.#process, "exit");
    await rm(this.#folder, { recursive: true });
  }
}
