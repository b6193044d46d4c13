import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { startFaultProxy } from "@sluice/testkit";

const folder = fileURLToPath(new URL("..", import.meta.url));
const packageFolder = dirname(createRequire(import.meta.url).resolve("@sluice/gateway/package.json"));

/** A process of which a test reads the lines, one after the other. */
class Running {
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];

  constructor(context: TestContext, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    const child = spawn(process.execPath, args, {
      cwd: folder,
      env: { ...process.env, ...env },
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#child = child;
    createInterface(child.stdout).on("line", (line) => {
      this.#lines.push(line);
      child.emit("line");
    });
    context.after(() => child.kill("SIGKILL"));
  }

  /** Types a line. */
  type(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  /** Waits for a line that fits, and forgets all up to it. Rejects when the process ends before. */
  async line(pattern: RegExp): Promise<string> {
    for (;;) {
      const at = this.#lines.findIndex((line) => pattern.test(line));
      if (at >= 0) return this.#lines.splice(0, at + 1).at(-1) ?? "";
      if (this.#child.exitCode !== null) throw new Error(`ended without ${pattern}`);
      await Promise.race([once(this.#child, "line"), once(this.#child, "exit")]);
    }
  }
}

test("clients call a gRPC method, speak to each other, and come back when their connection is lost", async (context) => {
  const backend = new Running(context, ["--import", "tsx", "../demo/src/backend.ts", "127.0.0.1:0"]);
  const gateway = new Running(
    context,
    [join(packageFolder, "bin/sluice.js"), "serve", "--config", "sluice.yaml"],
    {
      DEMO_BACKEND: `127.0.0.1:${await backend.line(/^\d+$/)}`,
      SLUICE_LISTEN: "127.0.0.1:0",
      SLUICE_LOG_LEVEL: "silent",
    },
  );
  const url = /http:\/\/(\S+)/.exec(await gateway.line(/http/))?.[1] ?? "";
  const proxy = await startFaultProxy(url);
  context.after(() => proxy.close());
  const client = (address: string): Running =>
    new Running(context, [
      "--experimental-websocket",
      "--import",
      "tsx",
      "src/main.ts",
      `ws://${address}/packets`,
    ]);

  const ann = client(proxy.address);
  await ann.line(/^connected$/);
  ann.type("Hello, server 👋");
  await ann.line(/^server: Hello, server 👋$/);

  const ben = client(url);
  await ben.line(/^connected$/);
  ben.type("@1 Hello, Ann");
  await ann.line(/^2: Hello, Ann$/);
  ann.type("@2 Hello, Ben");
  await ben.line(/^1: Hello, Ben$/);

  proxy.reset();
  await ann.line(/^the connection is lost/);
  ben.type("@1 Are you there?");
  await ann.line(/^connected$/);
  await ann.line(/^2: Are you there\?$/);
  ann.type("I am");
  await ann.line(/^server: I am$/);
});
