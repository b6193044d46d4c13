import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** The demo as `npm start` runs it, on a free port. */
export interface Demo {
  readonly url: string;
  readonly output: string;
  /** Ends it as Ctrl-C does; resolves when every process of it is gone. */
  stop(): Promise<void>;
}

export async function startDemo(): Promise<Demo> {
  const child = spawn("npm", ["start", "--silent"], {
    cwd: fileURLToPath(new URL("../../..", import.meta.url)),
    env: { ...process.env, PORT: "0" },
    stdio: ["ignore", "pipe", "inherit"],
    // A group of its own, so that the signal reaches what npm started, as a terminal's does.
    detached: true,
  });
  let output = "";
  child.stdout.setEncoding("utf8");
  while (!output.includes("Ctrl-C")) {
    const [chunk] = (await once(child.stdout, "data")) as [string];
    output += chunk;
  }
  const url = /http:\/\/[\d.]+:\d+/.exec(output)?.[0] ?? "";
  const stop = async (): Promise<void> => {
    // Standard output is closed when the last of them has ended.
    const closed = once(child, "close");
    if (child.pid !== undefined) process.kill(-child.pid, "SIGINT");
    child.stdout.resume();
    await closed;
  };
  return { url, output, stop };
}
