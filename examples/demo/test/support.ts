import { fork, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";

/** The demo as `npm start` runs it, on a free port. */
export interface Demo {
  readonly url: string;
  readonly output: string;
  /** What it has said of problems until now. */
  readonly errors: () => string;
  /** Ends it as Ctrl-C does; resolves when every process of it is gone. */
  stop(): Promise<void>;
}

export async function startDemo(): Promise<Demo> {
  const child = spawn("npm", ["start", "--silent"], {
    cwd: fileURLToPath(new URL("../../..", import.meta.url)),
    env: { ...process.env, PORT: "0" },
    stdio: ["ignore", "pipe", "pipe"],
    // A group of its own, so that the signal reaches what npm started, as a terminal's does.
    detached: true,
  });
  let output = "";
  let errors = "";
  child.stdout.setEncoding("utf8");
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (errors += chunk));
  child.stdout.on("data", (chunk: string) => (output += chunk));
  const ended = new AbortController();
  child.once("close", () => ended.abort(new Error(`the demo ended after this:\n${output}${errors}`)));
  while (!output.includes("Ctrl-C")) await once(child.stdout, "data", { signal: ended.signal });
  const url = /http:\/\/[\d.]+:\d+/.exec(output)?.[0] ?? "";
  const stop = async (): Promise<void> => {
    // Standard output is closed when the last of them has ended.
    const closed = once(child, "close");
    if (child.pid !== undefined) process.kill(-child.pid, "SIGINT");
    child.stdout.resume();
    await closed;
  };
  return { url, output, errors: () => errors, stop };
}

/** The demo's backend with a gateway that comes and goes, always on the same port. */
export interface Servers {
  readonly url: string;
  /** Ends the gateway with a signal; resolves when it is gone. */
  stopGateway(signal: "SIGKILL" | "SIGTERM"): Promise<void>;
  startGateway(): Promise<void>;
  /** Ends everything. */
  stop(): Promise<void>;
}

/** Starts both. The page must have been built. */
export async function startServers(): Promise<Servers> {
  const packageFolder = dirname(createRequire(import.meta.url).resolve("@sluice/gateway/package.json"));
  const backend = fork(inDemo("src/backend.ts"), {
    execArgv: ["--import", "tsx", "--conditions=@sluice/source"],
    stdio: ["ignore", "pipe", "inherit", "ipc"],
  });
  const upstream = `127.0.0.1:${await firstLine(backend)}`;
  const options = ["--upstream", upstream, "--proto", inDemo("proto/demo.proto"), "--files", inDemo("dist")];
  const quiet = ["--grace", "1", "--log-level", "silent"];
  let port = "0";
  let gateway: ChildProcess;
  let url = "";
  const startGateway = async (): Promise<void> => {
    const args = [join(packageFolder, "bin/sluice.js"), "serve", ...options, ...quiet, "--port", port];
    gateway = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    url = /http:\/\/\S+/.exec(await firstLine(gateway))?.[0] ?? "";
    ({ port } = new URL(url));
  };
  const stopGateway = async (signal: "SIGKILL" | "SIGTERM"): Promise<void> => {
    const exited = once(gateway, "exit");
    gateway.kill(signal);
    await exited;
  };
  await startGateway();
  const stop = async (): Promise<void> => {
    await stopGateway("SIGKILL");
    const exited = once(backend, "exit");
    backend.kill("SIGTERM");
    await exited;
  };
  return { url, stopGateway, startGateway, stop };
}

async function firstLine({ stdout }: ChildProcess): Promise<string> {
  if (stdout === null) throw new Error("the process has no standard output");
  const [line] = (await once(createInterface(stdout), "line")) as [string];
  return line;
}

/** Writes PNG files of a page, light and dark, to the folder that the environment variable SCREENSHOTS names. */
export async function takeScreenshots(page: Page, name: string): Promise<void> {
  const folder = process.env["SCREENSHOTS"];
  if (folder === undefined) return;
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: join(folder, `${name}-${colorScheme}.png`) });
  }
}

function inDemo(path: string): string {
  return fileURLToPath(new URL(`../${path}`, import.meta.url));
}
