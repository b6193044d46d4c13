import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { io, type Socket } from "socket.io-client";

const folder = fileURLToPath(new URL("..", import.meta.url));
const flags = ["--import", "tsx", "--conditions=@sluice/source"];

const statuses: Readonly<Record<string, number>> = { express: 200, fastify: 200, nest: 404 };

function event(client: Socket, name: string): Promise<unknown[]> {
  return new Promise((resolve) => {
    client.once(name, (...args: unknown[]) => resolve(args));
  });
}

describe("clients of Socket.IO", () => {
  for (const [framework, status] of Object.entries(statuses)) {
    test(`talk through ${framework}, beside its own requests`, { timeout: 60_000 }, async (context) => {
      const server = spawn(process.execPath, [...flags, `src/${framework}.ts`], {
        cwd: folder,
        env: { ...process.env, PORT: "0" },
        stdio: ["ignore", "pipe", "inherit"],
      });
      context.after(() => server.kill());
      const [url] = (await once(createInterface(server.stdout), "line")) as [string];
      assert.equal((await fetch(url)).status, status);
      const ann = io(url);
      const ben = io(url);
      context.after(() => {
        ann.close();
        ben.close();
      });
      await Promise.all([event(ann, "connect"), event(ben, "connect")]);
      const heard = event(ben, "said");
      assert.equal(await ann.emitWithAck("say", "hello"), 1);
      assert.deepEqual(await heard, ["hello"]);
    });
  }
});
