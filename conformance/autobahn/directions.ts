import { fork } from "node:child_process";
import { once } from "node:events";
import { connect, createServer, type AddressInfo } from "node:net";
import { readResults, type CaseResult } from "./report.ts";
import { startWstest } from "./wstest.ts";

/** What one run covers. */
export interface Run {
  /** Path of the suite's program. */
  readonly wstest: string;
  /** Folder for the reports, emptied before. */
  readonly folder: string;
  /** The implementation under test: names the files in `peers/` and the agent in the reports. */
  readonly peer: string;
  /** Case ids or patterns, as the suite understands them: `7.*`, `9.1.1`. */
  readonly cases: readonly string[];
}

/** Results of a run, and how many cases the suite set out to run. */
export interface Outcome {
  readonly announced: number;
  readonly results: readonly CaseResult[];
}

/** Runs the suite's client against the peer's echo server. */
export async function testServer({ wstest, folder, peer, cases }: Run): Promise<Outcome> {
  const server = fork(new URL(`peers/${peer}-server.ts`, import.meta.url));
  try {
    const [{ port }] = (await once(server, "message")) as [{ port: number }];
    const run = await startWstest(wstest, "fuzzingclient", folder, {
      servers: [{ agent: peer, url: `ws://127.0.0.1:${port}` }],
      cases,
    });
    const announced = await run.announced;
    await run.ended;
    return { announced, results: await readResults(folder, peer) };
  } finally {
    server.kill();
  }
}

/** Runs the peer's client against the suite's server. */
export async function testClient({ wstest, folder, peer, cases }: Run): Promise<Outcome> {
  const port = await freePort();
  const url = `ws://127.0.0.1:${port}`;
  const run = await startWstest(wstest, "fuzzingserver", folder, { url, cases });
  try {
    const announced = await run.announced;
    await untilListening(port);
    const client = fork(new URL(`peers/${peer}-client.ts`, import.meta.url), [url, peer]);
    await once(client, "exit");
    return { announced, results: await readResults(folder, peer) };
  } finally {
    run.child.kill();
    await run.ended;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** The suite says nothing when it listens, so this tries until it does. */
async function untilListening(port: number): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const socket = connect(port, "127.0.0.1");
    try {
      await once(socket, "connect");
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
    } finally {
      socket.destroy();
    }
  }
  throw new Error(`the suite's server does not listen on port ${port}`);
}
