// Builds the page and starts the demo: the gRPC backend and the gateway before it, each in a process of its own.
import { fork, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const here = dirname(fileURLToPath(import.meta.url));
const sluice = join(
  dirname(createRequire(import.meta.url).resolve("@sluice/gateway/package.json")),
  "bin/sluice.js",
);
const port = process.env["PORT"] ?? "8080";

const running = new Set<ChildProcess>();
let stopping = false;

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error("the process has no standard output");
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  return line;
}

function watch(child: ChildProcess): void {
  running.add(child);
  child.on("exit", (code) => {
    running.delete(child);
    stop(code ?? 1);
    if (running.size === 0) process.exit();
    // The gateway was the first to go; the backend outlives it, so that its calls can end in good order.
    for (const each of running) each.kill("SIGTERM");
  });
}

function stop(code: number): void {
  if (stopping) return;
  stopping = true;
  process.exitCode = code;
  [...running].at(-1)?.kill("SIGTERM");
}

process.on("SIGINT", () => stop(0));
process.on("SIGTERM", () => stop(0));

await build({ configFile: join(here, "../vite.config.ts"), logLevel: "warn" });

const backend = fork(join(here, "backend.ts"), { stdio: ["ignore", "pipe", "inherit", "ipc"] });
watch(backend);
const backendPort = await firstLine(backend);

const gateway = spawn(
  process.execPath,
  [
    sluice,
    "serve",
    "--upstream",
    `127.0.0.1:${backendPort}`,
    "--proto",
    join(here, "../proto/demo.proto"),
    "--files",
    join(here, "../dist"),
    "--port",
    port,
    "--grace",
    "1",
    "--log-level",
    "warn",
  ],
  { stdio: ["ignore", "pipe", "inherit"] },
);
watch(gateway);
const url = /http:\/\/\S+/.exec(await firstLine(gateway))?.[0] ?? "";

process.stdout.write(`
  Sluice stands before a gRPC server, which knows nothing of browsers.

  Open this in two windows and chat:   ${url}/
  Or call the same server from here:   curl ${url}/v1/echo/hello
  A stream of answers, a line each:    curl -N '${url}/v1/repeat/hello?count=3&intervalMs=500'

  Ctrl-C ends it.

`);
