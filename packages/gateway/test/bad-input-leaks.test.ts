import assert from "node:assert/strict";
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { startEchoServer, type EchoServer } from "@sluice/testkit";
import type { Holding } from "./bad-input/gateway-process.ts";
import type { Row } from "./bad-input/row.ts";
import { tables } from "./bad-input/tables.ts";
import { stillOpen } from "./still-open.ts";

/** How often each row is sent, before the first count and again before the next: `LEAK_ROUNDS=300` for a long look. */
const rounds = Number(process.env["LEAK_ROUNDS"] ?? 20);
const roundsOfLarge = 2;

/** How much more the gateway may hold at the second count: the engine itself takes some and gives back some. */
const slackBytes = 512 * 1024;
/** How often more than that is looked for again: what the engine takes comes once, what leaks comes each time. */
const attempts = 3;

let echo: EchoServer;
let gateway: ChildProcess;
let port: number;
before(async () => {
  echo = await startEchoServer();
  const file = fileURLToPath(new URL("bad-input/gateway-process.ts", import.meta.url));
  gateway = fork(file, [echo.address, echo.protoPath, ...echo.importPaths], {
    execArgv: ["--expose-gc", "--import", "tsx", "--conditions=@sluice/source"],
  });
  [port] = (await once(gateway, "message")) as [number];
});
after(async () => {
  gateway.disconnect();
  await once(gateway, "exit");
  await echo.close();
});

async function holding(): Promise<Holding> {
  gateway.send("tell");
  const [held] = (await once(gateway, "message")) as [Holding];
  return held;
}

/** Sends each row for all rounds, some at once. */
async function attack(rows: readonly Row[]): Promise<void> {
  const work = rows.flatMap((row) =>
    Array.from({ length: row.isLarge === true ? roundsOfLarge : rounds }, () => row),
  );
  const next = work.values();
  const worker = async (): Promise<void> => {
    for (const row of next) await row.send(port);
  };
  await Promise.all(Array.from({ length: 16 }, worker));
}

/** How much more the gateway holds after an attack than before, in bytes. */
async function growth(rows: readonly Row[]): Promise<number> {
  const first = await holding();
  await attack(rows);
  let last = await holding();
  assert.deepEqual(stillOpen(last.counts), {});
  await echo.calls.until(({ open }) => open === 0);
  // What is left of a refused body is waited for, which takes some seconds.
  for (let again = 0; again < 20 && last.bytes - first.bytes >= slackBytes; again++) {
    await wait(500);
    last = await holding();
  }
  return last.bytes - first.bytes;
}

describe("a gateway holds no more after bad input than before", () => {
  for (const [name, rows] of Object.entries(tables)) {
    test(`in ${name}`, async () => {
      await attack(rows);
      let more = slackBytes;
      for (let attempt = 0; attempt < attempts && more >= slackBytes; attempt++) more = await growth(rows);
      assert.ok(more < slackBytes, `${more} bytes more`);
    });
  }
});
