import { spawn, type ChildProcess } from "node:child_process";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** One run of the suite's program, in one of its modes. */
export interface WstestRun {
  readonly child: ChildProcess;
  /** Number of cases that it said it would run; resolves once it has said so, rejects for none or when it ends before. */
  readonly announced: Promise<number>;
  /** Resolves when the program has ended. */
  readonly ended: Promise<void>;
}

/** Starts `wstest` with `spec`, reporting into `folder`, which is emptied before. */
export async function startWstest(
  wstest: string,
  mode: "fuzzingclient" | "fuzzingserver",
  folder: string,
  spec: Readonly<Record<string, unknown>>,
): Promise<WstestRun> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const file = join(folder, "spec.json");
  await writeFile(file, JSON.stringify({ ...spec, outdir: folder }));
  const child = spawn(wstest, ["--mode", mode, "--webport", "0", "--spec", file], {
    env: { ...process.env, PYTHONUNBUFFERED: "1", PYTHONWARNINGS: "ignore" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise<void>((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", () => resolve());
  });
  const announced = new Promise<number>((resolve, reject) => {
    let head = "";
    const read = (chunk: Buffer): void => {
      head += chunk.toString("latin1");
      const count = /will run (\d+) test cases/.exec(head)?.[1];
      if (count === undefined) return;
      // What follows is a line a case: let it flow away.
      child.stdout.off("data", read).resume();
      if (count !== "0") return resolve(Number(count));
      // Left alone, it would wait for ever.
      child.kill();
      reject(new Error("no case of the suite matches"));
    };
    child.stdout.on("data", read);
    void ended.then(() => reject(new Error(`wstest ended before it ran a case:\n${head}`)), reject);
  });
  return { child, announced, ended };
}
